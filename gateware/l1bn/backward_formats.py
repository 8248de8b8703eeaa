"""Every width and constant of a backward unit, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``, section Backward.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

from .config import Configuration
from .formats import Formats

__all__ = ["PRODUCT_FRACTION", "ApplyFormats", "BackwardFormats", "SlopeFormats"]

PRODUCT_FRACTION = 6
"""Q: fraction bits of the two products of L2's dx."""


class DerivedConfiguration(Configuration):
    """The operands of an operator that forward and backward share, as the operator reads them.

    The values follow from a configuration that was checked, and may lie outside what a user can ask for.
    """

    def __post_init__(self) -> None:
        """Nothing is left to be checked or filled in."""

    @classmethod
    def of(cls, config: Configuration, **changes: Any) -> DerivedConfiguration:
        values = {field.name: getattr(config, field.name) for field in dataclasses.fields(Configuration)}
        return cls(**{**values, **changes})


class BackwardFormats(Formats):
    """The derived formats of a backward unit: those of its forward unit, and more."""

    def __init__(self, config: Configuration):
        super().__init__(config)
        self.apply = ApplyFormats(self)
        self.slope = SlopeFormats(self)

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

    @property
    def mean_fraction(self) -> int:
        """Gm: fraction bits of the means that are subtracted from dy."""
        return self.apply.guard_bits

    @cached_property
    def projection_fraction(self) -> int:
        """Gh: fraction bits of H = sum dy * xhat."""
        return max(1, self.mean_fraction - (min(self.config.counts).bit_length() - 1))

    @property
    def projection_width(self) -> int:
        """Signed width of H."""
        return self.gradient_width + self.projection_fraction + 1

    # -- means --------------------------------------------------------------------------------

    @property
    def projection_mean_width(self) -> int:
        """Signed width of a = M[dy * xhat]."""
        return self.config.dy_width + self.mean_fraction + 1

    @property
    def gradient_mean_width(self) -> int:
        """Signed width of m0: for L1 it is M[dy] - M[s] * a."""
        return self.config.dy_width + self.mean_fraction + (2 if self.config.norm == "l1" else 0)

    # -- what is stored between the passes ----------------------------------------------------

    @property
    def stored_width(self) -> int:
        """Bits of an element that wait for the second pass: dy and the sign of x - mu (L1), or dy and x (L2)."""
        return self.config.dy_width + (2 if self.config.norm == "l1" else self.config.width)


class ApplyFormats(Formats):
    """The formats of the scale from dy to dx, for the operators that make y of x in a forward unit.

    dy takes the place of x, dx that of y; there is no beta. A scale is worth 2^(fx + fdx - fd - fg) / r.
    """

    def __init__(self, unit: BackwardFormats):
        self._unit = unit
        config = unit.config
        exponent = config.x_fraction + config.dx_fraction - config.dy_fraction
        super().__init__(
            DerivedConfiguration.of(
                config,
                width=config.dy_width,
                y_width=config.dx_width,
                y_fraction=exponent,
                beta_width=1,
                beta_fraction=exponent,
            )
        )

    @property
    def guard_bits(self) -> int:
        """Gm."""
        return min(self.scale_bits, self.config.y_width) + 9

    @property
    def mean_width(self) -> int:
        """Signed width of m0 + s * a."""
        return self.config.width + self.guard_bits + (3 if self.config.norm == "l1" else 0)

    @property
    def offset_width(self) -> int:
        """Signed width of the offset and of the affine sum, which m0 + s * a may take out of the range of dy."""
        more = 2 if self.config.norm == "l1" else 0
        return self.config.scale_width + self.config.width + self.scale_fraction + 1 + more

    @property
    def scale_fraction(self) -> int:
        """F: an L2 unit keeps Q fraction bits of the product, where half an LSB is enough for L1."""
        kept = 1 if self.config.norm == "l1" else PRODUCT_FRACTION
        return max(0, kept - self.shift_min)

    @property
    def r_exponents(self) -> range:
        return self._unit.r_exponents


class SlopeFormats(Formats):
    """The formats of e, the scale from x to dx that only L2 has, for the same operators.

    The numerator num takes the place of gamma. To leave room for its sign it has a bit more than r's mantissa, which
    is therefore taken twice.
    """

    def __init__(self, unit: BackwardFormats):
        self._unit = unit
        self.numerator_width = unit.config.scale_width + unit.projection_mean_width - 1
        changes = {"gamma_width": unit.mantissa_width + 1, "gamma_fraction": 0, "y_fraction": 0}
        super().__init__(DerivedConfiguration.of(unit.config, guard_bits=unit.guard_bits, **changes))

    @property
    def scale_bits(self) -> int:
        """E_bits."""
        return self._largest_over_spread(self._unit.apply.scale_bits + self._unit.config.dy_width - 1)

    @property
    def scale_fraction(self) -> int:
        return max(0, PRODUCT_FRACTION - self.shift_min)

    @property
    def exponent_offset(self) -> int:
        """What :attr:`r_exponents` have beyond r's exponent less the scale's shift t and the numerator's zeros."""
        raised = self.numerator_width - self._unit.mean_fraction - self._unit.mantissa_width
        return raised + self._unit.apply.scale_fraction

    @property
    def r_exponents(self) -> range:
        """The values of the exponent of the fraction num / r, with twice the mantissa."""
        unit, offset = self._unit, self.exponent_offset
        shifts, exponents = unit.apply.shift_range, unit.r_exponents
        low = exponents[0] - shifts[-1] - (self.numerator_width - 1) + offset
        return range(low, exponents[-1] - shifts[0] + offset + 1)
