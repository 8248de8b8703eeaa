"""Parameters of channels that find errors."""

from __future__ import annotations

import numpy as np

__all__ = ["drawn", "extremes"]


def extremes(width: int) -> list[int]:
    """The ends of a format, zero, and one LSB of either sign."""
    return [-(1 << (width - 1)), (1 << (width - 1)) - 1, 0, 1, -1]


def drawn(width: int, rng: np.random.Generator, channels: int) -> list[int]:
    """One a channel, of the extremes and of five random ones."""
    pool = extremes(width) + rng.integers(-(1 << (width - 1)), 1 << (width - 1), 5).tolist()
    return [pool[i] for i in rng.integers(0, len(pool), channels)]
