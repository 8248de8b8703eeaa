"""A unit of one register, small enough to build in a second: doubles every sample of a packet, or fails to."""

from __future__ import annotations

from enum import IntEnum

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

WIDTH, LANES = 8, 4


class Fault(IntEnum):
    """Defects that a bench has to notice."""

    NONE = 0
    WRONG_VALUE = 1
    LOST_BEAT = 2
    REPEATED_BEAT = 3
    PAYLOAD_CHANGES = 4
    HANGS = 5
    RUNS_AWAY = 6


class Doubler(wiring.Component):
    """``o.data = 2 * i.data``, one beat a cycle; ``last`` goes along. Latency: 1.

    ``i_fault`` takes a :class:`Fault`, which shows some cycles later.
    """

    latency = 1

    def __init__(self):
        beat = data.StructLayout({"data": data.ArrayLayout(signed(WIDTH), LANES), "last": unsigned(1)})
        twice = data.StructLayout({"data": data.ArrayLayout(signed(WIDTH + 1), LANES), "last": unsigned(1)})
        super().__init__(
            {
                "i": In(stream.Signature(beat)),
                "i_fault": In(stream.Signature(unsigned(3))),
                "o": Out(stream.Signature(twice)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = Signal(6)  # stays at its last value
        fault = Signal(3)
        m.d.sync += cycle.eq(Mux(cycle.all(), cycle, cycle + 1))
        m.d.comb += self.i_fault.ready.eq(1)
        with m.If(self.i_fault.valid):
            m.d.sync += fault.eq(self.i_fault.payload)

        moves = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(moves)
        with m.If(moves):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.last.eq(self.i.payload.last)]
            for lane in range(LANES):
                m.d.sync += self.o.payload.data[lane].eq(self.i.payload.data[lane] << 1)

        once, late = cycle == 20, cycle >= 40
        with m.Switch(fault):
            with m.Case(Fault.WRONG_VALUE):
                with m.If(once):
                    m.d.sync += self.o.payload.data[1].eq(0)
            with m.Case(Fault.LOST_BEAT):
                with m.If(once):
                    m.d.sync += self.o.valid.eq(0)
            with m.Case(Fault.REPEATED_BEAT):
                with m.If(once):
                    m.d.comb += self.i.ready.eq(0)
            with m.Case(Fault.PAYLOAD_CHANGES):
                with m.If(self.o.valid & ~self.o.ready):
                    m.d.sync += self.o.payload.last.eq(~self.o.payload.last)
            with m.Case(Fault.HANGS):
                with m.If(late):
                    m.d.comb += self.i.ready.eq(0)
                    m.d.sync += self.o.valid.eq(self.o.valid & ~self.o.ready)
            with m.Case(Fault.RUNS_AWAY):
                with m.If(late):
                    m.d.comb += self.i.ready.eq(0)
        return m
