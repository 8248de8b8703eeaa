"""Sums about a guessed mean: what lies above a pivot, how much of it, and what lies close to the pivot."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from ..errors import require_packets
from ..numbers.formats import clog2
from ..streams.guesses import guess_layout, window_mask
from ..streams.layouts import inlet, outlet, packet
from .gate import PacketGate
from .sums import begin_with, gate_channels
from .total import ChannelCount, ChannelTotal, add_lanes, delayed, delayed_flag, delayed_or_zero, tree_latency

__all__ = ["ExcessSums"]

GROUP = 4
"""Bits that are compared in one stage."""


class ExcessSums(wiring.Component):
    """The per-element half of L1 in one pass: a subtractor and a gated adder per lane.

    With the pivot p a lane computes e = x - p - 1, whose sign tells whether x > p.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel
    greatest_level : the highest level of the window

    Members
    -------
    i : packets
    i_guess : :func:`guess_layout`; one per packet, taken with its first beat
    o : ``{excess, above, equal}``: the sum of the e that are not negative (unsigned, exact), their number, and the
        number of x = p
    beat, final : a beat has been looked at, and it is the last one of its channel; before ``o`` is valid
    closing : the guess of the channel whose final beat went in last
    entries, listed : with ``beat``, for each lane: e as ``greatest_level`` bits, signed, and whether it is inside the
        window and not -1

    Latency: ``latency`` cycles from the final beat.
    """

    def __init__(self, width: int, lanes: int, count: int, greatest_level: int):
        require_packets(width, lanes, [count])
        self.width, self.lanes, self.greatest_level = width, lanes, greatest_level
        self.entered = 4 + tree_latency(lanes)
        self.excess = ChannelTotal(unsigned(width + tree_latency(lanes)), width + clog2(count))
        self.above, self.equal = (
            ChannelCount(1 + tree_latency(lanes), count.bit_length()) for _ in range(2)
        )
        # The equal ones are known a cycle after those above.
        self.latency = PacketGate.latency + 1 + self.entered + max(self.excess.latency, 1 + ChannelCount.latency)
        sums = {"excess": self.excess.width, "above": self.above.width, "equal": self.equal.width}
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_guess": inlet(guess_layout(width, greatest_level)),
                "o": outlet(data.StructLayout(sums)),
                "closing": Out(guess_layout(width, greatest_level)),
                "beat": Out(1),
                "final": Out(1),
                "entries": Out(data.ArrayLayout(signed(greatest_level), lanes)),
                "listed": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.excess = total = self.excess
        m.submodules.above = above = self.above
        m.submodules.equal = equal = self.equal
        gate = gate_channels(m, self.i, self.o, total.done if total.latency > 1 + ChannelCount.latency else equal.done)
        begin_with(m, gate, self.i_guess)
        guess = self.i_guess.payload
        complement = Signal(signed(self.width), reset_less=True)
        level = Signal.like(guess.level, reset_less=True)
        with m.If(self.i_guess.ready):
            m.d.sync += [complement.eq(~guess.pivot), level.eq(guess.level)]
        mask = delayed(m, window_mask(level, self.width, self.greatest_level), 1)
        has_list = delayed(m, level.any(), 2)
        with m.If(delayed_flag(m, gate.passes & gate.beat.last, 2)):
            m.d.sync += [self.closing.pivot.eq(~complement), self.closing.level.eq(level)]
        kept, is_above, is_equal, is_listed = [], [], [], []
        for lane in range(self.lanes):
            sample = delayed(m, gate.beat.data[lane], 2)
            difference = Signal(signed(self.width + 1), reset_less=True)
            m.d.sync += difference.eq(sample + complement)
            sign = difference[-1]
            outside = (difference[:-1] ^ sign.replicate(self.width)) & mask
            is_near = ~in_groups(m, outside, Value.any).any()
            is_minus_one = in_groups(m, difference, Value.all).all()
            kept.append(delayed_or_zero(m, difference[:-1], ~sign))
            is_above.append(delayed(m, ~sign, 1))
            is_equal.append(delayed(m, is_minus_one, 1))
            is_listed.append(delayed(m, is_near & ~is_minus_one & has_list, 1))
            m.d.comb += self.entries[lane].eq(delayed(m, difference[: self.greatest_level], 2).as_signed())

        entered = self.entered
        valid, last = delayed_flag(m, gate.passes, entered), delayed_flag(m, gate.beat.last, entered)
        m.d.comb += [
            total.valid.eq(valid),
            total.last.eq(last),
            total.addend.eq(add_lanes(m, kept)),
            above.valid.eq(valid),
            above.last.eq(last),
            above.addend.eq(add_lanes(m, is_above)),
            equal.valid.eq(delayed_flag(m, valid, 1)),
            equal.last.eq(delayed_flag(m, last, 1)),
            equal.addend.eq(add_lanes(m, is_equal)),
            self.o.payload.excess.eq(total.total),
            self.o.payload.above.eq(above.total),
            self.o.payload.equal.eq(equal.total),
            self.listed.eq(Cat(is_listed)),
            self.beat.eq(delayed_flag(m, gate.passes, 5)),
            self.final.eq(delayed_flag(m, gate.beat.last, 5)),
        ]
        return m


def in_groups(m: Module, bits: Value, reduction: Callable[[Value], Value]) -> Value:
    """The reduction of each group of bits, a cycle later."""
    return Cat(delayed(m, reduction(bits[low : low + GROUP]), 1) for low in range(0, len(bits), GROUP))
