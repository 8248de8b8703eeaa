"""L1: r = M[|x - mean|] + epsilon."""

from __future__ import annotations

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, wiring

from ..formats import Formats
from ..layouts import channel_mean, inlet, outlet, packet, spread_result
from ..operators.deviation import SignAbsAccumulator
from ..operators.divide import lookup
from ..operators.magnitude import DividedMagnitude, Magnitude
from ..streams import Register

__all__ = ["L1Spread"]


class L1Spread(wiring.Component):
    """The spread of L1BN: sign-abs accumulation, division by the count, normalisation.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :mod:`l1bn.spreads`.
    """

    after_mean = True

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = SignAbsAccumulator(
            config.width, config.lanes, config.counts, formats.guard_bits, formats.epsilons
        )
        tag = data.StructLayout(
            {"sign_count": signed(formats.sign_count_width), "select": unsigned(formats.select_width)}
        )
        width, kept = formats.spread_width, formats.mantissa_width
        self.magnitude: Magnitude | DividedMagnitude
        if formats.only_powers_of_two:
            self.magnitude = Magnitude(width, kept, tag)
        else:
            self.magnitude = DividedMagnitude(width, formats.odd_fraction, config.counts, kept, tag)
        self.held = 1 + self.magnitude.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def latency(self, mean_latency: int) -> int:
        return self.accumulator.latency + Register.latency + self.magnitude.latency

    def interval(self, mean_latency: int) -> int:
        return max(self.accumulator.latency + 1, self.magnitude.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.magnitude = magnitude = self.magnitude
        m.submodules.deviations = deviations = Register(magnitude.i.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        wiring.connect(m, wiring.flipped(self.i_mean), accumulator.i_mean)
        wiring.connect(m, deviations.o, magnitude.i)

        fixed = formats.guard_bits + formats.mantissa_width - formats.spread_width
        exponents = [power + fixed for power in formats.powers]
        found, tag = magnitude.o.payload, magnitude.o.payload.tag
        m.d.comb += [
            deviations.i.valid.eq(accumulator.o.valid),
            accumulator.o.ready.eq(deviations.i.ready),
            deviations.i.payload.value.eq(accumulator.o.payload.deviation),
            deviations.i.payload.tag.sign_count.eq(accumulator.o.payload.sign_count),
            deviations.i.payload.tag.select.eq(accumulator.o.payload.select),
            self.o.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(self.o.ready),
            self.o.payload.r_mantissa.eq(found.mantissa),
            self.o.payload.r_exponent.eq(found.zeros + lookup(exponents, tag.select)),
            self.o.payload.sign_count.eq(tag.sign_count),
        ]
        return m
