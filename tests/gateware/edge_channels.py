"""Channels that find errors, of several counts in turn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import data

__all__ = ["Samples", "channels"]

Samples = NDArray[np.int64]


def channels(seed: int, width: int, counts: Sequence[int]) -> list[Samples]:
    """A channel of every edge kind and of some random ones, ``counts`` samples in turn."""
    rng = np.random.default_rng([seed, width, *counts])
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    length = cycle(counts)
    rows = [data.edge(kind, next(length), width) for kind in data.EDGES]
    rows += [rng.integers(low, high, next(length)) for _ in range(2)]
    rows += [data.exponential(rng, (1, next(length)), width, 0.3, -0.5)[0]]
    rows += [rng.integers(-1, 2, next(length))]
    return [row.astype(np.int64) for row in rows]
