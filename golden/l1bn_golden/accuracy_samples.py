"""The random channels of the accuracy study."""

from __future__ import annotations

import numpy as np

from .contract import Contract
from .data import RANDOM, exponential, gaussian
from .samples import Integers

__all__ = ["COUNTS", "KINDS", "draw", "draw_gamma"]

COUNTS = ((16, 64, 256, 1024), (17, 49, 300, 1000))
"""The channel sizes of a row: powers of two, where the mean is exact, and others."""

KINDS = (*RANDOM, "low variance")


def draw(kind: str, rng: np.random.Generator, channels: int, count: int, width: int) -> Integers:
    """Channels of a kind, each with an offset and a standard deviation of its own; "low variance" is some LSB."""
    column = (channels, 1)
    shape = (channels, count)
    if kind == "low variance":
        spread = rng.uniform(0.5, 8.0, column) * 2.0 ** (1 - width)
        offset = rng.uniform(-0.9, 0.9, column)
        half = channels // 2
        parts = (
            gaussian(rng, (half, count), width, spread[:half], offset[:half]),
            exponential(rng, (channels - half, count), width, spread[half:], offset[half:]),
        )
        return np.concatenate(parts)
    return RANDOM[kind](rng, shape, width, 2.0 ** rng.uniform(-6, -2, column), rng.uniform(-0.5, 0.5, column))


def draw_gamma(rng: np.random.Generator, contract: Contract, channels: int) -> Integers:
    """Magnitudes from 0.25 to the largest, which is just below 4, of either sign."""
    gamma = rng.integers(1 << contract.gamma_width - 5, 1 << contract.gamma_width - 1, channels)
    gamma *= rng.choice([-1, 1], channels)
    return gamma
