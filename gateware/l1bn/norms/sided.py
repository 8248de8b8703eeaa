"""The end of those gradients that scale dy alone and subtract one of three offsets, chosen by the side of x."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream, wiring

from ..backward_layouts import sided_constants
from ..layouts import copied
from ..operators.sequence import consult
from ..streams import ChannelRegister

__all__ = ["apply_sides"]


def apply_sides(m: Module, gradient: Any, means: stream.Interface) -> None:
    """From the means of a channel to its dx.

    ``gradient`` is the component that ``m`` is of, with its :class:`l1bn.operators.offsets.SidedOffsets` as ``offsets``
    and its :class:`l1bn.operators.sided.SidedAffine` as ``apply``. ``means`` has ``gradient_mean``, which is m0,
    ``projection_mean``, which is a, the scale and ``error``, and holds them until the offsets are known.
    """
    m.submodules.offsets = offsets = gradient.offsets
    m.submodules.apply = apply = gradient.apply
    m.submodules.current = current = ChannelRegister(sided_constants(gradient.formats))
    consult(m, means, offsets.i, offsets.o, current.i)
    m.d.comb += [
        *copied(means.payload, offsets.i.payload),
        *copied(means.payload, current.i.payload),
        *copied(offsets.o.payload, current.i.payload),
    ]
    wiring.connect(m, current.o, apply.i_constants)
    wiring.connect(m, apply.o, wiring.flipped(gradient.o))
    m.d.comb += [
        apply.i.valid.eq(gradient.i_beats.valid),
        gradient.i_beats.ready.eq(apply.i.ready),
        *copied(gradient.i_beats.payload, apply.i.payload),
    ]
