"""The entry of an accumulator: a register that holds a beat back until it may go on."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..streams.layouts import inlet

__all__ = ["PacketGate"]


class PacketGate(wiring.Component):
    """A register for packets, in which the first and the final beat of each may have to wait.

    Whether a beat will have to wait is decided as it comes in, so ``i.ready`` is a register. One beat a cycle across
    packets of three beats or more, if nothing has to wait.

    Parameters
    ----------
    layout : of a beat, with ``last``

    Members
    -------
    i : packets
    begin : the next packet's first beat may go on; 0 in the cycle after one that went
    busy : the final beat may not go on yet; what sets it must do so in the cycle after a final beat went on
    beat : the beat in the register
    passes : it goes on in this cycle
    first : it is the first one of its packet

    Latency: 1.
    """

    latency = 1

    def __init__(self, layout: data.StructLayout):
        super().__init__(
            {
                "i": inlet(layout),
                "begin": In(1, init=1),
                "busy": In(1),
                "beat": Out(layout),
                "passes": Out(1),
                "first": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i = self.i.payload
        held = Signal(self.beat.shape(), reset_less=True)
        full = Signal()
        ready = Signal()  # 0 in the cycle after a reset, as that of a skid register
        fresh = Signal(init=1)  # the next beat that comes in is a first one
        first = Signal()  # the register holds a first beat
        last = Signal()  # ... a final one
        m.d.comb += [
            self.i.ready.eq(ready),
            self.beat.eq(held),
            # From a flip-flop with a reset: the data have none, and what they hold then must not end a packet.
            self.beat.last.eq(last),
            self.passes.eq(full & ready),
            self.first.eq(first),
        ]
        # One register does for both sides: `ready` says that its beat goes on, so its place is free for the next. A
        # second one, as in a skid register, is not needed: what makes a beat wait is known as it comes in.
        with m.If(ready):
            m.d.sync += [
                held.eq(i),
                full.eq(self.i.valid),
                first.eq(self.i.valid & fresh),
                last.eq(self.i.valid & i.last),
            ]
            with m.If(self.i.valid):
                m.d.sync += fresh.eq(i.last)
        # What the beat in the register takes or makes busy as it goes on, the one behind it has to wait for.
        arriving_waits = (fresh & (first | ~self.begin)) | (i.last & (last | self.busy))
        waits = (first & ~self.begin) | (last & self.busy)
        m.d.sync += ready.eq(Mux(ready, ~(self.i.valid & arriving_waits), ~waits))
        return m
