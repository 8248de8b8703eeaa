"""Co-simulation of generated hardware: cocotb benches under Verilator, held against the golden model.

``python -m l1bn_sim run`` simulates whole units on real feature maps; ``docs/simulation.md`` shows how to
write a bench for an operator of one's own.
"""
