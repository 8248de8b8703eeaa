"""Integers and channels that find errors: edges first, then random ones of every size."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

__all__ = ["beats", "channels", "integers"]


def integers(draw: random.Random, width: int, signed: bool, length: int) -> list[int]:
    """``length`` integers of ``width`` bits: the edges of the range, then as many small ones as large ones."""
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    edges = [edge for edge in (0, low, high, 1, -1, low + 1, high - 1) if low <= edge <= high]
    values = edges[:length]
    while len(values) < length:
        size = draw.randint(1, width)
        value = draw.getrandbits(size)
        values.append(value - (1 << width) if signed and value > high else value)
    return values


def channels(draw: np.random.Generator, width: int, count: int) -> dict[str, NDArray[np.int64]]:
    """A channel of ``count`` samples of ``width`` bits for each of the shapes that a norm may stumble over."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    half = count // 2
    outlier = np.zeros(count)
    outlier[draw.integers(count)] = 1
    large_outlier = np.full(count, -3)
    large_outlier[draw.integers(count)] = high
    ties = np.concatenate([np.full(half, -2), np.full(count - half, 2)])
    ties[1 : count - 1] *= draw.random(count - 2) < 0.5  # most samples sit on the mean when the rest cancels
    ties[1] -= ties.sum()
    patterns = {
        "all minimum": np.full(count, low),
        "all maximum": np.full(count, high),
        "all zero": np.zeros(count),
        "constant": np.full(count, draw.integers(low, high + 1)),
        "alternating": np.where(np.arange(count) % 2, low, high),
        "two halves": np.where(np.arange(count) < half, low, high),
        "single step": outlier,
        "single outlier": large_outlier,
        "ties": ties,
        "ramp": np.linspace(low, high, count),
        "skewed": np.maximum(0, draw.normal(-0.3, 1, count)) * high / 3,
        "exponential": draw.exponential(high / 8, count),
        "gaussian": draw.normal(high / 5, high / 4, count),
        "narrow": draw.integers(0, 3, count) + high // 2,
        "uniform": draw.integers(low, high + 1, count),
    }
    return {name: np.clip(np.rint(samples), low, high).astype(np.int64) for name, samples in patterns.items()}


def beats(samples: NDArray[np.int64], lanes: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows of samples as ``(data, last)``: a beat has ``lanes`` samples, the final one of a row is marked."""
    rows, count = samples.shape
    data = samples.reshape(rows * count // lanes, lanes)
    last = np.zeros((rows, count // lanes), dtype=bool)
    last[:, -1] = True
    return data, last.ravel()
