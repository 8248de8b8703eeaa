"""Channels that find errors, and their packets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import data

__all__ = ["Samples", "channels", "packets"]

Samples = NDArray[Any]


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


def packets(rows: Sequence[Samples], lanes: int) -> dict[str, Any]:
    """The beats of one packet a row: columns ``data`` and ``last``."""
    beats = [row.reshape(-1, lanes) for row in rows]
    last = [np.arange(len(packet)) == len(packet) - 1 for packet in beats]
    return {"data": np.concatenate(beats), "last": np.concatenate(last)}
