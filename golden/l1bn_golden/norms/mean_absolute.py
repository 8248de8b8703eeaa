"""Mean absolute: r = M|x| + epsilon. No mean is subtracted.

Integers: D = sum|x|, v = D * 2**h + E = n * r * 2**h. Gradient: q = sgn(x), sgn(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..samples import Integers
from .about_centre import AboutCentre
from .absolute import Absolute
from .base import Reals
from .sided import SidedGradient
from .uncentred import Uncentred

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["MeanAbsolute"]


class MeanAbsoluteGradient(AboutCentre, SidedGradient):
    """One product an element, less a, nothing or -a."""

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        return np.sign(centred)

    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """``sgn(x)``."""
        return np.sign(x.astype(np.int64))

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return Fraction(1)

    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        return 0


class MeanAbsolute(Absolute, Uncentred):
    """The mean of the absolute values."""

    name = "mean-absolute"
    title = "MeanAbsolute"
    number = 5
    gaussian_spread = math.sqrt(2 / math.pi)
    gradient = MeanAbsoluteGradient()
    statistics = ()

    def spread_width(self, contract: Contract) -> int:
        """Bits of n times the largest |x|, and of the largest epsilon beside it."""
        c = contract
        largest = [(count << (c.width - 1)) + math.ceil(c.exact_epsilon(count)) for count in c.counts]
        return max(largest).bit_length()

    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        raise KeyError(name)

    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """D = sum|x|."""
        return np.abs(x.astype(np.int64)).sum(axis=1).tolist(), {}

    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``sum|x|``."""
        return [Fraction(total) for total in np.abs(x.astype(np.int64)).sum(axis=1).tolist()]

    def real_spread(self, centred: Reals) -> Reals:
        absolute: Reals = np.abs(centred).mean(axis=1, keepdims=True)
        return absolute
