"""Accumulators: one packet in, one item of exact integer sums out."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring

from ..formats import clog2
from ..layouts import inlet, outlet, packet
from .total import ChannelTotal, add_lanes, delayed, delayed_flag, tree_latency

__all__ = ["DeviationSums", "SumAccumulator", "close_channel"]


def close_channel(m: Module, i: stream.Interface, o: stream.Interface, ready: Value, done: Value) -> Value:
    """Handshake of an accumulator: one channel may be closing while the next one comes in.

    From the final beat of a channel until its sums have left, the final beat of the next channel has to wait;
    all others pass. Returns the strobe "a beat is taken".
    """
    closing = Signal()
    taken = Signal()
    m.d.comb += [
        i.ready.eq(ready & ~(closing & i.payload.last)),
        taken.eq(i.valid & i.ready),
    ]
    with m.If(done):
        m.d.sync += o.valid.eq(1)
    with m.Elif(o.ready):
        m.d.sync += o.valid.eq(0)
    with m.If(taken & i.payload.last):
        m.d.sync += closing.eq(1)
    with m.Elif(o.valid & o.ready):
        m.d.sync += closing.eq(0)
    return taken


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

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels, if the sum is taken
    before the next channel's final beat.
    """

    def __init__(self, width: int, lanes: int, count: int):
        self.width, self.lanes = width, lanes
        self.sum_width = width + clog2(count)
        self.total = ChannelTotal(signed(width + tree_latency(lanes)), self.sum_width)
        self.latency = 2 + tree_latency(lanes) + self.total.latency
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "o": outlet(data.StructLayout({"sum": signed(self.sum_width)})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.total = total = self.total
        taken = close_channel(m, self.i, self.o, Value.cast(1), total.done)
        samples = [delayed(m, self.i.payload.data[lane], 1) for lane in range(self.lanes)]
        entered = 1 + tree_latency(self.lanes)
        m.d.comb += [
            total.valid.eq(delayed_flag(m, taken, entered)),
            total.last.eq(delayed_flag(m, self.i.payload.last, entered)),
            total.addend.eq(add_lanes(m, samples)),
            self.o.payload.sum.eq(total.total),
        ]
        return m


class DeviationSums(wiring.Component):
    """The per-element half of the mean absolute deviation: a comparator and an adder per lane.

    With m = floor(mean), the sum of x over x > m and the numbers of x > m and of x = m are all that
    sum |x - mean| and sum sgn(x - mean) need; see :class:`l1bn.operators.deviation.SignAbsAccumulator`.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel

    Members
    -------
    i : packets
    i_floor : ``floor(mean)``, signed, ``width`` bits; one per packet, taken with its final beat
    o : ``{above_sum, above, level}``: sum of the samples above the floor (signed, exact), how many they are,
        and how many equal the floor

    Latency: ``latency`` cycles from the final beat.
    """

    def __init__(self, width: int, lanes: int, count: int):
        self.width, self.lanes = width, lanes
        tally = unsigned(1 + tree_latency(lanes))
        self.above_sum = ChannelTotal(signed(width + tree_latency(lanes)), width + clog2(count))
        self.above = ChannelTotal(tally, count.bit_length())
        self.level = ChannelTotal(tally, count.bit_length())
        self.latency = 4 + tree_latency(lanes) + self.above_sum.latency
        sums = {
            "above_sum": signed(self.above_sum.width),
            "above": self.above.width,
            "level": self.level.width,
        }
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_floor": inlet(signed(width)),
                "o": outlet(data.StructLayout(sums)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.above_sum = above_sum = self.above_sum
        m.submodules.above = above = self.above
        m.submodules.level = level = self.level
        taken = close_channel(m, self.i, self.o, self.i_floor.valid, above_sum.done)
        m.d.comb += self.i_floor.ready.eq(taken & self.i.payload.last)

        floor = delayed(m, self.i_floor.payload, 1)
        terms, is_above, is_level = [], [], []
        for lane in range(self.lanes):
            sample = delayed(m, self.i.payload.data[lane], 1)
            greater, equal = Signal(reset_less=True), Signal(reset_less=True)
            term = Signal(signed(self.width), reset_less=True)
            m.d.sync += [greater.eq(sample > floor), equal.eq(sample == floor)]
            m.d.sync += term.eq(Mux(greater, delayed(m, sample, 1), 0))
            terms.append(term)
            is_above.append(delayed(m, greater, 1))
            is_level.append(delayed(m, equal, 1))

        entered = 3 + tree_latency(self.lanes)
        valid = delayed_flag(m, taken, entered)
        last = delayed_flag(m, self.i.payload.last, entered)
        for total, addends in (above_sum, terms), (above, is_above), (level, is_level):
            m.d.comb += [
                total.valid.eq(valid),
                total.last.eq(last),
                total.addend.eq(add_lanes(m, addends)),
            ]
        m.d.comb += [
            self.o.payload.above_sum.eq(above_sum.total),
            self.o.payload.above.eq(above.total),
            self.o.payload.level.eq(level.total),
        ]
        return m
