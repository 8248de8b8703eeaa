"""Every width and constant of running statistics and inference, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``, section Running statistics and inference.
"""

from __future__ import annotations

from .formats import Formats
from .scale_format import ScaleFormat

__all__ = ["InferenceFormats", "RunningFormats", "folded_width"]


class RunningFormats(Formats):
    """The derived formats of the averages over channels."""

    @property
    def running_fraction(self) -> int:
        """Gr: fraction bits of the running spread."""
        given = self.config.running_fraction
        if given is not None:
            return given
        return self.guard_bits if self.traits.centred else self._derived_guard_bits

    @property
    def running_spread_width(self) -> int:
        """wr: unsigned width of the running spread."""
        return self.config.width + self.running_fraction + 1

    @property
    def stored_mean_width(self) -> int:
        """Signed width of the stored mean, momentum_shift bits finer than it is read, and a rounding; 0 without one."""
        return self.mean_width + self.config.momentum_shift + 1 if self.mean_width else 0

    @property
    def stored_spread_width(self) -> int:
        """Unsigned width of the stored spread."""
        return self.running_spread_width + self.config.momentum_shift


class InferenceFormats(RunningFormats):
    """Those of an inference unit, whose r is that of a running spread."""

    @property
    def r_exponents(self) -> range:
        low = self.running_fraction + self.mantissa_width - self.running_spread_width
        return range(low, low + self.running_spread_width)


def folded_width(scale: ScaleFormat) -> int:
    """Signed width of the b of a fold, with as many fraction bits as the largest shift."""
    return max(scale.beta_width + scale.beta_shift + max(1, scale.shift_max), scale.offset_width) + 1
