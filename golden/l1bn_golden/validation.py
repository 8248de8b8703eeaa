"""What the functions of this package take: checked, with one line for what cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .samples import Integers

__all__ = ["bounded", "fitted", "per_channel", "sample_rows", "within"]


def sample_rows(name: str, values: Integers, width: int) -> Integers:
    """Integers of ``width`` bits and shape (channels, n), or :exc:`ValueError`."""
    array = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: (channels, samples)")
    return within(name, array, width)


def fitted(samples: Integers, count: int) -> Integers:
    """``count`` samples in every row: filled up with zeros, or cut."""
    if samples.shape[1] == count:
        return samples
    return np.pad(samples[:, :count], ((0, 0), (0, max(0, count - samples.shape[1]))))


def per_channel(name: str, values: Iterable[int] | int, width: int, channels: int) -> list[int]:
    """One integer of ``width`` bits a channel, from one for each or one for all; or :exc:`ValueError`."""
    array = np.asarray(values)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != channels):
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: one, or one a channel")
    whole: list[int] = np.broadcast_to(within(name, array, width), channels).tolist()
    return whole


def within(name: str, values: Integers, width: int) -> Integers:
    """The values in the narrowest type for ``width`` bits, or :exc:`ValueError` if one is out of range."""
    if values.dtype == object:
        values = np.array(values.tolist())
    if values.size and values.dtype.kind not in "iu":
        raise ValueError(f"{name} of type {values.dtype} is not possible; allowed: integers")
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    for extreme in (values.min(), values.max()) if values.size else ():
        if not low <= extreme <= high:
            raise ValueError(f"{name} = {extreme} is not possible; allowed: {low} to {high} ({width} bits)")
    return values.astype(np.int16 if width <= 16 else np.int64, copy=False)


def bounded(name: str, values: Any, low: int, high: int, channels: int) -> list[int]:
    """One integer a channel, from ``low`` to ``high``, of any size; or :exc:`ValueError`."""
    array = np.asarray(values)
    if array.shape != (channels,):
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: one a channel")
    listed: list[int] = array.tolist()
    for value in listed:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{name} = {value!r} is not possible; allowed: integers")
        if not low <= value <= high:
            raise ValueError(f"{name} = {value} is not possible; allowed: {low} to {high}")
    return listed
