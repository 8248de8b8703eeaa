"""What there is to ask of a norm.

Every entry is abstract: a norm that does not answer one cannot be made, and so not registered. Shapes: x is
(channels, n); lists have one entry a channel. ``contract`` gives the formats, in the letters of
``docs/arithmetic.md``; M is the mean over the n samples of a channel.

A norm divides by its spread,

    y = gamma * (x - centre) / r + beta,    r = (s + epsilon)^(1/p)

with the power p and s(x) a mean of the channel of the p-th power of x's unit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..samples import Integers

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["ChannelGradient", "Gradient", "Norm", "Reals"]

Reals = npt.NDArray[np.float64]


class Norm(ABC):
    """One norm: its mathematics, its constants, its integers."""

    # -- what it is ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """The value of the parameter ``norm``."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What people call it in tables, pictures and messages, before "BN" or "BatchNorm"."""

    @property
    @abstractmethod
    def number(self) -> int:
        """A number of its own that seeds of studies contain. It never changes, or their data would."""

    @property
    @abstractmethod
    def power(self) -> int:
        """p, 1 or 2: ``r^p = s + epsilon``. Epsilon and s are in units of x to this power."""

    @property
    @abstractmethod
    def gaussian_spread(self) -> float:
        """r without epsilon of Gaussian samples of standard deviation 1 and, where it is not subtracted, mean 0."""

    @property
    @abstractmethod
    def gradient(self) -> Gradient | None:
        """Its backward pass; ``None``: it has none."""

    # -- centre -------------------------------------------------------------------------------

    @property
    @abstractmethod
    def centred(self) -> bool:
        """Whether the mean is subtracted. Where it is not, the centre is 0."""

    @abstractmethod
    def mean(self, contract: Contract, total: int, count: int) -> int:
        """mu, in 2**-G LSB of x, from S = sum x of ``count`` samples: the integer that is subtracted, or 0."""

    @abstractmethod
    def centre_sum(self, total: int) -> int:
        """n times the exact centre from the sum of n numbers: S, or 0 where no mean is subtracted."""

    @abstractmethod
    def centre(self, values: Reals) -> Reals:
        """The centre in float64, of shape (channels, 1)."""

    @abstractmethod
    def varies(self, x: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        """Whether s > 0, of shape (channels, 1). Where not, r has no derivative and dx is 0 by convention."""

    # -- constants of a contract ----------------------------------------------------------------

    @abstractmethod
    def units(self, contract: Contract, count: int) -> int:
        """How many units of the integer spread are s = 1 LSB of x to the power p, for n = ``count``."""

    @abstractmethod
    def spread_width(self, contract: Contract) -> int:
        """w: bits of the largest integer spread with the largest epsilon, in units of the spread; even for p = 2."""

    @abstractmethod
    def least_spread(self, contract: Contract, count: int) -> int:
        """The least integer spread of a channel whose s is not 0."""

    @abstractmethod
    def least_r(self, contract: Contract) -> Fraction:
        """A lower bound, in LSB of x, of r without epsilon where s is not 0. Must not depend on G."""

    @abstractmethod
    def odd_fraction(self, contract: Contract) -> int:
        """f where a count is no power of two: fraction bits that dividing by the odd part of n adds."""

    @abstractmethod
    def theta(self, contract: Contract) -> Fraction:
        """Bound of the relative error of r: of its floors and of epsilon's rounding."""

    @abstractmethod
    def mean_error(self, contract: Contract) -> Fraction:
        """Bound of what the rounding of mu moves y by, in LSB of y, with the derived G."""

    @abstractmethod
    def r_exponents(self, contract: Contract) -> range:
        """The values that ``r_exponent`` can have."""

    @abstractmethod
    def unbiased(self, count: int) -> float:
        """What running statistics of layers multiply s of n = ``count`` samples by: n / (n - 1) for a variance."""

    # -- integers of a channel ------------------------------------------------------------------

    @property
    @abstractmethod
    def statistics(self) -> tuple[str, ...]:
        """Names of what a forward unit tells of a channel beside mean and r: integers that the backward pass needs."""

    @abstractmethod
    def statistic_range(self, contract: Contract, name: str) -> tuple[int, int]:
        """The least and the greatest value that the port of such a statistic can hold."""

    @abstractmethod
    def measure(
        self, contract: Contract, x: Integers, totals: Sequence[int], means: Sequence[int]
    ) -> tuple[list[int], dict[str, list[int]]]:
        """The exact integer spread of each channel, without epsilon, and its extra statistics by name.

        ``totals`` are S = sum x, ``means`` are mu.
        """

    @abstractmethod
    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        """``(v, r_mantissa, r_exponent)`` of an integer spread: epsilon added, floored to T bits of mantissa.

        r = ``r_mantissa`` * 2**-``r_exponent`` LSB of x; v is the integer of the page that it is the leading bits of.
        """

    # -- the formula, exact and in float64 --------------------------------------------------------

    @abstractmethod
    def exact_spread(self, x: Integers, totals: Sequence[int]) -> list[Fraction]:
        """``n^p * s`` of each channel, in LSB of x to the power p, with the exact mean S / n."""

    @abstractmethod
    def real_spread(self, centred: Reals) -> Reals:
        """s of shape (channels, 1) from the samples without their centre."""


@dataclass(frozen=True)
class ChannelGradient:
    """What the apply step of the backward pass knows of a channel.

    ``c`` and ``sh`` are the signed scale of dy and its shift, ``cx`` and ``shx`` those of x (0 where the norm has
    none), ``a`` and ``m0`` what is to be subtracted in 2**-Gm LSB of dy, ``mu`` the mean of x in 2**-G LSB.
    """

    c: int
    sh: int
    cx: int
    shx: int
    a: int
    m0: int
    mu: int


class Gradient(ABC):
    """The backward pass of a norm.

        dx = gamma / r * (dy - centre of dy - q * M[dy * xhat]),    q = n * dr/dx

    with q = n times the derivative of r by each sample, and the centre of dy its mean where the norm subtracts one.
    """

    @abstractmethod
    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        """q of every sample in float64, from x without its centre and x normalised; epsilon is in xhat."""

    @abstractmethod
    def exact_q(self, x: Integers, totals: Sequence[int]) -> Integers:
        """q of every sample as an exact int64, in the unit of :meth:`exact_unit`."""

    @abstractmethod
    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        """How many units of :meth:`exact_q` are q = 1; R = n*r in LSB of x."""

    @abstractmethod
    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Bound of the error of ``q * M[dy * xhat]`` for this |q|, in 2**-Gm LSB of dy, with the exact mean and r."""

    @property
    @abstractmethod
    def averaged(self) -> bool:
        """Whether a is the mean M[dy * xhat]. Where not, it is the sum, and q of a sample is n or nothing."""

    @abstractmethod
    def mean(self, contract: Contract, dbeta: int, a: int, statistics: Mapping[str, int], count: int) -> int:
        """m0 in 2**-Gm LSB of dy, before its saturation: what is subtracted from every dy.

        ``a`` is in the same unit, ``statistics`` are the extra ones of the channel by name.
        """

    @abstractmethod
    def sides(
        self, contract: Contract, x: Integers, means: Sequence[int], statistics: Sequence[Mapping[str, int]]
    ) -> Integers:
        """-1, 0 or 1 for each sample: the side of r's centre that it pulls at. A channel without any has dx = 0.

        ``means`` are mu, ``statistics`` the extra ones of each channel by name, right or wrong.
        """

    @property
    @abstractmethod
    def scales_x(self) -> bool:
        """Whether dx has a product of x, with a scale of its own, beside that of dy."""

    @abstractmethod
    def x_scale(
        self, contract: Contract, k: int, sh: int, a: int, r_mantissa: int, r_exponent: int
    ) -> tuple[int, int]:
        """``(kx, shx)``: kx * 2**-shx LSB of dx is one of x worth, for |a|; (0, 0) without such a scale."""

    @abstractmethod
    def apply(
        self,
        contract: Contract,
        x: Integers,
        dy: Integers,
        sides: Integers,
        channels: Sequence[ChannelGradient],
    ) -> Integers:
        """dx of shape (channels, n), rounded half up once and saturated; ``sides`` as of :meth:`sides`."""

    @abstractmethod
    def bound_terms(
        self,
        contract: Contract,
        A: Reals | float,
        K: Reals | float,
        a: Reals | float,
        distance: Reals | float,
        rho: Reals | float,
    ) -> tuple[Reals | float, ...]:
        """What the bound of dx has beyond the terms that every norm has, in LSB of dx.

        Arguments as of :func:`l1bn_golden.exact_gradients.dx_bound`.
        """
