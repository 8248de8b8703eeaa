"""Bus wrappers: AXI4-Stream and AXI4-Lite around a unit, and the one description of its registers."""
