"""Mean absolute: r = M|x| + epsilon. No mean is subtracted.

Integers: D = sum|x|, v = D * 2**h + E = n * r * 2**h. Gradient: q = sgn(x), sgn(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..channel import per_sample, with_epsilon
from ..rounding import clog2, odd_part, power_of_two
from ..samples import Integers, sign
from .base import ChannelGradient, Gradient, Reals
from .sided import subtract_sides
from .uncentred import Uncentred

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["MeanAbsolute"]


class MeanAbsoluteGradient(Gradient):
    """One product an element, less a, nothing or -a."""

    scales_x = False
    averaged = True

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        return np.sign(centred)

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``sgn(x)``."""
        return np.sign(x.astype(np.int64))

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return Fraction(1)

    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Of the floor of H and of the rounding of a."""
        return 1.5 * q

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        return 0

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


class MeanAbsolute(Uncentred):
    """The mean of the absolute values."""

    name = "mean-absolute"
    title = "MeanAbsolute"
    number = 5
    power = 1
    gaussian_spread = math.sqrt(2 / math.pi)
    gradient = MeanAbsoluteGradient()
    statistics = ()

    def units(self, contract: Contract, count: int) -> int:
        return count

    def spread_width(self, contract: Contract) -> int:
        """Bits of n times the largest |x|, and of the largest epsilon beside it."""
        c = contract
        largest = [(count << (c.width - 1)) + math.ceil(c.exact_epsilon(count)) for count in c.counts]
        return max(largest).bit_length()

    def least_spread(self, contract: Contract, count: int) -> int:
        """One sample of 1 or -1."""
        return 1

    def least_r(self, contract: Contract) -> Fraction:
        """At most 1/n, see :meth:`least_spread`."""
        return power_of_two(-contract.L)

    def odd_fraction(self, contract: Contract) -> int:
        odd_bits = clog2(max(odd_part(count)[0] for count in contract.counts))
        return max(odd_bits, contract.T + contract.L - contract.h)

    def theta(self, contract: Contract) -> Fraction:
        return power_of_two(-(contract.T - 2))

    def mean_error(self, contract: Contract) -> Fraction:
        return Fraction(0)

    def r_exponents(self, contract: Contract) -> range:
        c = contract
        powers = [odd_part(count)[1] for count in c.counts]
        return range(min(powers) + c.T - c.w, max(powers) + c.f + c.T)

    def unbiased(self, count: int) -> float:
        return 1.0

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        raise KeyError(name)

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """D = sum|x|."""
        return np.abs(x.astype(np.int64)).sum(axis=1).tolist(), {}

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        v = with_epsilon(contract, spread, count)
        return v, *per_sample(contract, v, contract.h, count)

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``sum|x|``."""
        return [Fraction(total) for total in np.abs(x.astype(np.int64)).sum(axis=1).tolist()]

    def real_spread(self, centred: Reals) -> Reals:
        absolute: Reals = np.abs(centred).mean(axis=1, keepdims=True)
        return absolute
