"""The generated Verilog as a function on NumPy arrays, and beside it the integer model that it must equal.

Run it with ``.venv/bin/python examples/hardware_as_a_function.py``.
"""

from __future__ import annotations

import numpy as np

from l1bn import Configuration
from l1bn_golden import Contract, forward
from l1bn_sim.hardware_units import ForwardHardware

CHANNELS, COUNT = 50, 1024

config = Configuration(norm="l1", width=8, lanes=4, counts=(COUNT,))
draw = np.random.default_rng(1)
x = np.minimum(draw.exponential(20, (CHANNELS, COUNT)), 127).astype(np.int64)
gamma = draw.integers(4000, 12000, CHANNELS)  # 0.5 to 1.5: gamma has 13 fraction bits
beta = draw.integers(-16, 16, CHANNELS)  # -1 to 1: beta has 4

with ForwardHardware(config) as normalise:
    result = normalise(x, gamma, beta)
with ForwardHardware(config, idle=0.3, stall=0.3, seed=1) as normalise:
    paused = normalise(x, gamma, beta)

expected = forward(Contract(norm="l1", width=8, counts=(COUNT,)), x, gamma, beta)
print(f"{x.size:,} samples, {result.cycles:,} clock cycles; with pauses at random {paused.cycles:,}")
print(
    f"values of y that differ: {np.sum(result.y != expected.y)}, with pauses {np.sum(paused.y != expected.y)}"
)
print(f"means that differ: {np.sum(result.mean != expected.mean)}")
