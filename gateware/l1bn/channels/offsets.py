"""The three offsets of an L1 channel in the backward pass, one for each side of the mean."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring

from ..logic.settle import settling_cycles, settling_sum
from ..numbers.backward_formats import BackwardFormats
from ..streams.layouts import copied, inlet, outlet
from .scale import Offset

__all__ = ["SidedOffsets"]


class SidedOffsets(wiring.Component):
    """:class:`l1bn.channels.scale.Offset` of m0 + s * a for s = 1, 0 and -1, one after the other.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{gradient_mean, projection_mean, scale, negative}``: m0, a, and the scale; held until the result leaves
    o : ``{below, level, above}``, signed

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        self.offset = Offset(formats.apply)
        self.settling = settling_cycles(formats.apply.mean_width)
        self.latency = 3 * (self.settling + self.offset.latency + 1)
        self.interval = self.latency + 1
        operands = {
            "gradient_mean": signed(formats.gradient_mean_width),
            "projection_mean": signed(formats.projection_mean_width),
            "scale": unsigned(formats.config.scale_width),
            "negative": 1,
        }
        width = signed(formats.apply.offset_width)
        offsets = {"below": width, "level": width, "above": width}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(data.StructLayout(offsets))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.offset = offset = self.offset
        channel, found = self.i.payload, self.o.payload
        turn = Signal(3, init=0b001)  # one at a time: above, level, below
        level, below = turn[1], turn[2]
        asked = Signal()
        finished = Signal()
        unsettled = Signal(range(self.settling + 1), init=self.settling)
        answered = offset.o.valid & ~finished

        width = self.formats.apply.mean_width
        a = Mux(level, 0, channel.projection_mean ^ below.replicate(len(channel.projection_mean)).as_signed())
        m.d.comb += [
            *copied(channel, offset.i.payload),
            offset.i.payload.mean.eq(settling_sum(m, channel.gradient_mean, a, width, carry=below)),
            offset.i.valid.eq(self.i.valid & ~asked & ~finished & (unsettled == 0)),
            offset.o.ready.eq(~finished),
            self.o.valid.eq(finished),
            self.i.ready.eq(finished & self.o.ready),
        ]
        with m.If(offset.i.valid & offset.i.ready):
            m.d.sync += asked.eq(1)
        with m.If(~self.i.valid | finished | answered):
            m.d.sync += unsettled.eq(self.settling)
        with m.Elif(unsettled != 0):
            m.d.sync += unsettled.eq(unsettled - 1)
        held = Signal(found.shape(), reset_less=True)
        with m.If(answered):
            m.d.sync += [
                asked.eq(0),
                turn.eq(turn.rotate_left(1)),
                finished.eq(below),
                held.below.eq(offset.o.payload),
                held.level.eq(held.below),
                held.above.eq(held.level),
            ]
        with m.If(self.i.ready):
            m.d.sync += finished.eq(0)
        m.d.comb += found.eq(held)
        return m
