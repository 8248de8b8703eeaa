"""RMS: r = sqrt(M[x^2] + epsilon), the root of the mean square. No mean is subtracted.

Integers: n * sum x^2 = n^2 * M[x^2], V = that * 2**h + E = n^2 * r^2 * 2**h, and its root. Gradient: q = xhat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..rounding import power_of_two
from ..samples import Integers, square_sum
from .base import Reals
from .root import Root, RootGradient
from .uncentred import Uncentred

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["RMS"]


class RMSGradient(RootGradient):
    """That of the root of the mean square: nothing goes through a mean."""

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``n*x``."""
        q: Integers = x.astype(np.int64) * x.shape[1]
        return q

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        return 0


class RMS(Root, Uncentred):
    """The root of the mean square."""

    name = "rms"
    title = "RMS"
    number = 4
    gaussian_spread = 1.0
    gradient = RMSGradient()
    statistics = ()

    def least_spread(self, contract: Contract, count: int) -> int:
        """One sample of 1 or -1."""
        return count

    def least_r(self, contract: Contract) -> Fraction:
        """At most sqrt(n) / n, see :meth:`least_spread`."""
        return power_of_two(-((contract.L + 1) // 2))

    def unbiased(self, count: int) -> float:
        return 1.0

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        raise KeyError(name)

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """n * sum x^2."""
        return [x.shape[1] * square for square in square_sum(x)], {}

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``n * sum x^2``."""
        return [Fraction(x.shape[1] * square) for square in square_sum(x)]

    def real_spread(self, centred: Reals) -> Reals:
        square: Reals = (centred * centred).mean(axis=1, keepdims=True)
        return square
