"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the standard deviation.

Integers: n * sum x^2 - S^2 = n^2 * var, V = that * 2**h + E = n^2 * r^2 * 2**h, and its root. Gradient:
q = xhat, whose mean is 0, so that nothing goes through the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..channel import divide_by_count
from ..rounding import power_of_two
from ..samples import Integers, square_sum
from .base import Reals
from .centred import Centred
from .root import Root, RootGradient

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["L2"]


class L2Gradient(RootGradient):
    """That of the standard deviation."""

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``n*x - S``."""
        q: Integers = x.astype(np.int64) * x.shape[1] - np.array(totals, dtype=np.int64)[:, None]
        return q

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """``round(dbeta * 2**Gm / n)``."""
        return divide_by_count(dbeta << contract.Gm, 0, count)


class L2(Root, Centred):
    """The standard deviation."""

    name = "l2"
    title = "L2"
    number = 2
    gaussian_spread = 1.0
    gradient = L2Gradient()
    statistics = ()

    def least_spread(self, contract: Contract, count: int) -> int:
        """n * sum x^2 - S^2 is the sum of the squared differences of all pairs."""
        return count - 1

    def least_r(self, contract: Contract) -> Fraction:
        """1/n <= sqrt(n - 1) / n, see :meth:`least_spread`."""
        return power_of_two(-contract.L)

    def mean_error(self, contract: Contract) -> Fraction:
        """r is made of exact sums, so mu moves y by 2**-9 at most."""
        return Fraction(0) if contract.powers_of_two else Fraction(1, 512)

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

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``n * sum x^2 - S^2``."""
        count = x.shape[1]
        squares = square_sum(x)
        return [Fraction(count * square - total**2) for total, square in zip(totals, squares, strict=True)]

    def real_spread(self, centred: Reals) -> Reals:
        variance: Reals = (centred * centred).mean(axis=1, keepdims=True)
        return variance
