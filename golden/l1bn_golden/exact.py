"""How far an output is from the exact rational result of the same integers.

Exact means: the mean is S / n, not its rounding; the spread is what the formula says with the user's epsilon,
neither floored nor normalised; K is not rounded to k; y is not rounded.

    y - beta' = gamma * 2**(fy - fg) * (n*x - S) / (n*r)

    (n*r)^p = n^p * (s + epsilon * 2**(p * fx))

    n*r = sum|n*x - S| / n + n * epsilon * 2**fx                 L1, p = 1
        = sqrt(n * sum x^2 - S^2 + n^2 * epsilon * 2**(2 fx))    L2, p = 2

A norm that does not subtract the mean has 0 in the place of S.

A channel of equal samples without epsilon has no spread: its n*r counts as 1, which changes nothing where n*x = S.

An output at the end of its range may be a saturated one. It is compared with the exact result brought into
the range, so that a wrong saturation still counts as an error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from .contract import Contract
from .integer import prepare
from .rounding import power_of_two
from .samples import BLOCK, Integers, channel_sum

__all__ = [
    "ROOT_BITS",
    "error_bound",
    "exact_outputs",
    "max_error",
    "max_error_float",
    "saturated",
    "spreads",
]

ROOT_BITS = 128
"""Significant bits of the square root in the exact result: at least 40 more than any output holds."""


def saturated(contract: Contract, y: Integers) -> int:
    """How many outputs are at either end of their range."""
    return int(np.count_nonzero(y == contract.y_min) + np.count_nonzero(y == contract.y_max))


def exact_outputs(
    contract: Contract,
    x: Integers,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
    count: int | None = None,
) -> tuple[Integers, Integers]:
    """The exact outputs before saturation, as ``(numerator, denominator)`` in LSB of y.

    Both hold Python integers, of shapes (channels, n) and (channels, 1). Where r is a root, it is exact to
    :data:`ROOT_BITS` bits. Arguments as for :func:`l1bn_golden.integer.forward`.
    """
    samples, gammas, betas, count = prepare(contract, x, gamma, beta, count)
    numerator = np.empty(samples.shape, dtype=object)
    denominator = np.empty((len(samples), 1), dtype=object)
    for part, totals, slopes in _blocks(contract, samples, gammas, count):
        for row, total, slope in zip(range(part.start, part.stop), totals, slopes, strict=True):
            centred = samples[row].astype(object) * count - total
            numerator[row] = centred * slope.numerator + contract.beta_in_y(betas[row]) * slope.denominator
            denominator[row] = slope.denominator
    return numerator, denominator


def max_error(
    contract: Contract,
    x: Integers,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
    y: Integers,
    count: int | None = None,
) -> float:
    """The largest ``|y - exact|`` in LSB of y, 0 for no output, in exact integer arithmetic."""
    numerator, denominator = exact_outputs(contract, x, gamma, beta, count)
    outputs = _outputs(contract, numerator.shape, y).astype(object)
    largest = Fraction(0)
    for value, exact, unit in zip(outputs, numerator, denominator[:, 0], strict=True):
        inside = np.clip(exact, contract.y_min * unit, contract.y_max * unit)
        end = (value == contract.y_min) | (value == contract.y_max)
        distance = abs(value * unit - np.where(end, inside, exact)).max()
        largest = max(largest, Fraction(int(distance), unit))
    return float(largest)


def max_error_float(
    contract: Contract,
    x: Integers,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
    y: Integers,
    count: int | None = None,
) -> float:
    """:func:`max_error` with the per-sample arithmetic in float64, for tens of millions of outputs.

    Sums, spread and slope are exact and rounded once; ``n*x - S`` is exact in float64 (width and log2 n
    together stay below 53 bits). Product and slope round by 2**-53 each, so the result is wrong by less
    than ``2**-51 * (|y| + 2*|beta'|)`` LSB: below 1e-6 for y and beta' of up to 29 bits.
    """
    samples, gammas, betas, count = prepare(contract, x, gamma, beta, count)
    outputs = _outputs(contract, samples.shape, y)
    largest = 0.0
    for part, totals, slopes in _blocks(contract, samples, gammas, count):
        sums, ratios, offsets = (
            np.array(values, dtype=np.float64)[:, None]
            for values in (
                totals,
                [slope.numerator / slope.denominator for slope in slopes],
                [contract.beta_in_y(b) for b in betas[part]],
            )
        )
        exact = samples[part].astype(np.float64)
        exact *= count
        exact -= sums
        exact *= ratios
        exact += offsets
        value = outputs[part].astype(np.float64)
        end = (value == contract.y_min) | (value == contract.y_max)
        if end.any():
            exact[end] = np.clip(exact[end], contract.y_min, contract.y_max)
        value -= exact
        largest = max(largest, float(value.max()), -float(value.min()))
    return largest


def error_bound(contract: Contract, distance: int | None = None) -> float:
    """The proven bound of ``docs/arithmetic.md`` on :func:`max_error`, in LSB of y.

    ``distance`` is the largest ``|y - beta'|`` of the outputs in question; by default 2**(Wy - 1), all
    that there is around beta = 0.
    """
    d = Fraction(2 ** (contract.y_width - 1) if distance is None else distance)
    of_k = max(d / 2**contract.scale_width, power_of_two(contract.width - 1 - contract.SHIFT_MAX))
    return float(Fraction(1, 2) + of_k + d * contract.theta + contract.traits.mean_error(contract))


def _outputs(contract: Contract, shape: tuple[int, ...], y: Integers) -> Integers:
    outputs = np.asarray(y)
    if outputs.shape != shape:
        raise ValueError(f"y of shape {outputs.shape} is not possible; allowed: {shape}")
    if outputs.size and (outputs.min() < contract.y_min or outputs.max() > contract.y_max):
        raise ValueError(f"y beyond {contract.y_min} to {contract.y_max} is not possible")
    return outputs


def _blocks(
    contract: Contract, samples: Integers, gammas: list[int], count: int
) -> Iterator[tuple[slice, list[int], list[Fraction]]]:
    """Rows, n times their centres, S, and their slopes: ``y - beta' = slope * (n*x - S)``."""
    step = max(1, BLOCK // count)
    unit = power_of_two(contract.y_fraction - contract.gamma_fraction)
    for start in range(0, len(samples), step):
        part = slice(start, min(start + step, len(samples)))
        block = samples[part]
        totals = channel_sum(block)
        of_rows = spreads(contract, block, totals, count)
        slopes = [g * unit / spread for g, spread in zip(gammas[part], of_rows, strict=True)]
        yield part, [contract.traits.centre_sum(total) for total in totals], slopes


def spreads(contract: Contract, x: Integers, totals: list[int], count: int) -> list[Fraction]:
    """n*r of each channel, with the user's epsilon; 1 where that is 0."""
    p = contract.traits.power
    epsilon = Fraction(contract.epsilon) * (count << contract.x_fraction) ** p
    return [_root(s + epsilon, p) or Fraction(1) for s in contract.traits.exact_spread(x, totals)]


def _root(value: Fraction, power: int) -> Fraction:
    """The p-th root for p = 1 or 2: the square root to :data:`ROOT_BITS` bits, from below."""
    if power == 1:
        return value
    pairs = max(0, ROOT_BITS - (value.numerator.bit_length() - value.denominator.bit_length()) // 2)
    return Fraction(math.isqrt((value.numerator << 2 * pairs) // value.denominator), 1 << pairs)
