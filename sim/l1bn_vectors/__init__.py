"""Test vectors: what operators and units are fed, and what the golden model says must come out of them.

The benches of the simulation, the netlists of the synthesis, the test benches of an exported package and the tests take
their streams from here. Nothing in here knows the hardware but by the names of its streams and their fields.
"""
