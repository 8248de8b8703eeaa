"""The user's parameters and every constant that ``docs/arithmetic.md`` derives from them.

Written from that page alone: this is the oracle that the generator's own formats are compared with.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from .norms import Norm, gradient_of, norm_of
from .rounding import clog2, half_up, odd_part

__all__ = ["Contract"]


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r} is not possible; allowed: a whole number from {low} to {high}")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The numeric contract of one normalisation unit.

    Fields carry the names and defaults of the generator's configuration. ``form``, ``direction``,
    ``lanes``, ``channels``, ``window_shift``, ``suspects``, ``interval``, ``storage`` and ``target`` are accepted
    because a configuration has them; no result depends on them.
    -1 for a format stands for "not given" and reads as its default after construction.

    Parameters
    ----------
    norm : the name of one of :data:`~l1bn_golden.norms.NORMS`
    width, x_fraction : format of x in bits
    counts : samples in a channel, one or several
    guard_bits : fraction bits of the mean beyond those of x; ``None``: derived. Only for a norm that subtracts one
    scale_width : magnitude bits of the scale k
    y_width, y_fraction, gamma_width, gamma_fraction, beta_width, beta_fraction : formats in bits
    dy_width, dy_fraction, dx_width, dx_fraction : formats of the gradients in bits
    epsilon : in units of x to the norm's power: of x, or of x squared where r is a root; its exact binary value counts
    momentum_shift : m; a new channel counts 2**-m in the running statistics
    running_fraction : fraction bits of the running spread; ``None``: G, or what it would be of a mean

    Raises
    ------
    ValueError
        One line that names the parameter, its value and what is allowed.
    """

    norm: str = "l1"
    form: str | None = None
    direction: str = "forward"
    width: int = 16
    x_fraction: int = -1
    lanes: int = 1
    counts: tuple[int, ...] = (1024,)
    guard_bits: int | None = None
    scale_width: int = 18
    y_width: int = -1
    y_fraction: int = -1
    gamma_width: int = 16
    gamma_fraction: int = -1
    beta_width: int = -1
    beta_fraction: int = -1
    dy_width: int = -1
    dy_fraction: int = -1
    dx_width: int = -1
    dx_fraction: int = -1
    epsilon: float = 1e-5
    momentum_shift: int = 3
    running_fraction: int | None = None
    channels: int = 64
    window_shift: int = 2
    suspects: int = -1
    interval: int = -1
    storage: str = "inside"
    target: str = "portable"

    def __post_init__(self) -> None:
        norm_of(self.norm)
        _whole("width", self.width, 4, 32)
        self._default("x_fraction", self.width - 4)
        _whole("x_fraction", self.x_fraction, 0, self.width - 1)
        self._default("y_width", self.width)
        _whole("y_width", self.y_width, 4, 32)
        self._default("y_fraction", self.y_width - 4)
        _whole("y_fraction", self.y_fraction, 0, self.y_width - 1)
        _whole("gamma_width", self.gamma_width, 2, 32)
        self._default("gamma_fraction", max(0, self.gamma_width - 3))
        _whole("gamma_fraction", self.gamma_fraction, 0, self.gamma_width - 1)
        self._default("beta_width", self.y_width)
        _whole("beta_width", self.beta_width, 2, 32)
        finest = min(self.y_fraction, self.beta_width - 1)
        self._default("beta_fraction", finest)
        _whole("beta_fraction", self.beta_fraction, 0, finest)
        self._default("dy_width", self.width)
        _whole("dy_width", self.dy_width, 4, 32)
        self._default("dy_fraction", self.dy_width - 4)
        _whole("dy_fraction", self.dy_fraction, 0, self.dy_width - 1)
        self._default("dx_width", self.dy_width)
        _whole("dx_width", self.dx_width, 4, 32)
        self._default("dx_fraction", min(self.dy_fraction, self.dx_width - 1))
        _whole("dx_fraction", self.dx_fraction, 0, self.dx_width - 1)
        _whole("scale_width", self.scale_width, 8, 24)
        if self.guard_bits is not None:
            _whole("guard_bits", self.guard_bits, 0, 64)
            if not self.traits.centred:
                raise ValueError(
                    f"guard_bits = {self.guard_bits} is not possible; allowed: none for norm = {self.norm}, "
                    "which subtracts no mean"
                )
        counts = self.counts if isinstance(self.counts, tuple | list) else (self.counts,)
        if not counts:
            raise ValueError("counts = () is not possible; allowed: one or more whole numbers")
        for count in counts:
            _whole("count", count, 2, 1 << 20)
        if len(set(counts)) != len(counts):
            raise ValueError(f"counts = {tuple(counts)} is not possible; allowed: each count once")
        if len(counts) > 64:
            raise ValueError(f"counts = '{len(counts)} counts' is not possible; allowed: at most 64 counts")
        object.__setattr__(self, "counts", tuple(counts))
        _whole("window_shift", self.window_shift, 1, 8)
        self._default("suspects", self._likely_suspects)
        self._default("interval", min(1 << 16, max(48, min(self.counts) // self.lanes)))
        _whole("interval", self.interval, 8, 1 << 16)
        epsilon = self.epsilon
        number = isinstance(epsilon, int | float) and not isinstance(epsilon, bool)
        if not number or not math.isfinite(epsilon) or not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon = {epsilon!r} is not possible; allowed: a number from 0 to 1")
        _whole("momentum_shift", self.momentum_shift, 1, 15)
        if self.running_fraction is not None:
            _whole("running_fraction", self.running_fraction, 0, 64)

    def _default(self, name: str, value: int) -> None:
        if getattr(self, name) == -1:
            object.__setattr__(self, name, value)

    @property
    def _likely_suspects(self) -> int:
        """The next power of two above what Gaussian samples have, and four standard deviations more."""
        beats = max(self.counts) // self.lanes
        mean = 0.64 * beats / 2**self.window_shift
        return int(2 ** clog2(min(beats, math.ceil(mean + 4 * math.sqrt(mean)))))

    @property
    def guesses(self) -> bool:
        """Whether the unit guesses the means of channels."""
        return self.direction == "forward" and self.form in getattr(self.traits, "guessing_forms", ())

    @property
    def answers(self) -> bool:
        """Whether the unit tells the producer after each pass what to send next."""
        return self.guesses and self.storage == "outside"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Contract:
        """Build from a mapping such as a configuration file or a manifest holds.

        ``None`` stands for the default; ``count = n`` is short for ``counts = (n,)``. A key that is no
        parameter raises :exc:`ValueError`.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        if "count" in given:
            if "counts" in given:
                raise ValueError(f"count = {given['count']!r} is not possible; allowed: count or counts")
            given["counts"] = (given.pop("count"),)
        known = [field.name for field in dataclasses.fields(cls)]
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"{name} = {value!r} is not possible; allowed: {', '.join(known)}")
        return cls(**given)

    def replace(self, **changes: Any) -> Contract:
        """The same contract with some fields changed; the others keep the values they have."""
        return dataclasses.replace(self, **changes)

    @property
    def traits(self) -> Norm:
        """The norm: what is its alone is asked of it."""
        return norm_of(self.norm)

    # -- counts -------------------------------------------------------------------------------

    @cached_property
    def L(self) -> int:
        """Bits that number the samples of the longest channel."""
        return clog2(max(self.counts))

    @cached_property
    def powers_of_two(self) -> bool:
        """Whether every count is a power of two."""
        return all(odd_part(count)[0] == 1 for count in self.counts)

    def check_count(self, count: int) -> int:
        """``count``, or :exc:`ValueError` if the unit is not built for it."""
        if count not in self.counts:
            allowed = " or ".join(str(c) for c in self.counts)
            raise ValueError(f"count = {count!r} is not possible; allowed: {allowed}")
        return count

    # -- mean and spread ----------------------------------------------------------------------

    def _largest_over_r(self, exponent: int) -> int:
        """The least b >= 0 with ``2**exponent / r_min <= 2**b``."""
        dividend = Fraction(2) ** exponent
        p = self.traits.power
        bounds = [(dividend / self.traits.least_r(self)) ** p]
        if self.epsilon:  # r^p >= epsilon
            bounds.append(dividend**p / (Fraction(self.epsilon) * Fraction(2) ** (p * self.x_fraction)))
        bits = 0
        while min(bounds) > 2 ** (p * bits):
            bits += 1
        return bits

    @cached_property
    def K_bits(self) -> int:
        """log2 of the largest scale that a channel can need."""
        return self._largest_over_r(self.gamma_width - 1 + self.y_fraction - self.gamma_fraction)

    @cached_property
    def G(self) -> int:
        """Guard bits: fraction bits of mu in LSB of x; 0 where no mean is subtracted."""
        if not self.traits.centred:
            return 0
        return self.derived_guard_bits if self.guard_bits is None else self.guard_bits

    @cached_property
    def derived_guard_bits(self) -> int:
        """The fraction bits with which a mean is exact or all but moves no y."""
        if self.powers_of_two:
            return max(odd_part(count)[1] for count in self.counts)
        return self.L + max(self.y_width, self.K_bits - self.L) + 8

    @cached_property
    def T(self) -> int:
        """Mantissa bits of the spread r."""
        return max(self.scale_width + 6, self.gamma_width)

    @cached_property
    def w(self) -> int:
        """Whole bits of the integer spread with epsilon: of v (L1), or of V (L2, where the page calls it w2)."""
        return self.traits.spread_width(self)

    @cached_property
    def h(self) -> int:
        """Fraction bits of the integer spread, for epsilon alone: a multiple of p, 0 where its unit will do."""
        bits = 0
        while not all(self._resolved(count, bits) for count in self.counts):
            bits += self.traits.power
        return bits

    def _resolved(self, count: int, bits: int) -> bool:
        """Whether epsilon, rounded to so many bits, moves r by at most 2**-T of what it is in any channel."""
        exact = self.exact_epsilon(count)
        # r is the p-th root: it moves by a p-th of what its power moves by.
        least = self.traits.power * (exact + self.traits.least_spread(self, count))
        error = abs(half_up(exact.numerator << bits, exact.denominator) - exact * (1 << bits))
        return error * (1 << self.T) <= least * (1 << bits)

    def exact_epsilon(self, count: int) -> Fraction:
        """The exact epsilon in the unit of the integer spread."""
        units = self.traits.units(self, count)
        return Fraction(self.epsilon) * (units << (self.traits.power * self.x_fraction))

    def E(self, count: int) -> int:
        """Epsilon in 2**-h units of the integer spread: of D (L1) or of n * sum x^2 - S^2 (L2), for n = ``count``."""
        return self._epsilons[count]

    @cached_property
    def _epsilons(self) -> dict[int, int]:
        exact = {count: self.exact_epsilon(count) for count in self.counts}
        return {count: half_up(e.numerator << self.h, e.denominator) for count, e in exact.items()}

    def effective_epsilon(self, count: int) -> Fraction:
        """What a channel of ``count`` samples gets for epsilon, in LSB of x to the norm's power."""
        return Fraction(self.E(count), self.traits.units(self, count) << self.h)

    @cached_property
    def f(self) -> int:
        """Fraction bits that dividing by the odd part of n adds; 0 where every count is a power of two."""
        return 0 if self.powers_of_two else self.traits.odd_fraction(self)

    @cached_property
    def theta(self) -> Fraction:
        """Bound of the relative error of r: of its floors and of epsilon's rounding."""
        return self.traits.theta(self)

    @cached_property
    def r_exponents(self) -> range:
        """The values that ``r_exponent`` can have."""
        return self.traits.r_exponents(self)

    # -- scale and output ---------------------------------------------------------------------

    @cached_property
    def SHIFT_MAX(self) -> int:
        return self.width + 4

    @cached_property
    def SHIFT_MIN(self) -> int:
        return min(self.SHIFT_MAX, self.scale_width - 1 - self.K_bits)

    @cached_property
    def F(self) -> int:
        """Fraction bits that the affine sum carries below x*k."""
        return max(0, 1 - self.SHIFT_MIN)

    @cached_property
    def y_min(self) -> int:
        return -(1 << (self.y_width - 1))

    @cached_property
    def y_max(self) -> int:
        return (1 << (self.y_width - 1)) - 1

    def beta_in_y(self, beta: int) -> int:
        """beta': beta in LSB of y, exact because beta is never finer than y."""
        return beta << (self.y_fraction - self.beta_fraction)

    # -- backward -----------------------------------------------------------------------------

    @cached_property
    def Kd_exponent(self) -> int:
        """log2 of the LSB of dx that one LSB of dy is worth where |gamma| and r are one LSB."""
        return self.x_fraction + self.dx_fraction - self.dy_fraction - self.gamma_fraction

    @cached_property
    def Kd_bits(self) -> int:
        """log2 of the largest scale from dy to dx."""
        return self._largest_over_r(self.gamma_width - 1 + self.Kd_exponent)

    @cached_property
    def SHIFTd_MAX(self) -> int:
        return self.dy_width + 4

    @cached_property
    def SHIFTd_MIN(self) -> int:
        return min(self.SHIFTd_MAX, self.scale_width - 1 - self.Kd_bits)

    @cached_property
    def Gm(self) -> int:
        """Fraction bits of the means that the apply step subtracts, in LSB of dy."""
        return min(self.Kd_bits, self.dx_width) + 9

    @cached_property
    def Gh(self) -> int:
        """Fraction bits of sum dy*xhat, in LSB of dy."""
        return max(1, self.Gm - self._mean_bits(min(self.counts).bit_length() - 1))

    def _mean_bits(self, bits: int) -> int:
        """``bits`` where a is the mean of what H is the sum of; 0 where it is H itself."""
        return bits if gradient_of(self.traits).averaged else 0

    @cached_property
    def H_width(self) -> int:
        return self.gradient_width + self.Gh + 1

    @cached_property
    def gradient_width(self) -> int:
        """Bits of dgamma and dbeta, which have ``dy_fraction`` fraction bits."""
        return self.dy_width + self.L

    @cached_property
    def a_width(self) -> int:
        """Bits of a, in 2**-Gm LSB of dy: as many as H has, but for those that the mean saves."""
        return self.dy_width + self.Gm + 1 + self.L - self._mean_bits(self.L)

    @cached_property
    def m0_width(self) -> int:
        return self.dy_width + self.Gm + 2

    @cached_property
    def Kx_bits(self) -> int:
        """log2 of the largest scale from x to dx, for norms that have one (L2)."""
        return self._largest_over_r(self.Kd_bits + self.dy_width - 1)

    @cached_property
    def SHIFTx_MAX(self) -> int:
        return self.width + 4

    @cached_property
    def SHIFTx_MIN(self) -> int:
        return min(self.SHIFTx_MAX, self.scale_width - 1 - self.Kx_bits)

    @property
    def Q(self) -> int:
        """Fraction bits of the two products of a dx that has two (L2)."""
        return 6

    # -- running statistics -------------------------------------------------------------------

    @property
    def Gr(self) -> int:
        """Fraction bits of the running spread in LSB of x."""
        if self.running_fraction is not None:
            return self.running_fraction
        return self.G if self.traits.centred else self.derived_guard_bits
