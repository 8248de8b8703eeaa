"""From a unit to the files that describe it: Verilog, names, manifest."""
