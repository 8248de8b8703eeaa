"""Payload layouts of running statistics and inference."""

from __future__ import annotations

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from ..numbers.running_formats import RunningFormats, folded_width
from ..numbers.scale_format import ScaleFormat
from .layouts import mean_field

__all__ = ["averages", "folded", "measured_statistics"]


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


def folded(scale: ScaleFormat) -> data.StructLayout:
    """A channel as one multiply-add; see :class:`l1bn.channels.fold.Fold`. c is -scale where ``negative``."""
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
