"""Tensors as integers with a power of two, and back.

Rows are the samples of the channels: an array of shape (channels, samples) from a tensor of shape
(batch, channels, ...).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..data import quantize
from ..samples import Integers
from .floating import computation_dtype

__all__ = [
    "Flags",
    "Reals",
    "block_exponent",
    "finite_rows",
    "in_format",
    "parameters",
    "rows_of",
    "tensor_of_rows",
    "vector",
    "vector_of",
]

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def block_exponent(values: npt.NDArray[Any], width: int) -> int:
    """The largest e with which no ``value * 2**e`` saturates in ``width`` bits; 0 if all of them are 0."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return 0
    mantissa, exponent = math.frexp(largest)
    limit = 1 - 2.0 ** (1 - width)
    return width - 1 - exponent - (mantissa > limit)


def rows_of(values: Tensor) -> npt.NDArray[Any]:
    """(batch, channels, ...) as (channels, samples): float64, or the integers that they are."""
    rows = values.detach().transpose(0, 1).reshape(values.shape[1], -1).cpu()
    return (rows.double() if rows.is_floating_point() else rows).numpy()


def vector_of(values: Tensor) -> Reals:
    """A tensor of shape (channels,) in float64."""
    vector: Reals = values.detach().cpu().double().numpy()
    return vector


def finite_rows(rows: Reals) -> tuple[Reals, Flags]:
    """The rows with 0 in the place of every one that has a NaN or an infinity, and which ones have none."""
    finite: Flags = np.asarray(np.isfinite(rows).all(axis=1))
    return np.where(finite[:, None], rows, 0.0), finite


def parameters(
    values: Tensor | None, otherwise: float, channels: int, width: int, fraction: int
) -> tuple[Integers, Flags]:
    """A parameter of each channel in its format, 0 where it is not finite, and where it is."""
    reals: Reals = np.full(channels, otherwise) if values is None else vector_of(values)
    finite: Flags = np.asarray(np.isfinite(reals))
    return quantize(np.where(finite, reals, 0.0), width, fraction), finite


def in_format(integers: Integers, width: int, fraction: int, dtype: torch.dtype) -> Reals:
    """Integers of a format as real numbers that stay inside of it in ``dtype`` too.

    A type with few digits would round the largest number of the format up to one that is none: the largest
    that both have takes its place.
    """
    kind = torch.finfo(dtype)
    digits = 1 - round(math.log2(kind.eps))
    excess = max(0, width - 1 - digits)
    largest = ((1 << (width - 1)) - 1) >> excess << excess
    reals = np.ldexp(np.asarray(integers, dtype=np.float64), -fraction)
    return np.clip(reals, -kind.max, min(math.ldexp(largest, -fraction), kind.max))


def tensor_of_rows(rows: npt.NDArray[Any], like: Tensor, dtype: torch.dtype) -> Tensor:
    """(channels, samples) as a tensor of the shape, memory format and device of ``like``."""
    batch, channels, *rest = like.shape
    values = torch.from_numpy(np.ascontiguousarray(rows)).reshape(channels, batch, *rest)
    return torch.empty_like(like, dtype=dtype).copy_(values.transpose(0, 1))


def vector(values: npt.ArrayLike, like: Tensor) -> Tensor:
    """One number a channel on the device of ``like``, in the type that its statistics are kept in."""
    reals = np.asarray(values, dtype=np.float64)
    return torch.from_numpy(reals).to(computation_dtype(like.dtype)).to(like.device)
