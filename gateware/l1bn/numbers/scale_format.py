"""The numbers of a scale by one over the spread: what y = gamma * (x - mean) / r + beta and the two halves of dx share.

The symbols and formulas are those of ``docs/arithmetic.md``, section Scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Shape

__all__ = ["ScaleFormat"]


@dataclass(frozen=True)
class ScaleFormat:
    """What the operators work on that find k = gamma * 2^exponent / r and apply it.

    Two of them are equal when their hardware is. Widths are in bits; signed ones count the sign.

    Parameters
    ----------
    width : signed width of the values that are scaled, x or dy
    mean_fraction : fraction bits of the mean beyond those of the values
    mean_width : signed width of the mean; 0 where nothing is subtracted
    gamma_width : signed width of the numerator, gamma or what stands for it
    exponent : a result of one unit is worth 2^exponent units of a value for gamma = r = 1
    scale_width : M, magnitude bits of k
    scale_bits : log2 of the largest gamma * 2^exponent / r
    mantissa_width : T, bits of the mantissa of r
    r_exponents : the values of the exponent of r
    y_width : signed width of the result
    beta_width, beta_shift : signed width of beta, and the places that it is moved up to the unit of the result
    kept : fraction bits that the product keeps of a result: half a unit for a rounding, more where two are added
    spare : bits by which an offset may exceed what a mean in the range of the values makes of it
    """

    width: int
    mean_fraction: int
    mean_width: int
    gamma_width: int
    exponent: int
    scale_width: int
    scale_bits: int
    mantissa_width: int
    r_exponents: range
    y_width: int
    beta_width: int = 1
    beta_shift: int = 0
    kept: int = 1
    spare: int = 0

    @property
    def subtracts(self) -> bool:
        """Whether a mean is subtracted, so that the product has an offset."""
        return self.mean_width > 0

    @property
    def shift_max(self) -> int:
        """The largest t' of k = round(K * 2^t'): a finer k would change no result."""
        return self.width + 4

    @property
    def shift_min(self) -> int:
        """The t' of the largest K."""
        return min(self.shift_max, self.scale_width - 1 - self.scale_bits)

    @cached_property
    def scale_fraction(self) -> int:
        """F: fraction bits that the sum x*k*2^F - offset carries, so that ``kept`` bits below a result exist."""
        return max(0, self.kept - self.shift_min)

    @cached_property
    def shift_range(self) -> range:
        """The values of t, the right shift of the sum."""
        low = self.shift_min + self.scale_fraction - 1
        return range(low, low + self.shift_max - self.shift_min + 1)

    @property
    def shift_shape(self) -> Shape:
        """Shape of t."""
        return Shape.cast(self.shift_range)

    @property
    def offset_width(self) -> int:
        """Signed width of the offset, if there is one, and of the sum x*k*2^F - offset - 1."""
        return self.scale_width + self.width + self.scale_fraction + self.subtracts + self.spare

    @property
    def r_exponent_shape(self) -> Shape:
        """Signed shape of the exponent of r, even where it never is negative."""
        return Shape.cast(range(min(-1, self.r_exponents.start), self.r_exponents.stop))
