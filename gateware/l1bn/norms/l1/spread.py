"""L1: r = M[|x - mean|] + epsilon."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import data, wiring

from ...beats.deviation import SignAbsAccumulator
from ...channels.turns import held_by, pace_of
from ...numbers.formats import Formats
from ...streams.layouts import (
    channel_mean,
    copied,
    inlet,
    outlet,
    packet,
    select_field,
    spread_result,
)
from ...streams.registers import ChannelRegister
from ..absolute import give_r, magnitude_of_sum
from ..epsilon import add_fraction, whole_spread

__all__ = ["L1Spread"]


class L1Spread(wiring.Component):
    """The spread of L1BN: sign-abs accumulation, division by the count, normalisation.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`.
    """

    after_mean = True

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = SignAbsAccumulator(
            config.width, config.lanes, config.counts, formats.guard_bits, formats.epsilon_wholes, config.interval
        )
        signs = {name: found.shape for name, found in formats.traits.statistics(formats).items()}
        tag = data.StructLayout({**signs, **select_field(formats.select_width)})
        self.magnitude = magnitude_of_sum(formats, tag, config.interval)
        self.held = 1 + held_by(self.accumulator.deviation) + self.magnitude.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def latency(self, mean_latency: int) -> int:
        return self.accumulator.latency + ChannelRegister.latency + self.magnitude.latency

    def interval(self, mean_latency: int) -> int:
        return max(self.accumulator.pace, pace_of(self.magnitude))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.magnitude = magnitude = self.magnitude
        spread = whole_spread(formats, magnitude.i.payload.tag.shape())
        m.submodules.deviations = deviations = ChannelRegister(spread)
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        add_fraction(m, formats, deviations.o, magnitude.i)

        m.d.comb += [
            accumulator.i_mean.valid.eq(self.i_mean.valid),
            self.i_mean.ready.eq(accumulator.i_mean.ready),
            *copied(self.i_mean.payload, accumulator.i_mean.payload),
            deviations.i.valid.eq(accumulator.o.valid),
            accumulator.o.ready.eq(deviations.i.ready),
            deviations.i.payload.value.eq(accumulator.o.payload.deviation),
            *copied(accumulator.o.payload, deviations.i.payload.tag),
        ]
        give_r(m, formats, magnitude, wiring.flipped(self.o))
        return m
