"""L1: r = M|x - mean| + epsilon, the mean absolute deviation.

Integers: D = sum|x * 2**G - mu|, v = D * 2**h + E = n * r * 2**(G + h). Gradient: q = s - M[s] with
s = sgn(x - mean), sgn(0) = 0; the second term is the way of x through the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..channel import divide_by_count, per_sample, with_epsilon
from ..rounding import clog2, odd_part, power_of_two
from ..samples import Integers, sign, sign_abs
from .base import ChannelGradient, Gradient, Reals
from .centred import Centred
from .sided import subtract_sides

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["L1"]


class L1Gradient(Gradient):
    """One product an element, with one of three means."""

    scales_x = False
    averaged = True

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        signs = np.sign(centred)
        q: Reals = signs - signs.mean(axis=1, keepdims=True)
        return q

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``n*s - sum s``."""
        count = x.shape[1]
        signs = np.sign(x.astype(np.int64) * count - np.array(totals, dtype=np.int64)[:, None])
        q: Integers = signs * count - signs.sum(axis=1, keepdims=True)
        return q

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return Fraction(count)

    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Of the floor of H and of the rounding of a."""
        return 1.5 * q

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """``round((dbeta * 2**Gm - a * sum s) / n)``."""
        return divide_by_count((dbeta << contract.Gm) - statistics["sign_count"] * a, 0, count)

    def sides(
        self, contract: Contract, x: Integers, means: Sequence[int], statistics: Sequence[Mapping[str, int]]
    ) -> Integers:
        return sign(x, means, contract.G)

    def x_scale(
        self, contract: Contract, k: int, sh: int, a: int, r_mantissa: int, r_exponent: int
    ) -> tuple[int, int]:
        return 0, 0

    def apply(
        self,
        contract: Contract,
        x: Integers,
        dy: Integers,
        sides: Integers,
        channels: Sequence[ChannelGradient],
    ) -> Integers:
        return subtract_sides(contract, dy, sides, channels)

    def bound_terms(
        self,
        contract: Contract,
        A: Reals | float,
        K: Reals | float,
        a: Reals | float,
        distance: Reals | float,
        rho: Reals | float,
    ) -> tuple[Reals | float, ...]:
        return ()


class L1(Centred):
    """The mean absolute deviation."""

    name = "l1"
    title = "L1"
    number = 1
    power = 1
    gaussian_spread = math.sqrt(2 / math.pi)
    gradient = L1Gradient()
    statistics = ("sign_count",)

    def units(self, contract: Contract, count: int) -> int:
        return count << contract.G

    def spread_width(self, contract: Contract) -> int:
        return contract.width + contract.L + contract.G

    def least_spread(self, contract: Contract, count: int) -> int:
        """For integers that are not all equal sum|x - mean| >= max - min >= 1."""
        return 1 << contract.G

    def least_r(self, contract: Contract) -> Fraction:
        """1/n, see :meth:`least_spread`."""
        return power_of_two(-contract.L)

    def odd_fraction(self, contract: Contract) -> int:
        odd_bits = clog2(max(odd_part(count)[0] for count in contract.counts))
        return max(odd_bits, contract.T + contract.L - contract.G - contract.h)

    def theta(self, contract: Contract) -> Fraction:
        return power_of_two(-(contract.T - 2))

    def mean_error(self, contract: Contract) -> Fraction:
        """mu moves y by 2**-9 at most, and once more through r."""
        return Fraction(0) if contract.powers_of_two else Fraction(1, 256)

    def r_exponents(self, contract: Contract) -> range:
        c = contract
        powers = [odd_part(count)[1] for count in c.counts]
        return range(min(powers) + c.G + c.T - c.w, max(powers) + c.G + c.f + c.T)

    def unbiased(self, count: int) -> float:
        return 1.0

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        most = 1 << max(contract.counts).bit_length()
        return {"sign_count": (-most, most - 1)}[name]

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """D = sum|x * 2**G - mu|, and ``sign_count`` = sum s with s = sgn(x * 2**G - mu)."""
        deviations, sign_counts = sign_abs(x, means, contract.G)
        return deviations, {"sign_count": sign_counts}

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        v = with_epsilon(contract, spread, count)
        return v, *per_sample(contract, v, contract.G + contract.h, count)

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``sum|n*x - S| / n``."""
        count = x.shape[1]
        floors = np.array([total // count for total in totals], dtype=x.dtype)[:, None]
        is_above = x > floors
        above = np.where(is_above, x, 0).sum(axis=1, dtype=np.int64).tolist()
        number = np.count_nonzero(is_above, axis=1).tolist()
        # sum|n*x - S| is twice the part above the mean: the parts above and below cancel.
        return [
            Fraction(2 * (count * high - many * total), count)
            for high, many, total in zip(above, number, totals, strict=True)
        ]

    def real_spread(self, centred: Reals) -> Reals:
        deviation: Reals = np.abs(centred).mean(axis=1, keepdims=True)
        return deviation
