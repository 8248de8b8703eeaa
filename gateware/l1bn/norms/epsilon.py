"""Epsilon's fraction: what of it lies below the unit of a channel's sums."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring

from ..logic.table import lookup
from ..numbers.formats import Formats
from ..streams.layouts import selected

__all__ = ["add_fraction", "whole_spread"]


def whole_spread(formats: Formats, tag: data.StructLayout) -> data.StructLayout:
    """The exact spread of a channel with the whole part of epsilon, and what goes along with it."""
    return data.StructLayout({"value": formats.spread_width, "tag": tag})


def add_fraction(m: Module, formats: Formats, spreads: stream.Interface, magnitude: stream.Interface) -> None:
    """Connect a source of :func:`whole_spread` to a magnitude, whose value is all of v (L1) or V (L2).

    The fraction of epsilon, a constant of the count that the tag selects, goes below the whole part. A whole part of
    0, which a constant channel has where epsilon is small, counts as 1.
    """
    wholes, bits = formats.epsilon_wholes, formats.epsilon_fraction
    if all(wholes) and not bits:
        wiring.connect(m, spreads, magnitude)
        return
    whole: Value = spreads.payload.value
    if not all(wholes):
        whole = Mux(whole.any(), whole, 1)
    fraction = Signal(bits)
    m.d.comb += [
        fraction.eq(lookup(formats.epsilon_remainders, selected(spreads.payload.tag))),
        magnitude.valid.eq(spreads.valid),
        spreads.ready.eq(magnitude.ready),
        magnitude.payload.value.eq(Cat(fraction, whole)),
        magnitude.payload.tag.eq(spreads.payload.tag),
    ]
