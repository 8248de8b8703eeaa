"""Seeded integer samples: random ones of known shape, and the packets at the edge of the format."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .samples import Integers

__all__ = ["EDGES", "RANDOM", "edge", "exponential", "gaussian", "quantize"]

Level = float | npt.NDArray[np.float64]
"""One number for all samples, or an array of shape (channels, 1)."""


def quantize(values: npt.ArrayLike, width: int, fraction: int) -> Integers:
    """Real numbers as integers of ``width`` bits with ``fraction`` fraction bits: half up, saturated.

    int16 up to 16 bits, int64 above. Something that is not a finite number raises :exc:`ValueError`.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("values = nan or inf is not possible; allowed: finite numbers")
    limit = 2.0 ** (width - 1)
    scaled = np.floor(np.ldexp(array, fraction) + 0.5)
    return np.clip(scaled, -limit, limit - 1).astype(np.int16 if width <= 16 else np.int64)


def gaussian(
    rng: np.random.Generator, shape: tuple[int, int], width: int, spread: Level = 0.125, offset: Level = 0.0
) -> Integers:
    """Normal samples; standard deviation and mean in units of the largest magnitude, 2**(width - 1)."""
    return quantize(rng.standard_normal(shape) * spread + offset, width, width - 1)


def exponential(
    rng: np.random.Generator, shape: tuple[int, int], width: int, spread: Level = 0.125, offset: Level = 0.0
) -> Integers:
    """Samples skewed as behind a ReLU: exponential from ``offset`` up, standard deviation ``spread``."""
    return quantize(rng.standard_exponential(shape) * spread + offset, width, width - 1)


RANDOM: dict[str, Callable[..., Integers]] = {"gaussian": gaussian, "exponential": exponential}
"""The random kinds by name."""


def _ramp(count: int, low: int, high: int) -> Integers:
    return low + np.arange(count, dtype=np.int64) % (high - low + 1)


def _outlier(count: int, floor: int, height: int) -> Integers:
    channel = np.full(count, floor, dtype=np.int64)
    channel[count // 3] += height
    return channel


def _ties(count: int) -> Integers:
    """Half of the samples (or all but an odd one) are the exact mean, the others lie around it in pairs."""
    channel = np.full(count, 3, dtype=np.int64)
    pairs = count // 4
    channel[:pairs] += 1 + np.arange(pairs) % 3
    channel[pairs : 2 * pairs] -= 1 + np.arange(pairs) % 3
    return channel


EDGES: dict[str, Callable[[int, int, int], Integers]] = {
    "minimum": lambda count, low, high: np.full(count, low, dtype=np.int64),
    "maximum": lambda count, low, high: np.full(count, high, dtype=np.int64),
    "zero": lambda count, low, high: np.zeros(count, dtype=np.int64),
    "constant": lambda count, low, high: np.full(count, low // 3, dtype=np.int64),
    "alternating": lambda count, low, high: np.where(np.arange(count) % 2, high, low).astype(np.int64),
    "outlier by one LSB": lambda count, low, high: _outlier(count, 0, 1),
    "outlier by minus one LSB": lambda count, low, high: _outlier(count, high, -1),
    "outlier of full scale": lambda count, low, high: _outlier(count, low, high - low),
    "outlier of minus full scale": lambda count, low, high: _outlier(count, high, low - high),
    "ties at the mean": lambda count, low, high: _ties(count),
    "ramp": _ramp,
}
"""The edge channels by name: functions of (count, lowest sample, highest sample)."""


def edge(kind: str, count: int, width: int) -> Integers:
    """One channel of an edge kind, shape (count,), of the type that :func:`quantize` has."""
    channel = EDGES[kind](count, -(1 << (width - 1)), (1 << (width - 1)) - 1)
    return channel.astype(np.int16 if width <= 16 else np.int64)
