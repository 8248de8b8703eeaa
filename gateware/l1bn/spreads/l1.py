"""L1: r = M[|x - mean|] + epsilon."""

from __future__ import annotations

from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, wiring

from ..formats import Formats
from ..layouts import channel_mean, inlet, outlet, packet, spread_result
from ..operators.deviation import SignAbsAccumulator
from ..operators.divide import lookup
from ..operators.magnitude import Magnitude, OddDivider
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
        self.divider = None
        if not formats.only_powers_of_two:
            self.divider = OddDivider(formats.spread_width, formats.odd_fraction, config.counts)
        self.magnitude = Magnitude(formats.normalised_width, formats.mantissa_width)
        steps = [self.divider, self.magnitude] if self.divider else [self.magnitude]
        self.latency = self.accumulator.latency + sum(1 + step.latency for step in steps)
        self.interval = max(self.accumulator.latency, *(1 + step.interval for step in steps))
        self.held = 1 + len(steps)
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.accumulator = accumulator = self.accumulator
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        wiring.connect(m, wiring.flipped(self.i_mean), accumulator.i_mean)

        def channel(name: str, width: int) -> Register:
            """A register for a channel between two steps."""
            fields = {
                "value": unsigned(width),
                "sign_count": signed(formats.sign_count_width),
                "select": unsigned(formats.select_width),
            }
            register = m.submodules[name] = Register(data.StructLayout(fields))
            return register

        deviations = channel("deviations", formats.spread_width)
        m.d.comb += [
            deviations.i.valid.eq(accumulator.o.valid),
            accumulator.o.ready.eq(deviations.i.ready),
            deviations.i.payload.value.eq(accumulator.o.payload.deviation),
            deviations.i.payload.sign_count.eq(accumulator.o.payload.sign_count),
            deviations.i.payload.select.eq(accumulator.o.payload.select),
        ]
        before = deviations
        if self.divider:
            m.submodules.divider = divider = self.divider
            before = channel("quotients", formats.normalised_width)
            m.d.comb += [
                divider.i.valid.eq(deviations.o.valid),
                deviations.o.ready.eq(divider.i.ready),
                divider.i.payload.value.eq(deviations.o.payload.value),
                divider.i.payload.select.eq(deviations.o.payload.select),
                before.i.valid.eq(divider.o.valid),
                divider.o.ready.eq(before.i.ready),
                before.i.payload.value.eq(divider.o.payload),
                before.i.payload.sign_count.eq(deviations.o.payload.sign_count),
                before.i.payload.select.eq(deviations.o.payload.select),
            ]
        m.submodules.magnitude = magnitude = self.magnitude
        fixed = formats.guard_bits + formats.mantissa_width - formats.spread_width
        exponents = [power + fixed for power in formats.powers]
        m.d.comb += [
            magnitude.i.valid.eq(before.o.valid),
            before.o.ready.eq(magnitude.i.ready),
            magnitude.i.payload.eq(before.o.payload.value),
            self.o.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(self.o.ready),
            self.o.payload.r_mantissa.eq(magnitude.o.payload.mantissa),
            self.o.payload.r_exponent.eq(magnitude.o.payload.zeros + lookup(exponents, before.o.payload.select)),
            self.o.payload.sign_count.eq(before.o.payload.sign_count),
        ]
        return m
