"""Blocks that a device has in silicon, each behind one interface with a portable description."""
