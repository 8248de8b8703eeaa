"""Synthesis, place and route, activity and energy of every unit, and the comparison of L1 with L2."""
