"""What the norms share whose r is a mean of absolute values: v = D * 2**h + E = n * r * 2**(G + h)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from ..channel import per_sample, with_epsilon
from ..rounding import clog2, odd_part, power_of_two
from .base import Norm

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Absolute"]


class Absolute(Norm):
    """D is a sum of absolute values in 2**-G LSB of x; it is 2**G at least where it is not 0."""

    power = 1

    def units(self, contract: Contract, count: int) -> int:
        return count << contract.G

    def least_spread(self, contract: Contract, count: int) -> int:
        """Integers that are not all equal have sum|x - mean| >= max - min >= 1, those not all 0 sum|x| >= 1."""
        return 1 << contract.G

    def least_r(self, contract: Contract) -> Fraction:
        """1/n, see :meth:`least_spread`."""
        return power_of_two(-contract.L)

    def odd_fraction(self, contract: Contract) -> int:
        odd_bits = clog2(max(odd_part(count)[0] for count in contract.counts))
        return max(odd_bits, contract.T + contract.L - contract.G - contract.h)

    def theta(self, contract: Contract) -> Fraction:
        return power_of_two(-(contract.T - 2))

    def r_exponents(self, contract: Contract) -> range:
        c = contract
        powers = [odd_part(count)[1] for count in c.counts]
        return range(min(powers) + c.G + c.T - c.w, max(powers) + c.G + c.f + c.T)

    def unbiased(self, count: int) -> float:
        return 1.0

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        v = with_epsilon(contract, spread, count)
        return v, *per_sample(contract, v, contract.G + contract.h, count)
