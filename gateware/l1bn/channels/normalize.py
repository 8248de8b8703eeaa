"""Leading-zero normalisation, one place a cycle."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring

from ..logic.operator import computes
from ..logic.sequence import sequence
from ..streams.layouts import inlet, outlet

__all__ = ["Normalizer"]


@computes("l1bn_golden.channel.normalize")
class Normalizer(wiring.Component):
    """Shift an integer left until its top place is not 0.

    Parameters
    ----------
    width : bits of the integer, a multiple of ``radix_bits``
    radix_bits : bits of a place: 1 for a mantissa, 2 for the radicand of a square root
    fraction : bits at the lower end, a multiple of ``radix_bits``, above which the integer has a 1

    Members
    -------
    i : the integer, unsigned, at least ``2**fraction``
    o : ``{mantissa, zeros}``: the integer shifted left by ``zeros`` places, its top place not 0

    Latency: ``latency``, ``(width - fraction) / radix_bits`` (whatever the integer is). One result in ``interval``
    cycles.
    """

    def __init__(self, width: int, radix_bits: int = 1, fraction: int = 0):
        whole = width - fraction
        if whole % radix_bits or whole < 2 * radix_bits:
            allowed = f"a multiple of {radix_bits}, at least {2 * radix_bits}"
            raise ValueError(f"width - fraction = {whole} is not possible; allowed: {allowed}")
        if fraction < 0 or fraction % radix_bits:
            allowed = f"a multiple of {radix_bits}, at least 0"
            raise ValueError(f"fraction = {fraction} is not possible; allowed: {allowed}")
        self.width, self.radix_bits = width, radix_bits
        self.places = whole // radix_bits
        self.latency = self.places
        self.interval = self.places + 1
        result = {"mantissa": width, "zeros": range(self.places)}
        super().__init__({"i": inlet(width), "o": outlet(data.StructLayout(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        mantissa = Signal(self.width, reset_less=True)
        zeros = Signal(range(self.places), reset_less=True)
        shifts = Signal()  # the top place is still 0; the integer is not, so this ends before the steps do
        run = sequence(m, self.i, self.o, self.places - 1)
        m.d.comb += [self.o.payload.mantissa.eq(mantissa), self.o.payload.zeros.eq(zeros)]
        places = self.radix_bits
        with m.If(run.load):
            m.d.sync += [zeros.eq(0), shifts.eq(~self.i.payload[-places:].any())]
        with m.Elif(shifts):
            m.d.sync += [zeros.eq(zeros + 1), shifts.eq(~mantissa[-2 * places : -places].any())]
        with m.If(run.load | shifts):
            m.d.sync += mantissa.eq(Mux(run.load, self.i.payload, mantissa << places))
        return m
