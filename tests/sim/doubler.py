"""A unit of one register, small enough to build in a second: doubles every sample of a packet."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

WIDTH, LANES = 8, 4


class Doubler(wiring.Component):
    """``o.data = 2 * i.data``, one beat a cycle; ``last`` goes along. Latency: 1.

    ``fault`` builds one of the defects that a bench has to notice.
    """

    latency = 1

    def __init__(self, fault: str = ""):
        self.fault = fault
        beat = data.StructLayout({"data": data.ArrayLayout(signed(WIDTH), LANES), "last": unsigned(1)})
        twice = data.StructLayout({"data": data.ArrayLayout(signed(WIDTH + 1), LANES), "last": unsigned(1)})
        super().__init__({"i": In(stream.Signature(beat)), "o": Out(stream.Signature(twice))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = Signal(6)  # stays at its last value
        m.d.sync += cycle.eq(Mux(cycle.all(), cycle, cycle + 1))
        moves = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(moves & ((cycle < 40) if self.fault == "hangs" else 1))
        with m.If(moves):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.last.eq(self.i.payload.last)]
            for lane in range(LANES):
                m.d.sync += self.o.payload.data[lane].eq(self.i.payload.data[lane] << 1)
        match self.fault:
            case "wrong":
                m.d.sync += self.o.payload.data[1].eq(Mux(cycle == 20, 0, self.i.payload.data[1] << 1))
            case "loses":
                with m.If(cycle == 20):
                    m.d.sync += self.o.valid.eq(0)
            case "changes":
                with m.If(self.o.valid & ~self.o.ready):
                    m.d.sync += self.o.payload.last.eq(~self.o.payload.last)
            case "repeats":
                with m.If(cycle == 20):
                    m.d.sync += self.o.valid.eq(1)
        return m
