"""How far the integer gradients are from the exact rational ones of the same integers.

Exact means: the mean is S / n, not its rounding; r is what the formula says with the user's epsilon; nothing else
is rounded. With R = n*r and C = n * sum dy*x - S * dbeta

    dgamma = C / R
    dx     = slope * (n*dy - dbeta) - turn * w,    slope = gamma * 2**Kd_exponent / R
    w      = q * u,    turn = slope * C / (u*R)    q = n * dr/dx
    w = n*s - sum s,   u = n                       L1, s = sgn(n*x - S)
    w = n*x - S,       u = R                       L2
    w = n, -n or 0,    u = 1                       Range: the first of the greatest, the first of the least
    w = n*x,           u = R                       RMS
    w = sgn(x),        u = 1                       MeanAbsolute

A norm that does not subtract the mean has 0 in the places of S and of the dbeta in dx. A channel without spread has
dx = 0. A dx at the end of its range is compared with the exact one brought into the range, so that a wrong saturation
still counts as an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .contract import Contract
from .exact import spreads
from .norms import gradient_of
from .norms.base import Reals
from .rounding import power_of_two
from .samples import BLOCK, Integers, channel_sum, product_sum
from .validation import per_channel, sample_rows

__all__ = [
    "Errors",
    "dx_bound",
    "exact_dgamma",
    "exact_dx",
    "gradient_errors",
    "max_dx_error",
    "ordinary_dx_bound",
    "parameter_errors",
]


@dataclass(frozen=True)
class Errors:
    """Distances to the exact results in LSB: the largest, and the largest as a share of its bound."""

    largest: float = 0.0
    of_bound: float = 0.0

    def __or__(self, other: Errors) -> Errors:
        return Errors(max(self.largest, other.largest), max(self.of_bound, other.of_bound))


@dataclass(frozen=True)
class _Block:
    """Some channels, and what is exact and constant in each of them."""

    part: slice
    x: Integers
    dy: Integers
    weights: Integers
    unit: list[Fraction]
    centre: list[int]
    dy_centre: list[int]
    dbeta: list[int]
    products: list[int]
    R: list[Fraction]
    slope: list[Fraction]
    turn: list[Fraction]
    flat: list[bool]


def exact_dx(
    contract: Contract, x: Integers, dy: Integers, gamma: Iterable[int] | int
) -> tuple[Integers, Integers]:
    """The exact dx before saturation, as ``(numerator, denominator)`` in LSB of dx.

    Both hold Python integers, of shapes (channels, n) and (channels, 1). Where r is a root, it is
    exact to :data:`~l1bn_golden.exact.ROOT_BITS` bits. Arguments as for :func:`l1bn_golden.backward`.
    """
    shape = np.shape(x)
    numerator, denominator = np.zeros(shape, dtype=object), np.ones((len(x), 1), dtype=object)
    for block in _blocks(contract, x, dy, gamma):
        for row in range(len(block.x)):
            if block.flat[row]:
                continue
            slope, turn = block.slope[row], block.turn[row]
            inner = block.dy[row].astype(object) * shape[1] - block.dy_centre[row]
            unit = slope.denominator * turn.denominator
            numerator[block.part.start + row] = inner * (slope.numerator * turn.denominator) - block.weights[
                row
            ].astype(object) * (turn.numerator * slope.denominator)
            denominator[block.part.start + row] = unit
    return numerator, denominator


def exact_dgamma(contract: Contract, x: Integers, dy: Integers) -> list[Fraction]:
    """The exact dgamma of each channel in LSB of dgamma."""
    return [
        Fraction(products) / R
        for block in _blocks(contract, x, dy, 0)
        for products, R in zip(block.products, block.R, strict=True)
    ]


def max_dx_error(
    contract: Contract, x: Integers, dy: Integers, gamma: Iterable[int] | int, dx: Integers
) -> float:
    """The largest ``|dx - exact|`` in LSB of dx, 0 for no output, in exact integer arithmetic."""
    lowest, highest = _range(contract)
    largest = Fraction(0)
    numerators, denominators = exact_dx(contract, x, dy, gamma)
    for value, exact, unit in zip(dx.astype(object), numerators, denominators[:, 0], strict=True):
        end = (value == lowest) | (value == highest)
        inside = np.clip(exact, lowest * unit, highest * unit)
        distance = abs(value * unit - np.where(end, inside, exact)).max()
        largest = max(largest, Fraction(int(distance), unit))
    return float(largest)


def gradient_errors(
    contract: Contract, x: Integers, dy: Integers, gamma: Iterable[int] | int, dx: Integers
) -> Errors:
    """The errors of dx with the arithmetic of each sample in float64, for millions of outputs.

    Sums, r and the two slopes are exact and rounded once, so that the result is wrong by less than 2**-50 of
    the larger of the two products. Outputs at the ends of their range have no share of the bound.
    """
    lowest, highest = _range(contract)
    errors = Errors()
    for block in _blocks(contract, x, dy, gamma):
        count = block.x.shape[1]
        varies = ~_column(block.flat).astype(bool)
        inner = block.dy.astype(np.float64) * count - _column(block.dy_centre)
        correlated = block.weights.astype(np.float64) * _column(block.turn)
        exact = np.where(varies, inner * _column(block.slope) - correlated, 0.0)
        value = dx[block.part].astype(np.float64)
        end = (value == lowest) | (value == highest)
        distance = np.abs(value - np.where(end, np.clip(exact, lowest, highest), exact))
        share = np.where(end, 0.0, distance / _dx_bounds(contract, block, np.abs(exact), np.abs(correlated)))
        errors |= Errors(float(distance.max()), float(share.max()))
    return errors


def parameter_errors(contract: Contract, x: Integers, dy: Integers, dgamma: Integers) -> Errors:
    """The errors of dgamma."""
    errors = Errors()
    exact = exact_dgamma(contract, x, dy)
    largest = (1 << (contract.gradient_width - 1)) - 1
    theta = contract.theta
    for block in _blocks(contract, x, dy, 0):
        for row in range(len(block.x)):
            index = block.part.start + row
            rho = _rho(contract, block.R[row] / block.x.shape[1])
            bound = Fraction(1, 2) + abs(exact[index]) * (theta + rho) + abs(block.dbeta[row]) * rho
            distance = abs(int(dgamma[index]) - min(exact[index], Fraction(largest)))
            errors |= Errors(float(distance), float(distance / bound))
    return errors


def dx_bound(
    contract: Contract,
    d: Reals | float,
    A: Reals | float,
    K: Reals | float,
    q: Reals | float,
    *,
    a: Reals | float = 0.0,
    offset: Reals | float = 0.0,
    distance: Reals | float = 0.0,
    rho: Reals | float = 0.0,
) -> Reals:
    """The proven bound of ``docs/arithmetic.md`` on the error of dx, in LSB of dx.

    Parameters
    ----------
    d, A : |dx| and ``K * |a| * q``, in LSB of dx
    K : LSB of dx that one LSB of dy is worth, above 0
    q : ``|n * dr/dx|``, the ``|q|`` of the page
    a, offset : ``|M[dy * xhat]|`` and ``|M[dy]|`` in LSB of dy; the former for norms that scale x
    distance : ``|x - mean|`` in LSB of x, for norms that scale x
    rho : bound of the rounding error of the mean, in units of r
    """
    c, theta, of_norm = contract, float(contract.theta), gradient_of(contract.traits)
    kappa = np.maximum(2.0**-c.scale_width, 2.0 ** -(c.SHIFTd_MAX + 1) / K)
    of_means = K * (q * offset * rho + 2.0**-c.Gm * (0.5 + of_norm.correlation_error(q)))
    bound: Reals = 0.5 + d * kappa + (d + A) * (theta + rho) + of_means
    for term in of_norm.bound_terms(c, A, K, a, distance, rho):
        bound = bound + term
    return bound


def ordinary_dx_bound(contract: Contract) -> float:
    """The largest :func:`dx_bound` of an ordinary dx.

    That is one that does not saturate, nor would its part A alone, with ``K <= 2**Wx``, ``|q| <= 2`` and
    counts that are powers of two.
    """
    end = 2.0 ** (contract.dx_width - 1)
    largest = 0.0
    for exponent in range(-contract.dy_width, contract.dx_width + 1):
        K = 2.0**exponent
        # |dy - M[dy]| stays below 2**Wd, |a| below 2**(Wd - 1).
        d = min(end, K * 2 ** (contract.dy_width + 1))
        A = min(end, K * 2**contract.dy_width)
        largest = max(largest, float(dx_bound(contract, d, A, K, 2.0, distance=2.0**contract.width)))
    return largest


def _dx_bounds(contract: Contract, block: _Block, d: Reals, A: Reals) -> Reals:
    """:func:`dx_bound` for each sample."""
    count = block.x.shape[1]
    centred = block.x.astype(np.float64) * count - _column(block.centre)
    return dx_bound(
        contract,
        d,
        A,
        np.maximum(_column([abs(slope) * count for slope in block.slope]), 1e-300),
        np.abs(block.weights.astype(np.float64)) / _column(block.unit),
        a=np.abs(_column([p / R / count for p, R in zip(block.products, block.R, strict=True)])),
        offset=np.abs(_column(block.dbeta)) / count,
        distance=np.abs(centred) / count,
        rho=_column([_rho(contract, R / count) for R in block.R]),
    )


def _rho(contract: Contract, r: Fraction) -> Fraction:
    """Bound of the rounding error of the mean, in units of r."""
    exact = contract.powers_of_two or not contract.traits.centred
    return Fraction(0) if exact else power_of_two(-(contract.G + 1)) / r


def _range(contract: Contract) -> tuple[int, int]:
    end = 1 << (contract.dx_width - 1)
    return -end, end - 1


def _column(values: Iterable[int | bool | Fraction]) -> Reals:
    column: Reals = np.array([float(value) for value in values])[:, None]
    return column


def _blocks(contract: Contract, x: Integers, dy: Integers, gamma: Iterable[int] | int) -> Iterator[_Block]:
    samples, gradients = sample_rows("x", x, contract.width), sample_rows("dy", dy, contract.dy_width)
    count = contract.check_count(samples.shape[1])
    gammas = per_channel("gamma", gamma, contract.gamma_width, len(samples))
    lsb = power_of_two(contract.Kd_exponent)
    norm, of_norm = contract.traits, gradient_of(contract.traits)
    step = max(1, BLOCK // count)
    for start in range(0, len(samples), step):
        part = slice(start, min(start + step, len(samples)))
        block, gradient = samples[part], gradients[part]
        total, dbeta = channel_sum(block), channel_sum(gradient)
        centre, dy_centre = ([norm.centre_sum(sum) for sum in sums] for sums in (total, dbeta))
        R = spreads(contract, block, total, count)
        products = [
            count * product - whole * beta
            for product, whole, beta in zip(product_sum(block, gradient), centre, dbeta, strict=True)
        ]
        slope = [g * lsb / r for g, r in zip(gammas[part], R, strict=True)]
        weights, unit = of_norm.exact_q(block, total), [of_norm.exact_unit(count, r) for r in R]
        turn = [k * p / (u * r) for k, p, u, r in zip(slope, products, unit, R, strict=True)]
        flat = np.logical_not(norm.varies(block)[:, 0]).tolist()
        yield _Block(
            part=part,
            x=block,
            dy=gradient,
            weights=weights,
            unit=unit,
            centre=centre,
            dy_centre=dy_centre,
            dbeta=dbeta,
            products=products,
            R=R,
            slope=slope,
            turn=turn,
            flat=flat,
        )
