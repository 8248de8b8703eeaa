"""Configurations that take the formats to their ends, and what the golden model makes of them."""

from __future__ import annotations

import random

from l1bn.config import Configuration
from l1bn_golden import Contract

__all__ = ["CONFIGURATIONS", "contract", "spreads"]

CONFIGURATIONS = {
    "default": Configuration(width=8, counts=(16,)),
    "l2": Configuration(norm="l2", width=8, counts=(16,)),
    "narrow": Configuration(width=4, counts=(64,), lanes=2),
    "narrowest gamma": Configuration(width=6, counts=(8,), gamma_width=2, beta_width=2, scale_width=8),
    "wide": Configuration(width=32, counts=(12, 4), gamma_width=32, beta_width=32, scale_width=24),
    "wide y, narrow x": Configuration(norm="l2", width=4, y_width=32, y_fraction=31, counts=(6,)),
    "narrow y, wide x": Configuration(width=32, x_fraction=0, y_width=4, y_fraction=0, counts=(4,), lanes=4),
    "coarse beta": Configuration(
        width=10, y_width=9, y_fraction=8, beta_width=12, beta_fraction=0, counts=(8,)
    ),
    "large scales": Configuration(width=12, gamma_fraction=0, y_fraction=11, counts=(32,), lanes=8),
    "small scales": Configuration(norm="l2", width=16, gamma_fraction=15, y_fraction=0, counts=(16,)),
    "no guard bits": Configuration(width=9, counts=(7, 8), guard_bits=0),
    "epsilon 1": Configuration(width=9, counts=(20,), guard_bits=3, epsilon=1.0),
}


def contract(configuration: Configuration) -> Contract:
    return Contract.from_parameters(configuration.to_mapping())


def spreads(golden: Contract, draw: random.Random, length: int) -> list[tuple[int, int]]:
    """Mantissas and exponents of r from the smallest to the largest that a channel can have."""
    found = []
    for index in range(length):
        count = golden.counts[index % len(golden.counts)]
        size = draw.randint(0, golden.width + golden.L + golden.G)
        if golden.norm == "l1":
            largest = count << (golden.width - 1 + golden.G)
            deviation = [0, largest, draw.getrandbits(size)][min(index, 2)]
            found.append(golden.traits.r(golden, min(deviation, largest), count)[1:])
        else:
            largest = count << (2 * golden.width - 2)
            squares = [0, largest, draw.getrandbits(2 * size)][min(index, 2)]
            found.append(golden.traits.r(golden, count * min(squares, largest), count)[1:])
    return found
