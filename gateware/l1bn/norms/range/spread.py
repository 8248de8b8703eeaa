"""Range: r = max x - min x + epsilon, in the same pass as the mean."""

from __future__ import annotations

from amaranth.hdl import Const, Module
from amaranth.lib import data, wiring

from ...beats.extremes import ExtremesAccumulator
from ...channels.magnitude import Magnitude
from ...channels.turns import pace_of, registered_in_turns
from ...logic.sequence import settled
from ...logic.settle import settling_cycles, settling_sum
from ...numbers.formats import Formats
from ...streams.layouts import channel_mean, copied, inlet, outlet, own_statistics, packet, spread_result
from ...streams.registers import ChannelRegister
from ..epsilon import add_fraction, whole_spread

__all__ = ["RangeSpread"]


class RangeSpread(wiring.Component):
    """The spread of range batch normalisation: two comparators a lane, a subtraction a channel, no multiplier.

    Neither the mean nor the count enters, so nothing waits for them.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`.
    """

    after_mean = False

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = ExtremesAccumulator(config.width, config.lanes, formats.count_max)
        fraction = formats.epsilon_fraction
        width = formats.spread_width + fraction
        own = data.StructLayout(own_statistics(formats))
        self.magnitude = registered_in_turns(
            lambda: Magnitude(width, formats.mantissa_width, own, fraction), config.interval
        )
        # The difference settles first, then its sum with epsilon.
        self.settling = 2 * settling_cycles(formats.spread_width) + 1
        self.held = 2 + self.magnitude.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    @property
    def _subtraction(self) -> int:
        """Cycles from the extremes until the spread is known."""
        return self.settling + ChannelRegister.latency

    def latency(self, mean_latency: int) -> int:
        found = (
            self.accumulator.latency + self._subtraction + ChannelRegister.latency + self.magnitude.latency
        )
        # A mean that comes later still has to go through the registers beside this spread.
        return max(found, mean_latency + (self.held + 1) * ChannelRegister.latency)

    def interval(self, mean_latency: int) -> int:
        return max(self.accumulator.latency + self._subtraction + 1, pace_of(self.magnitude))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, width = self.formats, self.formats.spread_width
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.magnitude = magnitude = self.magnitude
        m.submodules.extremes = extremes = ChannelRegister(accumulator.o.payload.shape())
        m.submodules.ranges = ranges = ChannelRegister(whole_spread(formats, magnitude.i.payload.tag.shape()))
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        wiring.connect(m, accumulator.o, extremes.i)
        found = extremes.o.payload
        difference = settling_sum(m, found.maximum, ~found.minimum, width, carry=1)
        whole = settling_sum(m, difference, Const(formats.epsilon_wholes[0]), width)
        add_fraction(m, formats, ranges.o, magnitude.i)
        result = magnitude.o.payload
        leaves = ranges.i.valid & ranges.i.ready
        m.d.comb += [
            self.i_mean.ready.eq(1),
            ranges.i.valid.eq(settled(m, extremes.o.valid, leaves, self.settling)),
            extremes.o.ready.eq(leaves),
            ranges.i.payload.value.eq(whole),
            *copied(found, ranges.i.payload.tag),
            self.o.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(self.o.ready),
            self.o.payload.r_mantissa.eq(result.mantissa),
            self.o.payload.r_exponent.eq(result.zeros + formats.mantissa_width - width),
            *copied(result.tag, self.o.payload),
        ]
        return m
