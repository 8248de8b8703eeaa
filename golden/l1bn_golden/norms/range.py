"""Range: r = max x - min x + epsilon.

Integers: R = max x - min x, v = R * 2**h + E = r * 2**h, whatever the count. Gradient: q = n at the first sample
that is the greatest, -n at the first that is the least, 0 at all others. Where several samples are the greatest, r has
no derivative but subgradients, of which this is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..channel import divide_by_count, normalize, with_epsilon
from ..rounding import power_of_two
from ..samples import Integers
from .base import Reals
from .centred import Centred
from .sided import SidedGradient

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Range"]


class RangeGradient(SidedGradient):
    """One product an element; at two samples of a channel a sum is subtracted beside the mean."""

    averaged = False

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        q: Reals = _first_extremes(centred) * float(centred.shape[1])
        return q

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``n``, ``-n`` or 0."""
        q: Integers = _first_extremes(x) * x.shape[1]
        return q

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return Fraction(1)

    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Of the floor of H, where q is not 0."""
        return np.minimum(q, 1.0)

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """``round(dbeta * 2**Gm / n)``."""
        return divide_by_count(dbeta << contract.Gm, 0, count)

    def sides(
        self, contract: Contract, x: Integers, means: Sequence[int], statistics: Sequence[Mapping[str, int]]
    ) -> Integers:
        """Those of the given extremes that no earlier sample equals; none where both are the same number."""
        greatest, least = (
            np.array([extremes[name] for extremes in statistics], dtype=np.int64)[:, None]
            for name in ("maximum", "minimum")
        )
        sides: Integers = (_first(x == greatest) - _first(x == least)) * (greatest != least)
        return sides


def _first(flags: npt.NDArray[np.bool_]) -> Integers:
    """1 at the first flag of each row, 0 elsewhere."""
    first: Integers = (flags & (np.cumsum(flags, axis=1) == 1)).astype(np.int64)
    return first


def _first_extremes(x: npt.NDArray[np.generic]) -> Integers:
    """1 at the first greatest sample of each row, -1 at the first least one, 0 elsewhere."""
    greatest, least = x.max(axis=1, keepdims=True), x.min(axis=1, keepdims=True)
    return _first(x == greatest) - _first(x == least)


class Range(Centred):
    """The range of the samples."""

    name = "range"
    title = "Range"
    number = 3
    power = 1
    # The range grows with the number of samples: this is its expectation for 1,024 of them.
    gaussian_spread = 6.4965
    gradient = RangeGradient()
    statistics = ("maximum", "minimum")

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
        end = 1 << (contract.width - 1)
        return {"maximum": (-end, end - 1), "minimum": (-end, end - 1)}[name]

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """R = max x - min x."""
        greatest, least = x.max(axis=1).tolist(), x.min(axis=1).tolist()
        spreads = [most - low for most, low in zip(greatest, least, strict=True)]
        return spreads, {"maximum": greatest, "minimum": least}

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
