"""Every width and constant that follows from a configuration, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from amaranth.hdl import Shape

from .scale_format import ScaleFormat

if TYPE_CHECKING:  # which asks the norms, and they ask the formats
    from ..config import Configuration

__all__ = ["Formats", "clog2", "half_up", "odd_part"]


def clog2(value: int) -> int:
    """Bits that number ``value`` things: ``ceil(log2(value))``."""
    return (value - 1).bit_length()


def half_up(value: Fraction) -> int:
    """The one rounding of this library: ``floor(value + 1/2)``."""
    return int((value + Fraction(1, 2)).__floor__())


def odd_part(count: int) -> tuple[int, int]:
    """Split ``count = odd * 2**p`` into ``(odd, p)``."""
    p = (count & -count).bit_length() - 1
    return count >> p, p


def ceil_log2(value: Fraction, root: int = 1) -> int:
    """The smallest whole b, 0 or more, with ``value <= 2**(root * b)``."""
    bits = 0
    while value > 1 << (root * bits):
        bits += 1
    return bits


class Formats:
    """The derived formats of a :class:`Configuration`.

    Widths are in bits. "LSB" is one unit of the integer x unless said otherwise.
    """

    def __init__(self, config: Configuration):
        self.config, self.traits = config, config.traits
        self.count_max = max(config.counts)
        self.count_bits = clog2(self.count_max)  # L
        self.beats = tuple(count // config.lanes for count in config.counts)
        self.odd_parts = tuple(odd_part(count)[0] for count in config.counts)
        self.odd_bits = clog2(max(self.odd_parts))
        self.powers = tuple(odd_part(count)[1] for count in config.counts)
        self.only_powers_of_two = set(self.odd_parts) == {1}
        self.select_width = clog2(len(config.counts))

    # -- mean ---------------------------------------------------------------------------------

    @property
    def sum_width(self) -> int:
        """Signed width of sum x."""
        return self.config.width + self.count_bits

    @cached_property
    def guard_bits(self) -> int:
        """G, the fraction bits of the mean in LSB; 0 where none is subtracted."""
        if not self.traits.centred:
            return 0
        given = self.config.guard_bits
        return self._derived_guard_bits if given is None else given

    @cached_property
    def _derived_guard_bits(self) -> int:
        """The fraction bits with which a mean is exact or all but moves no y."""
        if self.only_powers_of_two:
            return max(self.powers)
        return self.count_bits + max(self.config.y_width, self.scale_bits - self.count_bits) + 8

    @property
    def mean_width(self) -> int:
        """Signed width of mu, which never leaves the range of the samples; 0 where none is subtracted."""
        return self.config.width + self.guard_bits if self.traits.centred else 0

    # -- spread -------------------------------------------------------------------------------

    @property
    def tally_width(self) -> int:
        """Unsigned width of a number of samples, 0 to n."""
        return self.count_max.bit_length()

    @property
    def spread_width(self) -> int:
        """w: unsigned width of the spread, of a root even, without epsilon's fraction."""
        return self.traits.spread_width(self)

    @cached_property
    def epsilon_fraction(self) -> int:
        """h: fraction bits of the spread that only epsilon needs, so that its rounding moves r by 2^-T of r at most."""
        power = self.traits.power

        def moved(count: int, exact: Fraction, bits: int) -> Fraction:
            """The bound of how much of r is due to the rounding: a constant channel is none of those that count."""
            least = self.traits.least_spread(self, count)
            error = abs(half_up(exact * 2**bits) - exact * 2**bits)
            return error / ((least + exact) * 2**bits) / power

        allowed = Fraction(1, 1 << self.mantissa_width)
        channels = list(zip(self.config.counts, self._exact_epsilons, strict=True))
        fractions = range(0, 2 * self.mantissa_width, power)
        return next(bits for bits in fractions if all(moved(*each, bits) <= allowed for each in channels))

    @cached_property
    def _exact_epsilons(self) -> list[Fraction]:
        """Epsilon for each count in the unit of the spread, not rounded."""
        epsilon = Fraction(self.config.epsilon)
        return [epsilon * self.traits.epsilon_unit(self, count) for count in self.config.counts]

    @cached_property
    def epsilons(self) -> tuple[int, ...]:
        """E for each count: epsilon in units of 2^-h of the spread."""
        return tuple(half_up(exact * 2**self.epsilon_fraction) for exact in self._exact_epsilons)

    @property
    def epsilon_wholes(self) -> tuple[int, ...]:
        """The part of each E that is added to the exact spread."""
        return tuple(epsilon >> self.epsilon_fraction for epsilon in self.epsilons)

    @property
    def epsilon_remainders(self) -> tuple[int, ...]:
        """The part of each E that stands below the exact spread."""
        return tuple(epsilon & ((1 << self.epsilon_fraction) - 1) for epsilon in self.epsilons)

    def effective_epsilon(self, index: int) -> Fraction:
        """What channels of the count of that index get for epsilon, in units of x or, below a root, of x squared."""
        exact = Fraction(self.config.epsilon)
        if not exact:
            return exact
        return exact * self.epsilons[index] / (self._exact_epsilons[index] * 2**self.epsilon_fraction)

    @property
    def mantissa_width(self) -> int:
        """T: bits of the mantissa of r."""
        return max(self.config.scale_width + 6, self.config.gamma_width)

    @cached_property
    def odd_fraction(self) -> int:
        """f: fraction bits gained when the spread is divided by the odd part of n; 0 when there is none."""
        return 0 if self.only_powers_of_two else self.traits.odd_fraction(self)

    # -- scale --------------------------------------------------------------------------------

    @property
    def scale_bits(self) -> int:
        """K_bits: log2 of the largest scale that a channel can need."""
        config = self.config
        return self._largest_over_spread(config.gamma_width - 1 + config.y_fraction - config.gamma_fraction)

    def _largest_over_spread(self, exponent: int) -> int:
        """The smallest whole b, 0 or more, with ``2**exponent / r <= 2**b`` for every r."""
        config = self.config
        bits = exponent + self.traits.reciprocal_bits(self)
        if config.epsilon:
            # r^power is at least epsilon, r in LSB of x.
            power = self.traits.power
            least = Fraction(config.epsilon) * 2 ** (power * config.x_fraction)
            bits = min(bits, ceil_log2(Fraction(2) ** (power * exponent) / least, power))
        return max(0, bits)

    @cached_property
    def scale(self) -> ScaleFormat:
        """The scale from x to y."""
        config = self.config
        return ScaleFormat(
            width=config.width,
            mean_fraction=self.guard_bits,
            mean_width=self.mean_width,
            gamma_width=config.gamma_width,
            exponent=config.y_fraction - config.gamma_fraction,
            scale_width=config.scale_width,
            scale_bits=self.scale_bits,
            mantissa_width=self.mantissa_width,
            r_exponents=self.r_exponents,
            y_width=config.y_width,
            beta_width=config.beta_width,
            beta_shift=config.y_fraction - config.beta_fraction,
        )

    @property
    def r_exponents(self) -> range:
        """The values of the exponent of r."""
        return self.traits.r_exponents(self)

    @property
    def r_exponent_shape(self) -> Shape:
        """Signed shape of the exponent of r, even where it never is negative."""
        exponents = self.r_exponents
        return Shape.cast(range(min(-1, exponents.start), exponents.stop))
