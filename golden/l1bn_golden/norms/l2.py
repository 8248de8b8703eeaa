"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the standard deviation.

Integers: n * sum x^2 - S^2 = n^2 * var, V = that * 2**h + E = n^2 * r^2 * 2**h, and its root. Gradient:
q = xhat, whose mean is 0, so that nothing goes through the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..channel import (
    divide_by_count,
    integer_sqrt,
    over_r,
    per_sample,
    rounded_scale,
    with_epsilon,
)
from ..rounding import clog2, odd_part, power_of_two, shift_floor
from ..samples import Integers, floored_product, saturate, sign, square_sum
from .base import ChannelGradient, Gradient, Reals
from .centred import Centred

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["L2"]


class L2Gradient(Gradient):
    """Two products an element: of dy, and of x, which xhat is made of."""

    scales_x = True
    averaged = True

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        return xhat

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``n*x - S``."""
        q: Integers = x.astype(np.int64) * x.shape[1] - np.array(totals, dtype=np.int64)[:, None]
        return q

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return R

    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Of the floor of H and of the rounding of a."""
        return 1.5 * q

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """``round(dbeta * 2**Gm / n)``."""
        return divide_by_count(dbeta << contract.Gm, 0, count)

    def sides(
        self, contract: Contract, x: Integers, means: Sequence[int], statistics: Sequence[Mapping[str, int]]
    ) -> Integers:
        return sign(x, means, contract.G)

    def x_scale(
        self, contract: Contract, k: int, sh: int, a: int, r_mantissa: int, r_exponent: int
    ) -> tuple[int, int]:
        """``k * 2**-sh * |a| * 2**-Gm / r``, the product floored to T bits before it is divided."""
        c = contract
        raised = c.T - (k * a).bit_length()
        num = shift_floor(k * a, raised)
        return rounded_scale(
            *over_r(num, -raised - sh - c.Gm, r_mantissa, r_exponent), c.scale_width, c.SE_MIN, c.SE_MAX
        )

    def apply(
        self,
        contract: Contract,
        x: Integers,
        dy: Integers,
        sides: Integers,
        channels: Sequence[ChannelGradient],
    ) -> Integers:
        """Both products are floored to Q fraction bits, their difference is rounded."""
        c = contract
        of_dy = floored_product(
            dy,
            c.dy_width,
            [channel.c for channel in channels],
            [[channel.m0] for channel in channels],
            c.Gm,
            [channel.sh - c.Q for channel in channels],
        )
        of_x = floored_product(
            x,
            c.width,
            [channel.ce for channel in channels],
            [[channel.mu] for channel in channels],
            c.G,
            [channel.se - c.Q for channel in channels],
        )
        return saturate((of_dy - of_x + (1 << (c.Q - 1))) >> c.Q, c.dx_width)

    def bound_terms(
        self,
        contract: Contract,
        A: Reals | float,
        K: Reals | float,
        a: Reals | float,
        distance: Reals | float,
        rho: Reals | float,
    ) -> tuple[Reals | float, ...]:
        """The floors of the two products; r and num in e; the rounding of e; the mean in x - mu."""
        c = contract
        of_e = np.maximum(A * 2.0**-c.scale_width, distance * 2.0 ** -(c.SE_MAX + 1))
        return 2.0**-c.Q, 2 * A * float(c.theta), of_e, K * a * rho


class L2(Centred):
    """The standard deviation."""

    name = "l2"
    title = "L2"
    number = 2
    power = 2
    gaussian_spread = 1.0
    gradient = L2Gradient()
    statistics = ()

    def units(self, contract: Contract, count: int) -> int:
        return count**2

    def spread_width(self, contract: Contract) -> int:
        """The w2 of the page."""
        return 2 * (contract.width + contract.L)

    def least_spread(self, contract: Contract, count: int) -> int:
        """n * sum x^2 - S^2 is the sum of the squared differences of all pairs."""
        return count - 1

    def least_r(self, contract: Contract) -> Fraction:
        """1/n <= sqrt(n - 1) / n, see :meth:`least_spread`."""
        return power_of_two(-contract.L)

    def odd_fraction(self, contract: Contract) -> int:
        return clog2(max(odd_part(count)[0] for count in contract.counts)) + 1

    def theta(self, contract: Contract) -> Fraction:
        """The floor of the root counts where a division comes between it and that of the mantissa."""
        whole = power_of_two(-(contract.T - 2))
        return whole if contract.powers_of_two else whole * 3 / 2

    def mean_error(self, contract: Contract) -> Fraction:
        """r is made of exact sums, so mu moves y by 2**-9 at most."""
        return Fraction(0) if contract.powers_of_two else Fraction(1, 512)

    def r_exponents(self, contract: Contract) -> range:
        c = contract
        powers = [odd_part(count)[1] for count in c.counts]
        return range(min(powers) + c.T - c.w // 2, max(powers) + c.T + c.f)

    def unbiased(self, count: int) -> float:
        return count / (count - 1)

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        raise KeyError(name)

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """n * sum x^2 - S^2."""
        count = x.shape[1]
        squares = square_sum(x)
        return [count * square - total**2 for total, square in zip(totals, squares, strict=True)], {}

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        """v is the root of V, T bits of it."""
        square = with_epsilon(contract, spread, count)
        width = contract.w + contract.h
        zero_pairs = (width - square.bit_length()) // 2
        root = integer_sqrt(shift_floor(square, 2 * zero_pairs + 2 * contract.T - width))
        return root, *per_sample(contract, root, zero_pairs + contract.T - contract.w // 2, count)

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``n * sum x^2 - S^2``."""
        count = x.shape[1]
        squares = square_sum(x)
        return [Fraction(count * square - total**2) for total, square in zip(totals, squares, strict=True)]

    def real_spread(self, centred: Reals) -> Reals:
        variance: Reals = (centred * centred).mean(axis=1, keepdims=True)
        return variance
