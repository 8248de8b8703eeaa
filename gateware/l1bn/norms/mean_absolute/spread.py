"""Mean absolute: r = M[abs x] + epsilon, in one pass."""

from __future__ import annotations

from amaranth.hdl import Module, unsigned
from amaranth.lib import data, wiring

from ...beats.gate import PacketGate
from ...beats.sums import gate_channels
from ...beats.total import ChannelTotal, add_lanes_and_carries, delayed, delayed_flag, tree_latency
from ...channels.turns import pace_of
from ...errors import require_packets
from ...logic.sequence import settled
from ...logic.settle import settling_cycles, settling_sum
from ...logic.table import lookup
from ...numbers.formats import Formats, clog2
from ...streams.layouts import (
    channel_mean,
    copied,
    inlet,
    outlet,
    packet,
    select_field,
    selected,
    spread_result,
)
from ...streams.registers import ChannelRegister
from ..absolute import give_r, magnitude_of_sum
from ..epsilon import add_fraction, whole_spread

__all__ = ["AbsoluteAccumulator", "MeanAbsoluteSpread"]


class AbsoluteAccumulator(wiring.Component):
    """Sum of the absolute values of a channel.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel

    Members
    -------
    i : packets
    o : ``{absolute_sum}``, unsigned, exact, ``width + clog2(count)`` bits

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels, if the sum is taken before the
    next channel's final beat.
    """

    def __init__(self, width: int, lanes: int, count: int):
        require_packets(width, lanes, [count])
        self.width, self.lanes = width, lanes
        self.total = ChannelTotal(unsigned(width + tree_latency(lanes)), width + clog2(count))
        self.latency = PacketGate.latency + 2 + tree_latency(lanes) + self.total.latency
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "o": outlet(data.StructLayout({"absolute_sum": self.total.width})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.total = total = self.total
        gate = gate_channels(m, self.i, self.o, total.done)
        samples = [gate.beat.data[lane] for lane in range(self.lanes)]
        signs = [delayed(m, sample[-1], 1) for sample in samples]
        # The absolute value of a negative number is its complement and the 1 that its sign adds in the tree.
        absolutes = [delayed(m, sample[:-1] ^ sample[-1].replicate(self.width - 1), 1) for sample in samples]
        addend, carry = add_lanes_and_carries(m, absolutes, signs)
        entered = 1 + tree_latency(self.lanes)
        m.d.comb += [
            total.valid.eq(delayed_flag(m, gate.passes, entered)),
            total.last.eq(delayed_flag(m, gate.beat.last, entered)),
            total.addend.eq(addend),
            total.carry.eq(carry),
            self.o.payload.absolute_sum.eq(total.total),
        ]
        return m


class MeanAbsoluteSpread(wiring.Component):
    """The spread of mean absolute normalisation: an adder a lane, and nothing waits for a mean.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`.
    """

    after_mean = False

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = AbsoluteAccumulator(config.width, config.lanes, formats.count_max)
        tag = data.StructLayout(select_field(formats.select_width))
        self.magnitude = magnitude_of_sum(formats, tag, config.interval)
        self.settling = settling_cycles(formats.spread_width)
        self.held = 1 + self.magnitude.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def latency(self, mean_latency: int) -> int:
        registers = 2 * ChannelRegister.latency
        return self.accumulator.latency + self.settling + registers + self.magnitude.latency

    def interval(self, mean_latency: int) -> int:
        return max(self.accumulator.latency + 1, self.settling + 2, pace_of(self.magnitude))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, width = self.formats, self.formats.spread_width
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.magnitude = magnitude = self.magnitude
        m.submodules.sums = sums = ChannelRegister(accumulator.o.payload.shape())
        m.submodules.spreads = spreads = ChannelRegister(whole_spread(formats, magnitude.i.payload.tag.shape()))
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        wiring.connect(m, accumulator.o, sums.i)
        add_fraction(m, formats, spreads.o, magnitude.i)
        epsilon = lookup(formats.epsilon_wholes, selected(self.i_mean.payload))
        whole = settling_sum(m, sums.o.payload.absolute_sum, epsilon, width)
        leaves = spreads.i.valid & spreads.i.ready
        m.d.comb += [
            spreads.i.valid.eq(settled(m, sums.o.valid & self.i_mean.valid, leaves, self.settling)),
            sums.o.ready.eq(leaves),
            self.i_mean.ready.eq(leaves),
            spreads.i.payload.value.eq(whole),
            *copied(self.i_mean.payload, spreads.i.payload.tag),
        ]
        give_r(m, formats, magnitude, wiring.flipped(self.o))
        return m
