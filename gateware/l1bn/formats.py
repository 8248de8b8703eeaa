"""Every width and constant that follows from a configuration, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from amaranth.hdl import Shape

from .config import Configuration
from .scale_format import ScaleFormat

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
        self.config = config
        self.count_max = max(config.counts)
        self.count_bits = clog2(self.count_max)  # L
        self.beats = tuple(count // config.lanes for count in config.counts)
        self.odd_parts = tuple(odd_part(count)[0] for count in config.counts)
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
        """G, the fraction bits of the mean in LSB."""
        config = self.config
        if config.guard_bits is not None:
            return config.guard_bits
        if self.only_powers_of_two:
            return max(self.powers)
        return self.count_bits + max(config.y_width, self.scale_bits - self.count_bits) + 8

    @property
    def mean_width(self) -> int:
        """Signed width of mu, which never leaves the range of the samples."""
        return self.config.width + self.guard_bits

    # -- spread -------------------------------------------------------------------------------

    @property
    def tally_width(self) -> int:
        """Unsigned width of a number of samples, 0 to n."""
        return self.count_max.bit_length()

    @property
    def sign_count_width(self) -> int:
        """Signed width of sum sgn(x - mu), -n to n."""
        return self.tally_width + 1

    @property
    def square_sum_width(self) -> int:
        """Unsigned width of sum x^2 (one pass) or sum (x - m)^2 (two passes)."""
        if self.config.form == "two-pass":
            return 2 * self.config.width + self.count_bits
        return 2 * self.config.width - 1 + self.count_bits

    @property
    def spread_width(self) -> int:
        """w: unsigned width of v (L1), or w2, the even width of V (L2), without epsilon's fraction."""
        if self.config.norm == "l1":
            return self.config.width + self.count_bits + self.guard_bits
        return 2 * (self.config.width + self.count_bits)

    @cached_property
    def epsilon_fraction(self) -> int:
        """h: fraction bits of v or V that only epsilon needs, so that its rounding moves r by 2^-T of r at most."""
        l1 = self.config.norm == "l1"

        def moved(count: int, exact: Fraction, bits: int) -> Fraction:
            """The bound of how much of r is due to the rounding: r is at least that of one sample off by one."""
            least = 1 << self.guard_bits if l1 else count - 1
            error = abs(half_up(exact * 2**bits) - exact * 2**bits)
            return error / ((least + exact) * 2**bits) / (1 if l1 else 2)

        allowed = Fraction(1, 1 << self.mantissa_width)
        channels = list(zip(self.config.counts, self._exact_epsilons, strict=True))
        fractions = range(0, 2 * self.mantissa_width, 1 if l1 else 2)
        return next(bits for bits in fractions if all(moved(*each, bits) <= allowed for each in channels))

    @cached_property
    def _exact_epsilons(self) -> list[Fraction]:
        """Epsilon for each count in the unit of sum |x - mean| or n^2 variance, not rounded."""
        config = self.config
        if config.norm == "l1":
            units = [n << (config.x_fraction + self.guard_bits) for n in config.counts]
        else:
            units = [(n * n) << (2 * config.x_fraction) for n in config.counts]
        return [Fraction(config.epsilon) * unit for unit in units]

    @cached_property
    def epsilons(self) -> tuple[int, ...]:
        """E for each count: epsilon in units of 2^-h of sum |x - mean| or n^2 variance."""
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
        """What channels of the count of that index get for epsilon, in units of x (L1) or of x squared (L2)."""
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
        """f: fraction bits gained when v is divided by the odd part of n; 0 when there is none."""
        if self.only_powers_of_two:
            return 0
        odd_bits = clog2(max(self.odd_parts))
        if self.config.norm == "l2":
            return odd_bits + 1
        fraction = self.guard_bits + self.epsilon_fraction
        return max(odd_bits, self.mantissa_width + self.count_bits - fraction)

    # -- scale --------------------------------------------------------------------------------

    @property
    def scale_bits(self) -> int:
        """K_bits: log2 of the largest scale that a channel can need."""
        config = self.config
        return self._largest_over_spread(config.gamma_width - 1 + config.y_fraction - config.gamma_fraction)

    def _largest_over_spread(self, exponent: int) -> int:
        """The smallest whole b, 0 or more, with ``2**exponent / r <= 2**b`` for every r."""
        config = self.config
        bits = exponent + self.count_bits
        if config.epsilon:
            # r is at least epsilon (L1) or its square root (L2), in LSB of x.
            power = 1 if config.norm == "l1" else 2
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
    def normalised_width(self) -> int:
        """wu: bits of the integer whose leading zeros make the exponent of r."""
        if self.config.norm == "l2":
            return self.mantissa_width + self.odd_fraction
        return self.spread_width + self.epsilon_fraction + self.odd_fraction

    @property
    def r_exponents(self) -> range:
        """The values of the exponent of r."""
        if self.config.norm == "l1":
            # v has a 1 above epsilon's fraction; its quotient by the odd part, no less.
            low = self.guard_bits + self.mantissa_width - self.spread_width
            high = self.guard_bits + self.odd_fraction + self.mantissa_width - 1
        else:
            # The root has its top bit set; a division by the odd part clears a few bits below it at most.
            low = self.mantissa_width - self.spread_width // 2
            high = self.mantissa_width - 1 + self.odd_fraction
        return range(min(self.powers) + low, max(self.powers) + high + 1)

    @property
    def r_exponent_shape(self) -> Shape:
        """Signed shape of the exponent of r, even where it never is negative."""
        exponents = self.r_exponents
        return Shape.cast(range(min(-1, exponents.start), exponents.stop))
