"""Integers and channels that find errors: edges first, then random ones of every size."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import data

__all__ = ["channels", "integers"]


def integers(draw: random.Random, width: int, signed: bool, length: int) -> list[int]:
    """``length`` integers of ``width`` bits: the edges of the range, then random ones of every size."""
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    edges = [edge for edge in (0, low, high, 1, -1, low + 1, high - 1) if low <= edge <= high]
    values = edges[:length]
    while len(values) < length:
        size = draw.randint(1, width)
        value = draw.getrandbits(size)
        values.append(value - (1 << width) if signed and value > high else value)
    return values


def channels(draw: np.random.Generator, width: int, count: int) -> dict[str, NDArray[np.int64]]:
    """A channel of ``count`` samples of ``width`` bits of every kind a norm may stumble over, by name."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    kinds = {name: data.edge(name, count, width) for name in data.EDGES}
    kinds["gaussian with an offset"] = data.gaussian(draw, (1, count), width, 0.2, 0.3)[0]
    kinds["exponential"] = data.exponential(draw, (1, count), width, 0.3, -0.5)[0]
    kinds["rectified"] = np.maximum(0, data.gaussian(draw, (1, count), width, 0.3, -0.1)[0])
    kinds["a few LSB"] = draw.integers(-1, 2, count)
    kinds["uniform"] = draw.integers(low, high + 1, count)
    return {name: samples.astype(np.int64) for name, samples in kinds.items()}
