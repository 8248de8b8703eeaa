"""Running statistics and inference, bit for bit; ``docs/arithmetic.md``, 'Running statistics and inference'."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .channel import normalize, scale
from .contract import Contract
from .gradients import Statistics, received
from .rounding import half_up, shift_floor
from .samples import Integers, affine
from .validation import bounded, per_channel, sample_rows

__all__ = ["Fold", "Inference", "Running", "fold", "inference", "running_start", "running_update"]


@dataclass(frozen=True)
class Running:
    """Both averages of each channel as they are stored, Python integers of shape (channels,).

    ``mean`` has G + m fraction bits and ``spread`` has Gr + m, both in LSB of x. A norm without a mean has 0 there.
    """

    mean: Integers
    spread: Integers


@dataclass(frozen=True)
class Inference:
    """y of shape (channels, n), and what it was computed with: as in :class:`~l1bn_golden.Forward`."""

    y: Integers
    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    scale: Integers
    shift: Integers
    negative: Integers


@dataclass(frozen=True)
class Fold:
    """``y = saturate((scale * x * 2**(fraction - shift) + bias + 2**(fraction - 1)) >> fraction)`` for each channel.

    ``scale`` has the sign of gamma; ``bias`` has ``fraction = max(shift, 1)`` fraction bits and holds Python
    integers.
    """

    scale: Integers
    shift: Integers
    bias: Integers
    fraction: Integers


def running_start(channels: int) -> Running:
    """Averages before the first channel: all zero."""
    zeros = np.array([0] * channels, dtype=object)
    return Running(zeros, zeros.copy())


def running_update(contract: Contract, running: Running, statistics: Statistics) -> Running:
    """The averages after one more channel each.

    ``statistics`` is what :func:`~l1bn_golden.forward` returned.
    """
    means, spreads = _stored(contract, running)
    channels = len(means)
    new_means, mantissas, exponents = received(contract, statistics, channels)
    largest = 1 << (contract.width + contract.Gr)

    def moved(stored: int, new: int) -> int:
        return stored + new - _read(contract, stored)

    def fixed(mantissa: int, exponent: int) -> int:
        shift = contract.Gr - exponent
        return min(largest, half_up(mantissa << max(0, shift), 1 << max(0, -shift)))

    new_spreads = [fixed(*r) for r in zip(mantissas, exponents, strict=True)]
    return Running(
        np.array([moved(*pair) for pair in zip(means, new_means, strict=True)], dtype=object),
        np.array([moved(*pair) for pair in zip(spreads, new_spreads, strict=True)], dtype=object),
    )


def inference(
    contract: Contract,
    x: Integers,
    running: Running,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
) -> Inference:
    """Every row of x normalised with its running statistics; x of shape (channels, any number of samples)."""
    samples = sample_rows("x", x, contract.width)
    betas = per_channel("beta", beta, contract.beta_width, len(samples))
    means, mantissas, exponents, scales = _constants(contract, running, gamma, len(samples))
    k, t, negative = zip(*scales, strict=True) if scales else ((), (), ())
    return Inference(
        y=affine(contract, samples, means, k, t, negative, betas),
        mean=np.array(means, dtype=object),
        r_mantissa=np.array(mantissas, dtype=np.int64),
        r_exponent=np.array(exponents, dtype=np.int64),
        scale=np.array(k, dtype=np.int64),
        shift=np.array(t, dtype=np.int64),
        negative=np.array(negative, dtype=bool),
    )


def fold(contract: Contract, running: Running, gamma: Iterable[int] | int, beta: Iterable[int] | int) -> Fold:
    """The multiply-add that :func:`inference` amounts to, for the layer before to take over."""
    channels = len(running.mean)
    betas = per_channel("beta", beta, contract.beta_width, channels)
    means, _, _, scales = _constants(contract, running, gamma, channels)
    slopes, shifts, biases, fractions = [], [], [], []
    for mu, b, (k, t, negative) in zip(means, betas, scales, strict=True):
        c, shift = -k if negative else k, t - contract.F + 1
        fraction = max(shift, 1)
        slopes.append(c)
        shifts.append(shift)
        biases.append(
            (contract.beta_in_y(b) << fraction) + shift_floor(-c * mu, fraction - shift - contract.G)
        )
        fractions.append(fraction)
    return Fold(
        scale=np.array(slopes, dtype=np.int64),
        shift=np.array(shifts, dtype=np.int64),
        bias=np.array(biases, dtype=object),
        fraction=np.array(fractions, dtype=np.int64),
    )


def _read(contract: Contract, stored: int) -> int:
    return half_up(stored, 1 << contract.momentum_shift)


def _stored(contract: Contract, running: Running) -> tuple[list[int], list[int]]:
    """The averages, checked: what any sequence of updates can have left behind."""
    channels = np.shape(running.mean)[0] if np.ndim(running.mean) == 1 else 0
    # The largest value that an update moves towards, and the rounding of what is read.
    m = contract.momentum_shift
    mean = (1 << (contract.width + contract.G - 1 + m)) + (1 << m) if contract.traits.centred else 0
    spread = (1 << (contract.width + contract.Gr + m)) + (1 << m)
    return (
        bounded("mean", running.mean, -mean, mean, channels),
        bounded("spread", running.spread, 0, spread, channels),
    )


def _constants(
    contract: Contract, running: Running, gamma: Iterable[int] | int, channels: int
) -> tuple[list[int], list[int], list[int], list[tuple[int, int, bool]]]:
    """(means, mantissas and exponents of r, scales) that inference uses."""
    stored_means, stored_spreads = _stored(contract, running)
    if len(stored_means) != channels:
        raise ValueError(f"{len(stored_means)} running means are not possible; allowed: {channels}")
    gammas = per_channel("gamma", gamma, contract.gamma_width, channels)
    means = [_read(contract, stored) for stored in stored_means]
    r = [normalize(max(1, _read(contract, stored)), contract.Gr, contract.T) for stored in stored_spreads]
    scales = [scale(contract, g, *pair) for g, pair in zip(gammas, r, strict=True)]
    return means, [mantissa for mantissa, _ in r], [exponent for _, exponent in r], scales
