"""Every width and constant of running statistics and inference, in one place.

The symbols and formulas are those of ``docs/arithmetic.md``, section Running statistics and inference.
"""

from __future__ import annotations

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from .formats import Formats
from .layouts import mean_field
from .scale_format import ScaleFormat

__all__ = ["InferenceFormats", "RunningFormats", "averages", "folded", "folded_width", "measured_statistics"]


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


def averages(formats: RunningFormats) -> data.StructLayout:
    """The averages of one channel as they are read."""
    return data.StructLayout(
        {**mean_field(formats.mean_width), "spread": unsigned(formats.running_spread_width)}
    )


def measured_statistics(formats: RunningFormats) -> data.StructLayout:
    """What the averages take of a forward unit's statistics."""
    return data.StructLayout(
        {
            **mean_field(formats.mean_width),
            "r_mantissa": unsigned(formats.mantissa_width),
            "r_exponent": formats.r_exponent_shape,
            "error": 1,
        }
    )


def folded_width(scale: ScaleFormat) -> int:
    """Signed width of the b of a fold, with as many fraction bits as the largest shift."""
    return max(scale.beta_width + scale.beta_shift + max(1, scale.shift_max), scale.offset_width) + 1


def folded(scale: ScaleFormat) -> data.StructLayout:
    """A channel as one multiply-add; see :class:`l1bn.operators.fold.Fold`. c is -scale where ``negative``."""
    shifts = range(scale.shift_min, scale.shift_max + 1)
    shape = signed(max(abs(shifts[0]), abs(shifts[-1])).bit_length() + 1)
    return data.StructLayout(
        {
            "scale": unsigned(scale.scale_width),
            "negative": 1,
            "shift": shape,
            "b": signed(folded_width(scale)),
        }
    )
