"""Accumulators: one packet in, one item of exact integer sums out."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring

from ..errors import require_packets
from ..logic.operator import computes
from ..numbers.formats import clog2
from ..streams.layouts import inlet, outlet, packet
from .gate import PacketGate
from .total import (
    ChannelCount,
    ChannelTotal,
    add_lanes,
    add_lanes_and_carries,
    delayed,
    delayed_flag,
    tree_latency,
)

__all__ = ["DeviationSums", "SumAccumulator", "begin_with", "gate_channels"]


def gate_channels(m: Module, i: stream.Interface, o: stream.Interface, done: Value) -> PacketGate:
    """The entry of an accumulator: one channel may be closing while the next one comes in.

    From the final beat of a channel until its sums have left, the final beat of the next channel has to wait. ``done``
    strobes when the sums are there.
    """
    m.submodules.gate = gate = PacketGate(i.payload.shape())
    wiring.connect(m, wiring.flipped(i), gate.i)
    m.d.sync += [
        o.valid.eq(done | (o.valid & ~o.ready)),
        gate.busy.eq((gate.passes & gate.beat.last) | (gate.busy & ~(o.valid & o.ready))),
    ]
    return gate


def begin_with(m: Module, gate: PacketGate, item: stream.Interface) -> None:
    """Let each packet wait for an item, which is taken in the cycle after its first beat went on."""
    taking = Signal()
    m.d.sync += taking.eq(gate.passes & gate.first)
    m.d.comb += [gate.begin.eq(item.valid & ~taking), item.ready.eq(taking)]


@computes("l1bn_golden.samples.channel_sum")
class SumAccumulator(wiring.Component):
    """Sum over a channel: the mean before its division.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel

    Members
    -------
    i : packets
    o : ``{sum}``, signed, ``width + clog2(count)`` bits, exact

    Attributes
    ----------
    closes : 1 in the cycle in which the final beat of a channel goes in; what waits outside for its sum moves on then

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels, if the sum is taken
    before the next channel's final beat.
    """

    interval = 1

    def __init__(self, width: int, lanes: int, count: int):
        require_packets(width, lanes, [count])
        self.width, self.lanes = width, lanes
        self.closes = Signal()
        self.sum_width = width + clog2(count)
        self.total = ChannelTotal(signed(width + tree_latency(lanes)), self.sum_width)
        self.latency = PacketGate.latency + 2 + tree_latency(lanes) + self.total.latency
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "o": outlet(data.StructLayout({"sum": signed(self.sum_width)})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.total = total = self.total
        gate = gate_channels(m, self.i, self.o, total.done)
        samples = [delayed(m, gate.beat.data[lane], 1) for lane in range(self.lanes)]
        entered = 1 + tree_latency(self.lanes)
        m.d.comb += [
            self.closes.eq(gate.passes & gate.beat.last),
            total.valid.eq(delayed_flag(m, gate.passes, entered)),
            total.last.eq(delayed_flag(m, gate.beat.last, entered)),
            total.addend.eq(add_lanes(m, samples)),
            self.o.payload.sum.eq(total.total),
        ]
        return m


@computes("l1bn_golden.samples.sign_abs")
class DeviationSums(wiring.Component):
    """The per-element half of the mean absolute deviation: a subtractor, an inverter and an adder per lane.

    With m = floor(mean), a lane computes d = x - m - 1, whose sign tells whether x > m. Then |x - m| is
    d + 1 or ~d, and the 1 enters as a carry of the adders that there are anyway.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel

    Members
    -------
    i : packets
    i_mean : ``{floor, whole}``: m, signed, ``width`` bits, and whether the mean is m; one per packet, taken with its
        first beat
    o : ``{absolute_sum, score}``: sum |x - m| (unsigned, exact), and 2 for each sample that is greater than the mean
        and 1 for each that equals it

    Attributes
    ----------
    closes : as in :class:`SumAccumulator`

    Latency: ``latency`` cycles from the final beat.
    """

    interval = 1

    def __init__(self, width: int, lanes: int, count: int):
        require_packets(width, lanes, [count])
        self.width, self.lanes = width, lanes
        self.closes = Signal()
        self.entered = 4 + tree_latency(lanes)
        self.absolute_sum = ChannelTotal(unsigned(width + tree_latency(lanes)), width + clog2(count))
        self.score = ChannelCount(2 + tree_latency(lanes), (2 * count).bit_length())
        self.latency = (
            PacketGate.latency + 1 + self.entered + max(self.absolute_sum.latency, self.score.latency)
        )
        sums = {"absolute_sum": self.absolute_sum.width, "score": self.score.width}
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_mean": inlet(data.StructLayout({"floor": signed(width), "whole": 1})),
                "o": outlet(data.StructLayout(sums)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.absolute_sum = absolute_sum = self.absolute_sum
        m.submodules.score = score = self.score
        done = score.done if absolute_sum.latency <= score.latency else absolute_sum.done
        gate = gate_channels(m, self.i, self.o, done)
        begin_with(m, gate, self.i_mean)
        complement = Signal(signed(self.width), reset_less=True)
        mean_is_whole = Signal(reset_less=True)
        with m.If(self.i_mean.ready):
            m.d.sync += [
                complement.eq(~self.i_mean.payload.floor),
                mean_is_whole.eq(self.i_mean.payload.whole),
            ]
        whole = delayed(m, mean_is_whole, 2)
        deviations, is_above, scores = [], [], []
        for lane in range(self.lanes):
            sample = delayed(m, gate.beat.data[lane], 2)
            difference = Signal(signed(self.width + 1), reset_less=True)
            deviation = Signal(self.width, reset_less=True)
            greater = Signal(reset_less=True)
            m.d.sync += [
                difference.eq(sample + complement),
                deviation.eq(difference[:-1] ^ difference[-1].replicate(self.width)),
                greater.eq(~difference[-1]),
            ]
            deviations.append(deviation)
            is_above.append(greater)
            # All bits are ones where x = m: in fours first.
            fours = [delayed(m, difference[low : low + 4].all(), 1) for low in range(0, self.width + 1, 4)]
            scores.append(Cat(Cat(fours).all() & whole, greater))

        entered = self.entered
        valid = delayed_flag(m, gate.passes, entered)
        last = delayed_flag(m, gate.beat.last, entered)
        addend, carry = add_lanes_and_carries(m, deviations, is_above)
        m.d.comb += [
            self.closes.eq(gate.passes & gate.beat.last),
            absolute_sum.valid.eq(valid),
            absolute_sum.last.eq(last),
            absolute_sum.addend.eq(addend),
            absolute_sum.carry.eq(carry),
            score.valid.eq(valid),
            score.last.eq(last),
            score.addend.eq(add_lanes(m, scores)),
            self.o.payload.absolute_sum.eq(absolute_sum.total),
            self.o.payload.score.eq(score.total),
        ]
        return m
