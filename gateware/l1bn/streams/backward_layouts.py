"""Payload layouts of the streams of a backward unit; see :mod:`l1bn.streams.layouts` and ``docs/arithmetic.md``."""

from __future__ import annotations

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from ..numbers.backward_formats import BackwardFormats
from ..numbers.scale_format import ScaleFormat
from .layouts import extended, mean_field, own_statistics, scale_constants, select_field

__all__ = [
    "channel_record",
    "gamma_parameter",
    "gradients",
    "pair_beat",
    "pair_constants",
    "pair_packet",
    "product_constants",
    "projected_record",
    "received_statistics",
    "scaled_record",
    "sided_beat",
    "sided_constants",
    "sided_packet",
]

SIDE = data.StructLayout({"above": 1, "level": 1})
"""sgn(x - mean): 1 where ``above``, 0 where ``level``, else -1."""


def received_statistics(formats: BackwardFormats) -> data.StructLayout:
    """What a backward unit takes of a forward unit's statistics."""
    fields: dict[str, object] = {
        **mean_field(formats.mean_width),
        "r_mantissa": unsigned(formats.mantissa_width),
        "r_exponent": formats.r_exponent_shape,
    }
    return data.StructLayout({**fields, **own_statistics(formats), "error": 1})


def gamma_parameter(formats: BackwardFormats) -> data.StructLayout:
    return data.StructLayout({"gamma": signed(formats.config.gamma_width)})


def gradients(formats: BackwardFormats) -> data.StructLayout:
    """What one channel adds to the gradients of gamma and beta."""
    width = signed(formats.gradient_width)
    return data.StructLayout({"dgamma": width, "dbeta": width, "error": 1})


def pair_packet(formats: BackwardFormats, sendings: int) -> data.StructLayout:
    """One beat of x and of the dy that belongs to it; ``number`` is that of the pass where there are several."""
    config = formats.config
    return data.StructLayout(
        {
            "x": data.ArrayLayout(signed(config.width), config.lanes),
            "dy": data.ArrayLayout(signed(config.dy_width), config.lanes),
            "last": 1,
            **select_field(formats.select_width),
            **({"number": range(sendings)} if sendings > 1 else {}),
            "error": 1,
        }
    )


def sided_packet(formats: BackwardFormats, sendings: int) -> data.StructLayout:
    """As :func:`pair_packet`, with the side of the mean that each x is on."""
    return extended(pair_packet(formats, sendings), side=data.ArrayLayout(SIDE, formats.config.lanes))


def channel_record(formats: BackwardFormats) -> data.StructLayout:
    """The statistics of a channel on their way through the unit, with its sums.

    ``varies`` says that not all samples equal the mean.
    """
    return extended(
        received_statistics(formats),
        gradient_sum=signed(formats.gradient_width),
        product_sum=signed(formats.product_sum_width),
        varies=1,
        **select_field(formats.select_width),
    )


def projected_record(formats: BackwardFormats) -> data.StructLayout:
    """As :func:`channel_record`, after the sum of the products has been turned into H = sum dy * xhat."""
    return _replaced(channel_record(formats), "product_sum", projection=signed(formats.projection_width))


def scaled_record(formats: BackwardFormats) -> data.StructLayout:
    """As :func:`projected_record`, with a = M[dy * xhat] and the scale from dy to dx."""
    return _replaced(
        projected_record(formats),
        "projection",
        projection_mean=signed(formats.projection_mean_width),
        scale=unsigned(formats.config.scale_width),
        shift=formats.apply.shift_shape,
        negative=1,
    )


def sided_beat(formats: BackwardFormats) -> data.StructLayout:
    """What a beat is for the second pass where a side is all that dx needs of x: dy as ``data``, and the sides."""
    config = formats.config
    return data.StructLayout(
        {
            "data": data.ArrayLayout(signed(config.dy_width), config.lanes),
            "side": data.ArrayLayout(SIDE, config.lanes),
            "last": 1,
        }
    )


def sided_constants(formats: BackwardFormats) -> data.StructLayout:
    """What that second pass needs of one channel: a scale, an offset for each side, and a beta of 0."""
    offset = signed(formats.apply.offset_width)
    return _replaced(
        scale_constants(formats.apply), "offset", below=offset, level=offset, above=offset, error=1
    )


def pair_beat(formats: BackwardFormats) -> data.StructLayout:
    """What a beat is for the second pass where dx has a product of x: dy as ``data``, and x."""
    config = formats.config
    return data.StructLayout(
        {
            "data": data.ArrayLayout(signed(config.dy_width), config.lanes),
            "x": data.ArrayLayout(signed(config.width), config.lanes),
            "last": 1,
        }
    )


def pair_constants(formats: BackwardFormats) -> data.StructLayout:
    """What that second pass needs of one channel: scale and offset of dy and of x."""
    return data.StructLayout(
        {"dy": product_constants(formats.apply), "x": product_constants(formats.slope), "error": 1}
    )


def product_constants(scale: ScaleFormat) -> data.StructLayout:
    """A scale with its offset; see :class:`l1bn.beats.scaled_product.ProductLane`."""
    return _replaced(scale_constants(scale), "beta")


def _replaced(layout: data.StructLayout, name: str, **more: object) -> data.StructLayout:
    """A layout without one of its fields and with others behind."""
    kept = {key: field.shape for key, field in layout if key != name}
    return data.StructLayout({**kept, **more})
