"""Payload layouts of the streams; fields run from the least significant bit up in the order given."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from amaranth.hdl import Const, Shape, Value, signed, unsigned
from amaranth.lib import data, stream
from amaranth.lib.wiring import In, Out

from ..numbers.formats import Formats
from ..numbers.scale_format import ScaleFormat

__all__ = [
    "affine_parameters",
    "channel_mean",
    "channel_spread",
    "copied",
    "extended",
    "fields",
    "inlet",
    "mean_field",
    "missed_field",
    "next_pass",
    "offset_of",
    "outlet",
    "own_statistics",
    "packet",
    "scale_constants",
    "select_field",
    "selected",
    "spread_result",
    "statistics",
]


def inlet(shape: Shape | data.Layout) -> In:
    """An input stream of ``shape``."""
    return In(stream.Signature(shape))


def outlet(shape: Shape | data.Layout) -> Out:
    """An output stream of ``shape``."""
    return Out(stream.Signature(shape))


def fields(layout: data.StructLayout) -> dict[str, object]:
    """The fields of a layout and their shapes."""
    return {name: field.shape for name, field in layout}


def extended(layout: data.StructLayout, **more: object) -> data.StructLayout:
    """A layout with more fields behind its own."""
    return data.StructLayout({**fields(layout), **more})


def copied(source: data.View, sink: data.View, but: Collection[str] = ()) -> list[Any]:
    """Assignments of all fields that both have, ``but`` some.

    Raises
    ------
    TypeError
        Where a field of ``but`` is none that both have, or another one would lose bits or its sign on the way.
    """
    given, taken = fields(source.shape()), fields(sink.shape())
    common = [name for name in taken if name in given]
    for name in but:
        if name not in common:
            raise TypeError(f"{name} is no field that would be copied; there are: {', '.join(common) or 'none'}")
    copies = [name for name in common if name not in but]
    for name in copies:
        before, after = Shape.cast(given[name]), Shape.cast(taken[name])
        if not holds(after, before):
            raise TypeError(f"{name} does not fit: {before} into {after}")
    return [sink[name].eq(source[name]) for name in copies]


def holds(shape: Shape, other: Shape) -> bool:
    """Whether a number of the first shape can be any number of the other one."""
    if other.signed:
        return shape.signed and shape.width >= other.width
    return shape.width - shape.signed >= other.width


def select_field(width: int) -> dict[str, object]:
    """The field with the index of the count, absent where there is one count only."""
    return {"select": unsigned(width)} if width else {}


def mean_field(width: int) -> dict[str, object]:
    """The field with the mean, absent where none is subtracted."""
    return {"mean": signed(width)} if width else {}


def missed_field(formats: Formats) -> dict[str, object]:
    """Whether the mean of a channel was guessed so badly that it passed once more; absent where none is guessed."""
    return {"missed": 1} if formats.config.guesses else {}


def next_pass() -> data.StructLayout:
    """What the producer has to send: the channel ``again`` for its statistics, or else for the last time."""
    return data.StructLayout({"again": 1})


def selected(view: data.View) -> Value:
    """The index of the count that goes along with a payload."""
    return view.select if "select" in fields(view.shape()) else Const(0, 1)


def packet(width: int, lanes: int, select_width: int = 0, error: bool = False) -> data.StructLayout:
    """One beat of a packet: ``lanes`` samples, lane 0 lowest; ``last`` marks the final beat of a channel.

    ``select`` (the index of the count) is there when its width is not 0 and holds for the whole packet from
    its first beat; ``error`` is valid with ``last``.
    """
    fields: dict[str, object] = {"data": data.ArrayLayout(signed(width), lanes), "last": 1}
    fields |= select_field(select_width)
    if error:
        fields["error"] = 1
    return data.StructLayout(fields)


def affine_parameters(formats: Formats) -> data.StructLayout:
    """gamma and beta of one channel."""
    config = formats.config
    return data.StructLayout({"gamma": signed(config.gamma_width), "beta": signed(config.beta_width)})


def scale_constants(scale: ScaleFormat) -> data.StructLayout:
    """What the affine operator needs of one channel; see ``docs/arithmetic.md``. No mean, no offset."""
    return data.StructLayout(
        {
            "scale": unsigned(scale.scale_width),
            "negative": 1,
            "shift": scale.shift_shape,
            **({"offset": signed(scale.offset_width)} if scale.subtracts else {}),
            "beta": signed(scale.beta_width),
        }
    )


def offset_of(constants: data.View) -> Value:
    """The offset of a channel's constants, 0 where there is none."""
    return constants.offset if "offset" in fields(constants.shape()) else Const(0, 1)


def own_statistics(formats: Formats) -> dict[str, Shape]:
    """The fields of those statistics that only its norm has."""
    return {name: found.shape for name, found in formats.traits.statistics(formats).items()}


def statistics(formats: Formats) -> data.StructLayout:
    """The statistics of one channel as the unit used them; see ``docs/arithmetic.md``."""
    fields: dict[str, object] = {
        **mean_field(formats.mean_width),
        "r_mantissa": unsigned(formats.mantissa_width),
        "r_exponent": formats.r_exponent_shape,
        "scale": unsigned(formats.config.scale_width),
        "shift": formats.scale.shift_shape,
        "negative": 1,
    }
    fields |= own_statistics(formats)
    fields |= select_field(formats.select_width)
    fields |= missed_field(formats)
    fields["error"] = 1
    return data.StructLayout(fields)


def channel_mean(formats: Formats) -> data.StructLayout:
    """What the first pass tells of one channel: its mean, where one is subtracted, its sum, the index of its count."""
    sums = {**mean_field(formats.mean_width), "sum": signed(formats.sum_width)} if formats.traits.centred else {}
    return data.StructLayout({**sums, **select_field(formats.select_width)})


def spread_result(formats: Formats) -> data.StructLayout:
    """What a spread finds of one channel: r, and the statistics that only its norm has."""
    fields: dict[str, object] = {
        "r_mantissa": unsigned(formats.mantissa_width),
        "r_exponent": formats.r_exponent_shape,
        **own_statistics(formats),
    }
    return data.StructLayout(fields)


def channel_spread(formats: Formats) -> data.StructLayout:
    """All that is known of one channel before it is scaled."""
    tag = {**mean_field(formats.mean_width), **select_field(formats.select_width), **missed_field(formats), "error": 1}
    return extended(spread_result(formats), **tag)
