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

from .rounding import clog2, half_up, odd_part

__all__ = ["Contract"]


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} = {value!r} is not possible; allowed: a whole number from {low} to {high}")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The numeric contract of one normalisation unit.

    Fields carry the names and defaults of the generator's configuration. ``form``, ``direction``,
    ``lanes``, ``storage`` and ``target`` are accepted because a configuration has them; no result depends on them.
    A negative format field stands for "not given" and reads as its default after construction.

    Parameters
    ----------
    norm : ``"l1"`` or ``"l2"``
    width, x_fraction : format of x in bits
    counts : samples in a channel, one or several
    guard_bits : fraction bits of the mean beyond those of x; ``None``: derived
    scale_width : magnitude bits of the scale k
    y_width, y_fraction, gamma_width, gamma_fraction, beta_width, beta_fraction : formats in bits
    epsilon : in units of x (L1) or of x squared (L2); its exact binary value counts

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
    epsilon: float = 1e-5
    storage: str = "inside"
    target: str = "portable"

    def __post_init__(self) -> None:
        if self.norm not in ("l1", "l2"):
            raise ValueError(f"norm = {self.norm!r} is not possible; allowed: l1 or l2")
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
        _whole("scale_width", self.scale_width, 8, 24)
        if self.guard_bits is not None:
            _whole("guard_bits", self.guard_bits, 0, 64)
        counts = self.counts if isinstance(self.counts, tuple | list) else (self.counts,)
        if not counts:
            raise ValueError("counts = () is not possible; allowed: one or more whole numbers")
        for count in counts:
            _whole("count", count, 2, 1 << 20)
        object.__setattr__(self, "counts", tuple(counts))
        epsilon = self.epsilon
        number = isinstance(epsilon, int | float) and not isinstance(epsilon, bool)
        if not number or not math.isfinite(epsilon) or not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon = {epsilon!r} is not possible; allowed: a number from 0 to 1")

    def _default(self, name: str, value: int) -> None:
        if getattr(self, name) == -1:
            object.__setattr__(self, name, value)

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

    @cached_property
    def K_bits(self) -> int:
        """log2 of the largest scale that a channel can need."""
        gamma = Fraction(2) ** (self.gamma_width - 1 + self.y_fraction - self.gamma_fraction)
        bounds = [gamma * 2**self.L]  # r >= 1/n
        squared = 2 if self.norm == "l2" else 1
        if self.epsilon:  # r >= epsilon (L1), r^2 >= epsilon (L2)
            least = Fraction(self.epsilon) * Fraction(2) ** (squared * self.x_fraction)
            bounds.append(gamma**squared / least)
        bits = 0
        while bounds[0] > 2**bits and all(b > 2 ** (squared * bits) for b in bounds[1:]):
            bits += 1
        return bits

    @cached_property
    def G(self) -> int:
        """Guard bits: fraction bits of mu in LSB of x."""
        if self.guard_bits is not None:
            return self.guard_bits
        if self.powers_of_two:
            return max(odd_part(count)[1] for count in self.counts)
        return self.L + max(self.y_width, self.K_bits - self.L) + 8

    @cached_property
    def T(self) -> int:
        """Mantissa bits of the spread r."""
        return max(self.scale_width + 6, self.gamma_width)

    @cached_property
    def w(self) -> int:
        """Bits of v (L1) or of V (L2, where the page calls it w2)."""
        if self.norm == "l1":
            return self.width + self.L + self.G
        return 2 * (self.width + self.L)

    @cached_property
    def f(self) -> int:
        """Fraction bits that dividing by the odd part of n adds; 0 where every count is a power of two."""
        if self.powers_of_two:
            return 0
        odd_bits = clog2(max(odd_part(count)[0] for count in self.counts))
        if self.norm == "l1":
            return max(odd_bits, self.T + self.L - self.G)
        return odd_bits + 1

    def E(self, count: int) -> int:
        """Epsilon in units of v (L1) or V (L2) for a channel of ``count`` samples, at least one."""
        return self._epsilons[count]

    @cached_property
    def _epsilons(self) -> dict[int, int]:
        epsilon = Fraction(self.epsilon)
        if self.norm == "l1":
            units = {count: count * 2 ** (self.x_fraction + self.G) for count in self.counts}
        else:
            units = {count: count**2 * 2 ** (2 * self.x_fraction) for count in self.counts}
        return {
            count: max(1, half_up(epsilon.numerator * unit, epsilon.denominator))
            for count, unit in units.items()
        }

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
