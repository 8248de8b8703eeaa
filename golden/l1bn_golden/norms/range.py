"""Range: r = max x - min x + epsilon.

Integers: R = max x - min x, v = R * 2**h + E = r * 2**h, whatever the count. No backward pass yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ..channel import normalize, with_epsilon
from ..rounding import power_of_two
from ..samples import Integers
from .base import Reals
from .centred import Centred

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Range"]


class Range(Centred):
    """The range of the samples."""

    name = "range"
    title = "Range"
    number = 3
    power = 1
    # The range grows with the number of samples: this is its expectation for 1,024 of them.
    gaussian_spread = 6.4965
    gradient = None
    statistics = ()

    def units(self, contract: Contract, count: int) -> int:
        return 1

    def spread_width(self, contract: Contract) -> int:
        """R fills W bits, and epsilon is 2**(W - 1) at most."""
        return contract.width + 1

    def least_spread(self, contract: Contract, count: int) -> int:
        return 1

    def least_r(self, contract: Contract) -> Fraction:
        """Integers that are not all equal differ by 1 at least."""
        return Fraction(1)

    def odd_fraction(self, contract: Contract) -> int:
        return 0

    def theta(self, contract: Contract) -> Fraction:
        return power_of_two(-(contract.T - 2))

    def mean_error(self, contract: Contract) -> Fraction:
        """mu moves y by 2**-9 at most."""
        return Fraction(0) if contract.powers_of_two else Fraction(1, 512)

    def r_exponents(self, contract: Contract) -> range:
        return range(contract.T - contract.w, contract.T)

    def unbiased(self, count: int) -> float:
        return 1.0

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        raise KeyError(name)

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """R = max x - min x."""
        spreads: list[int] = (x.max(axis=1).astype(object) - x.min(axis=1).astype(object)).tolist()
        return [int(spread) for spread in spreads], {}

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        v = with_epsilon(contract, spread, count)
        return v, *normalize(v, contract.h, contract.T)

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``n * R``."""
        count = x.shape[1]
        spreads = x.max(axis=1).astype(object) - x.min(axis=1).astype(object)
        return [Fraction(int(spread) * count) for spread in spreads]

    def real_spread(self, centred: Reals) -> Reals:
        spread: Reals = centred.max(axis=1, keepdims=True) - centred.min(axis=1, keepdims=True)
        return spread
