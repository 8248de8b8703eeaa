"""What happens once per sample: NumPy over (channels, n), one exact integer a channel.

All sums are exact for x of up to 33 bits and n up to 2**20.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .channel import bias
from .rounding import shift_floor

if TYPE_CHECKING:
    from .contract import Contract

__all__ = [
    "BLOCK",
    "Integers",
    "affine",
    "centred_square_sum",
    "channel_sum",
    "floored_product",
    "product_sum",
    "saturate",
    "sign",
    "sign_abs",
    "square_sum",
]

Integers = npt.NDArray[Any]
"""An integer array: of int64 or narrower where that is exact, else of Python integers."""


BLOCK = 1 << 15
"""Samples worked on at a time: a few int64 copies of them stay in the second-level cache."""


def channel_sum(x: Integers) -> list[int]:
    """``S = sum x``."""
    sums: list[int] = x.sum(axis=1, dtype=np.int64).tolist()
    return sums


def sign_abs(x: Integers, mean: Sequence[int], guard_bits: int) -> tuple[list[int], list[int]]:
    """``(D, sum s)``: ``D = sum |x * 2**G - mu|`` and ``s = sgn(x * 2**G - mu)``, sgn(0) = 0.

    ``mean`` holds mu of each channel, with ``guard_bits`` = G fraction bits.
    """
    count = x.shape[1]
    floors = [mu >> guard_bits for mu in mean]
    distance = _minus(x, floors)
    above = np.count_nonzero(distance > 0, axis=1).tolist()
    equal = np.count_nonzero(distance == 0, axis=1).tolist()
    whole = np.abs(distance, out=distance).sum(axis=1, dtype=np.int64).tolist()
    deviations, sign_counts = [], []
    for mu, floor, total, more, same in zip(mean, floors, whole, above, equal, strict=True):
        rest = mu - (floor << guard_bits)
        # A sample above the floor is nearer to mu by the rest, every other one is farther by it.
        deviations.append((total << guard_bits) + rest * (count - 2 * more))
        below = count - more - (same if rest == 0 else 0)
        sign_counts.append(more - below)
    return deviations, sign_counts


def sign(x: Integers, mean: Sequence[int], guard_bits: int) -> Integers:
    """``sgn(x * 2**G - mu)`` of every sample, sgn(0) = 0."""
    floors = np.array([mu >> guard_bits for mu in mean], dtype=np.int64)[:, None]
    whole = np.array([mu & ((1 << guard_bits) - 1) == 0 for mu in mean], dtype=bool)[:, None]
    signs: Integers = np.where(x > floors, 1, np.where((x == floors) & whole, 0, -1)).astype(np.int8)
    return signs


def product_sum(x: Integers, dy: Integers) -> list[int]:
    """``sum dy * x`` for samples of up to 32 bits each."""
    if x.dtype.itemsize <= 2 and dy.dtype.itemsize <= 2:
        sums: list[int] = np.einsum("ij,ij->i", x, dy, dtype=np.int64).tolist()
        return sums
    (xh, xl), (dh, dl) = ((v.astype(np.int64) >> 16, v.astype(np.int64) & 0xFFFF) for v in (x, dy))
    # In halves no sum of 2**20 products overflows 64 bits.
    pairs = ((xh, dh), (xh, dl), (xl, dh), (xl, dl))
    parts = (np.einsum("ij,ij->i", a, b).tolist() for a, b in pairs)
    return [(hh << 32) + ((hl + lh) << 16) + ll for hh, hl, lh, ll in zip(*parts, strict=True)]


def square_sum(x: Integers) -> list[int]:
    """``sum x^2``."""
    if x.dtype.itemsize <= 2 or (x.size and x.min() >= -(2**20) and x.max() <= 2**20):
        wide = x.astype(np.int64)
        sums: list[int] = np.einsum("ij,ij->i", wide, wide).tolist()
        return sums
    # In two halves no sum of 2**20 products of 33-bit samples overflows 64 bits.
    high = x.astype(np.int64) >> 16
    low = x.astype(np.int64) & 0xFFFF
    parts = (np.einsum("ij,ij->i", a, b).tolist() for a, b in ((high, high), (high, low), (low, low)))
    return [(hh << 32) + (hl << 17) + ll for hh, hl, ll in zip(*parts, strict=True)]


def centred_square_sum(x: Integers, floor: Sequence[int]) -> list[int]:
    """``sum (x - m)^2`` with the integer m of each channel."""
    return square_sum(_minus(x, floor))


def _minus(x: Integers, subtrahend: Sequence[int]) -> Integers:
    """x minus one integer a channel, in the narrowest type that certainly holds it."""
    low, high = min(subtrahend, default=0), max(subtrahend, default=0)
    narrow = x.dtype.itemsize <= 2 and low >= -(2**30) and high < 2**30
    dtype = np.int32 if narrow else np.int64
    difference: Integers = np.subtract(x, np.array(subtrahend, dtype=dtype)[:, None], dtype=dtype)
    return difference


def saturate(value: Integers, width: int) -> Integers:
    """The nearest value that ``width`` bits, two's complement, hold."""
    return np.clip(value, -(2 ** (width - 1)), 2 ** (width - 1) - 1)


def affine(
    contract: Contract,
    x: Integers,
    mean: Sequence[int],
    k: Sequence[int],
    t: Sequence[int],
    negative: Sequence[bool],
    beta: Sequence[int],
) -> Integers:
    """``y = saturate((((x*c*2**F + b) >> t) + 2*beta' + 1) >> 1)``, int64."""
    y = np.empty(x.shape, dtype=np.int64)
    constants: list[tuple[int, int, int, int]] = []
    fits: list[int] = []
    exact: list[int] = []
    beta_fits = contract.beta_width + contract.y_fraction - contract.beta_fraction <= 60
    for channel, (mu, magnitude, right, minus, b) in enumerate(zip(mean, k, t, negative, beta, strict=True)):
        # Fraction bits that are shifted out again are never computed: floor(floor(v) >> t) = floor(v >> t).
        drop = min(contract.F, right)
        slope = (-magnitude if minus else magnitude) << (contract.F - drop)
        offset = bias(contract, magnitude, minus, mu) >> drop
        constants.append((slope, offset, right - drop, 2 * contract.beta_in_y(b) + 1))
        narrow = beta_fits and contract.width + slope.bit_length() <= 60
        (fits if narrow else exact).append(channel)
    for rows, dtype in ((fits, np.dtype(np.int64)), (exact, np.dtype(object))):
        if rows:
            everything = len(rows) == len(x)
            slopes, offsets, shifts, adds = np.array([constants[row] for row in rows], dtype=dtype).T[
                :, :, None
            ]
            value = (x if everything else x[rows]).astype(dtype)
            value *= slopes
            value += offsets
            value >>= shifts
            value += adds
            value >>= 1
            y[slice(None) if everything else rows] = saturate(value, contract.y_width)
    return y


def floored_product(
    values: Integers,
    width: int,
    slope: Sequence[int],
    mean: Sequence[Sequence[int]],
    guard_bits: int,
    shift: Sequence[int],
    choice: Integers | None = None,
) -> Integers:
    """``floor(slope * (values - mean / 2**guard_bits) * 2**-shift)``, int64 where that is enough for all channels.

    ``width`` is that of the values. Each channel has one mean, or several, of which ``choice`` takes one for
    every sample.
    """
    # What lies below the unit of slope * values is lost in the floor anyway.
    lifts = [max(0, -right) for right in shift]
    slopes = [c << lift for c, lift in zip(slope, lifts, strict=True)]
    offsets = [
        [shift_floor(-c * mu, lift - guard_bits) for mu in means]
        for c, means, lift in zip(slope, mean, lifts, strict=True)
    ]
    bits = max((c.bit_length() for c in slopes), default=0) + width
    bits = max(bits, max((b.bit_length() for row in offsets for b in row), default=0))
    dtype = np.dtype(np.int64 if bits <= 61 else object)
    addends = np.array(offsets, dtype=dtype).reshape(len(values), -1)
    result: Integers = values.astype(dtype) * np.array(slopes, dtype=dtype)[:, None]
    result += addends if choice is None else np.take_along_axis(addends, choice, axis=1)
    result >>= np.array([max(0, right) for right in shift], dtype=dtype)[:, None]
    return result
