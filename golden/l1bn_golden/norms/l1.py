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

from ..channel import divide_by_count
from ..samples import Integers, sign_abs
from .about_centre import AboutCentre
from .absolute import Absolute
from .base import Reals
from .centred import Centred
from .sided import SidedGradient

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["L1"]


class L1Gradient(AboutCentre, SidedGradient):
    """One product an element, with one of three means."""

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

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """``round((dbeta * 2**Gm - a * sum s) / n)``."""
        return divide_by_count((dbeta << contract.Gm) - statistics["sign_count"] * a, 0, count)


class L1(Absolute, Centred):
    """The mean absolute deviation."""

    name = "l1"
    title = "L1"
    number = 1
    gaussian_spread = math.sqrt(2 / math.pi)
    gradient = L1Gradient()
    guessing_forms = ("one-pass",)
    """Those that guess the mean of a channel from the last time; no result depends on it."""
    statistics = ("sign_count",)

    def spread_width(self, contract: Contract) -> int:
        return contract.width + contract.L + contract.G

    def mean_error(self, contract: Contract) -> Fraction:
        """mu moves y by 2**-9 at most, and once more through r."""
        return Fraction(0) if contract.powers_of_two else Fraction(1, 256)

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        most = 1 << max(contract.counts).bit_length()
        return {"sign_count": (-most, most - 1)}[name]

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """D = sum|x * 2**G - mu|, and ``sign_count`` = sum s with s = sgn(x * 2**G - mu)."""
        deviations, sign_counts = sign_abs(x, means, contract.G)
        return deviations, {"sign_count": sign_counts}

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
