"""Accumulators: one packet in, one item of exact integer sums out."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring

from ..formats import clog2
from ..layouts import inlet, outlet, packet
from .total import (
    ChannelCount,
    ChannelTotal,
    add_lanes,
    add_lanes_and_carries,
    delayed,
    delayed_flag,
    tree_latency,
)

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
    i_floor : m, signed, ``width`` bits; one per packet, taken with its final beat
    o : ``{absolute_sum, above, level}``: sum |x - m| (unsigned, exact), how many samples are greater than m,
        and how many equal it

    Latency: ``latency`` cycles from the final beat.
    """

    def __init__(self, width: int, lanes: int, count: int):
        self.width, self.lanes = width, lanes
        entered = tree_latency(lanes)
        self.absolute_sum = ChannelTotal(unsigned(width + entered), width + clog2(count))
        self.above = ChannelCount(1 + entered, count.bit_length())
        self.level = ChannelCount(1 + entered, count.bit_length())
        self.latency = 4 + entered + self.absolute_sum.latency
        sums = {
            "absolute_sum": self.absolute_sum.width,
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
        m.submodules.absolute_sum = absolute_sum = self.absolute_sum
        m.submodules.above = above = self.above
        m.submodules.level = level = self.level
        taken = close_channel(m, self.i, self.o, self.i_floor.valid, absolute_sum.done)
        m.d.comb += self.i_floor.ready.eq(taken & self.i.payload.last)

        complement = delayed(m, ~self.i_floor.payload, 1)
        deviations, is_above, is_level = [], [], []
        for lane in range(self.lanes):
            sample = delayed(m, self.i.payload.data[lane], 1)
            difference = Signal(signed(self.width + 1), reset_less=True)
            deviation = Signal(self.width, reset_less=True)
            greater = Signal(reset_less=True)
            equal = Signal(reset_less=True)
            m.d.sync += [
                difference.eq(sample + complement),
                deviation.eq(difference[:-1] ^ difference[-1].replicate(self.width)),
                greater.eq(~difference[-1]),
                equal.eq(difference.all()),
            ]
            deviations.append(deviation)
            is_above.append(greater)
            is_level.append(equal)

        entered = 3 + tree_latency(self.lanes)
        valid = delayed_flag(m, taken, entered)
        last = delayed_flag(m, self.i.payload.last, entered)
        addend, carry = add_lanes_and_carries(m, deviations, is_above)
        m.d.comb += [
            absolute_sum.addend.eq(addend),
            absolute_sum.carry.eq(carry),
            above.addend.eq(add_lanes(m, is_above)),
            level.addend.eq(add_lanes(m, is_level)),
        ]
        for total in absolute_sum, above, level:
            m.d.comb += [total.valid.eq(valid), total.last.eq(last)]
        m.d.comb += [
            self.o.payload.absolute_sum.eq(absolute_sum.total),
            self.o.payload.above.eq(above.total),
            self.o.payload.level.eq(level.total),
        ]
        return m
