"""The layer of ``hw/accelerator`` in NumPy, integer for integer: convolution, L1BN, ReLU, 8 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import Contract, forward, pictures

from .digits import FILTERS

__all__ = [
    "CHANNELS",
    "IMAGES",
    "SHIFT",
    "SIDE",
    "Case",
    "Integers",
    "Result",
    "compute",
    "digits",
    "extremes",
]

Integers = NDArray[np.int64]

# The parameters of accelerator.v.
SIDE, IMAGES, CHANNELS, SHIFT = 8, 16, 4, 8


@dataclass(frozen=True)
class Case:
    """What enters the accelerator.

    Parameters
    ----------
    name : of its folder
    pixels : of shape (batches, IMAGES, SIDE, SIDE), 8 bits, 7 of them a fraction
    kernels : of shape (CHANNELS, 3, 3), 8 bits, 7 of them a fraction
    gamma, beta : of shape (batches, CHANNELS), 16 bits with 13 and 12 fraction bits
    """

    name: str
    pixels: Integers
    kernels: Integers
    gamma: Integers
    beta: Integers


@dataclass(frozen=True)
class Result:
    """What must be found inside of the accelerator and at its output, each of shape (batches, CHANNELS, samples)."""

    maps: Integers
    normalised: Integers
    outputs: Integers


def digits(batches: int = 3) -> Case:
    """Handwritten digits and edge filters; gamma is 1/2 to 1, beta moves the maps up a little."""
    images = pictures.digits()[0][: batches * IMAGES].astype(np.int64)
    rng = np.random.default_rng(1)
    return Case(
        "digits",
        # Pixels run from 0 to 16.
        (images * 127 // 16).reshape(batches, IMAGES, SIDE, SIDE),
        FILTERS[:CHANNELS] * 16,
        rng.integers(1 << 12, 1 << 13, (batches, CHANNELS)),
        rng.integers(0, 1 << 11, (batches, CHANNELS)),
    )


def extremes(batches: int = 3) -> Case:
    """The whole range of every number: a batch at random, a constant one, and one of the largest sums there are."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(-128, 128, (batches, IMAGES, SIDE, SIDE))
    pixels[1::3] = 77
    pixels[2::3] = -128 * rng.integers(0, 2, pixels[2::3].shape)
    pixels[2::3, 0] = -128
    kernels = rng.integers(-128, 128, (CHANNELS, 3, 3))
    kernels[0] = -128
    limit = 1 << 15
    gamma = rng.integers(-limit, limit, (batches, CHANNELS))
    beta = rng.integers(-limit, limit, (batches, CHANNELS))
    return Case("extremes", pixels, kernels, gamma, beta)


def compute(case: Case, contract: Contract) -> Result:
    """Every number of a case; ``contract`` is that of the normaliser."""
    maps = _convolve(case.pixels, case.kernels)
    normalised = np.stack(
        [
            forward(contract, channels, gamma, beta).y
            for channels, gamma, beta in zip(maps, case.gamma, case.beta, strict=True)
        ]
    )
    rounded = (np.maximum(normalised, 0) + (1 << (SHIFT - 1))) >> SHIFT
    return Result(maps, normalised, np.minimum(rounded, 127))


def _convolve(pixels: Integers, kernels: Integers) -> Integers:
    """Exact sums of nine products, with zeros around each image; (batches, CHANNELS, samples)."""
    padded = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    maps: Integers = np.einsum("bnhwij,cij->bcnhw", windows, kernels)
    return maps.reshape(len(pixels), len(kernels), -1)
