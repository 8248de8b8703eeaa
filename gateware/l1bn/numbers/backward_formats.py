"""Every width and constant of a backward unit, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``, section Backward.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from amaranth.hdl import Shape

from .formats import Formats
from .scale_format import ScaleFormat

if TYPE_CHECKING:
    from ..config import Configuration

__all__ = ["PRODUCT_FRACTION", "BackwardFormats"]

PRODUCT_FRACTION = 6
"""Q: fraction bits of the two products of a dx that has two."""


class BackwardFormats(Formats):
    """The derived formats of a backward unit: those of its forward unit, and more."""

    def __init__(self, config: Configuration):
        super().__init__(config)
        gradient = self.traits.gradient
        assert gradient is not None  # else the configuration would not be there
        self.gradient = gradient

    # -- sums ---------------------------------------------------------------------------------

    @property
    def gradient_width(self) -> int:
        """Signed width of dbeta = sum dy and of dgamma, both with the fraction bits of dy."""
        return self.config.dy_width + self.count_bits

    @property
    def product_sum_width(self) -> int:
        """Signed width of P = sum dy * x."""
        return self.config.dy_width + self.config.width + self.count_bits

    @property
    def centred_width(self) -> int:
        """Signed width of C = P * 2^G - mu * dbeta, whatever mu is."""
        return self.product_sum_width + self.guard_bits

    @cached_property
    def projection_fraction(self) -> int:
        """Gh: fraction bits of H = sum dy * xhat."""
        if not self.gradient.averaged:
            return self.mean_fraction
        return max(1, self.mean_fraction - (min(self.config.counts).bit_length() - 1))

    @property
    def projection_width(self) -> int:
        """Signed width of H."""
        return self.gradient_width + self.projection_fraction + 1

    # -- means --------------------------------------------------------------------------------

    @property
    def sum_spare(self) -> int:
        """Bits by which a sum over the channel leaves the range of dy, where a is one."""
        return 0 if self.gradient.averaged else self.count_bits

    @property
    def projection_mean_width(self) -> int:
        """Signed width of a, which is M[dy * xhat] or H itself."""
        return self.config.dy_width + self.mean_fraction + 1 + self.sum_spare

    @property
    def gradient_mean_width(self) -> int:
        """Signed width of m0."""
        return self.config.dy_width + self.mean_fraction + self.gradient.mean_spare

    # -- what is stored between the passes ----------------------------------------------------

    @property
    def stored_width(self) -> int:
        """Bits of an element that wait for the second pass."""
        beat = Shape.cast(self.gradient.stored(self)).width - 1  # less the flag of the last beat
        return beat // self.config.lanes

    # -- scales -------------------------------------------------------------------------------

    @cached_property
    def _apply_exponent(self) -> int:
        """A unit of dx is worth 2^exponent units of dy for gamma = r = 1, the fraction bits of gamma left out."""
        config = self.config
        return config.x_fraction + config.dx_fraction - config.dy_fraction

    @cached_property
    def _apply_bits(self) -> int:
        """Kd_bits: log2 of the largest scale from dy to dx."""
        config = self.config
        return self._largest_over_spread(config.gamma_width - 1 + self._apply_exponent - config.gamma_fraction)

    @cached_property
    def mean_fraction(self) -> int:
        """Gm: fraction bits of the means that are subtracted from dy."""
        return min(self._apply_bits, self.config.dx_width) + 9

    @cached_property
    def apply(self) -> ScaleFormat:
        """The scale from dy to dx, for the operators that make y of x in a forward unit. There is no beta."""
        config, gradient = self.config, self.gradient
        mean_width = config.dy_width + self.mean_fraction + gradient.subtracted_spare + self.sum_spare
        return ScaleFormat(
            width=config.dy_width,
            mean_fraction=self.mean_fraction,
            mean_width=mean_width if gradient.subtracts else 0,
            spare=gradient.offset_spare + self.sum_spare,
            gamma_width=config.gamma_width,
            exponent=self._apply_exponent - config.gamma_fraction,
            scale_width=config.scale_width,
            scale_bits=self._apply_bits,
            mantissa_width=self.mantissa_width,
            r_exponents=self.r_exponents,
            y_width=config.dx_width,
            kept=gradient.kept,
        )

    @cached_property
    def slope(self) -> ScaleFormat:
        """e, the scale from x to dx that norms with a root have: its numerator num takes the place of gamma.

        To leave room for its sign num has a bit more than r's mantissa, which is therefore taken twice.
        """
        config = self.config
        return ScaleFormat(
            width=config.width,
            mean_fraction=self.guard_bits,
            mean_width=self.mean_width,
            gamma_width=self.mantissa_width + 1,
            exponent=0,
            scale_width=config.scale_width,
            scale_bits=self._largest_over_spread(self._apply_bits + config.dy_width - 1),  # Kx_bits
            mantissa_width=self.mantissa_width + 1,
            r_exponents=self._slope_exponents,
            y_width=config.dx_width,
            kept=PRODUCT_FRACTION,
        )

    @property
    def numerator_width(self) -> int:
        """Unsigned width of k * |a|, of whose top num is taken."""
        return self.config.scale_width + self.projection_mean_width - 1

    @property
    def slope_exponent(self) -> int:
        """What the exponents of num / r have beyond r's exponent less the scale's shift t and the numerator's zeros."""
        raised = self.numerator_width - self.mean_fraction - self.mantissa_width
        return raised + self.apply.scale_fraction

    @property
    def _slope_exponents(self) -> range:
        """The values of the exponent of the fraction num / r, with twice the mantissa."""
        shifts, exponents = self.apply.shift_range, self.r_exponents
        low = exponents[0] - shifts[-1] - (self.numerator_width - 1) + self.slope_exponent
        return range(low, exponents[-1] - shifts[0] + self.slope_exponent + 1)
