"""The end of those gradients that scale dy alone and subtract one of three offsets, chosen by the side of x."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring

from ..channels.turns import consult_in_turns
from ..streams.backward_layouts import sided_constants
from ..streams.layouts import copied
from ..streams.registers import ChannelRegister

__all__ = ["apply_sides", "find_offsets"]


def find_offsets(m: Module, gradient: Any, means: stream.Interface) -> ChannelRegister:
    """A register with the constants of a channel, from its means.

    ``gradient`` is the component that ``m`` is of, with its :class:`l1bn.channels.offsets.SidedOffsets` as ``offsets``
    and its :class:`l1bn.beats.sided.SidedAffine` as ``apply``, submodules both. ``means`` has ``gradient_mean``,
    which is m0 (0 without that field), ``projection_mean``, which is a, the scale and ``error``, and holds them until
    the offsets are known.
    """
    m.submodules.current = current = ChannelRegister(sided_constants(gradient.formats))
    offsets = gradient.offsets
    placing = consult_in_turns(m, means, offsets, current.i, "placing")
    m.d.comb += [
        *copied(means.payload, offsets.i.payload),
        *copied(placing.payload, current.i.payload),
        *copied(offsets.o.payload, current.i.payload),
    ]
    return current


def apply_sides(m: Module, gradient: Any, current: ChannelRegister) -> None:
    """From that register to dx."""
    apply = gradient.apply
    wiring.connect(m, current.o, apply.i_constants)
    wiring.connect(m, apply.o, wiring.flipped(gradient.o))
    m.d.comb += [
        apply.i.valid.eq(gradient.i_beats.valid),
        gradient.i_beats.ready.eq(apply.i.ready),
        *copied(gradient.i_beats.payload, apply.i.payload),
    ]
