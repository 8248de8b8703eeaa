"""The random channels of the accuracy study."""

from __future__ import annotations

import numpy as np

from .data import exponential, gaussian
from .samples import Integers

__all__ = ["COUNTS", "KINDS", "draw"]

COUNTS = ((16, 64, 256, 1024), (17, 49, 300, 1000))
"""The channel sizes of a row: powers of two, where the mean is exact, and others."""

KINDS = ("gaussian", "exponential", "low variance")


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
    kinds = {"gaussian": gaussian, "exponential": exponential}
    return kinds[kind](rng, shape, width, 2.0 ** rng.uniform(-6, -2, column), rng.uniform(-0.5, 0.5, column))
