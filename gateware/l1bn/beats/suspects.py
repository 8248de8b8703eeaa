"""The lists of suspects: samples so close to a guessed mean that the mean decides on which side they are."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..primitives import primitives
from ..primitives.portable import SampleMemory
from .total import delayed, delayed_flag

__all__ = ["SuspectLists"]

SMALL = 128
"""Words up to which a memory is none for a block RAM."""


class SuspectLists(wiring.Component):
    """A list for each lane, which one channel fills while that of the channel before is read.

    Parameters
    ----------
    width : bits of an entry, signed
    lanes : lists
    depth : entries of a list, a power of two
    target : whose memories to use, see :func:`l1bn.primitives.primitives`

    Members
    -------
    beat, final, entries, listed : as of :class:`l1bn.beats.excess.ExcessSums`. With ``final`` the lists of the channel
        are closed, a cycle later, and nothing may be left of those of the channel before
    overflow : an entry of the closed lists found no place
    more : of the closed lists some entries are left
    step : read one of each list that has any; at 1 only while ``more``
    present, read : ``latency`` cycles after a step, for each lane: whether there was an entry, and the entry
    """

    latency = 2

    def __init__(self, width: int, lanes: int, depth: int, target: str = "portable"):
        self.width, self.lanes, self.depth = width, lanes, depth
        # A memory of few words is better left to the tools, which know of smaller ones than blocks.
        memory = SampleMemory if 2 * depth <= SMALL else primitives(target).memory
        self.memories = [memory(width, 2 * depth) for _ in range(lanes)]
        entries = data.ArrayLayout(signed(width), lanes)
        super().__init__(
            {
                "beat": In(1),
                "final": In(1),
                "entries": In(entries),
                "listed": In(lanes),
                "overflow": Out(1),
                "more": Out(1),
                "step": In(1),
                "present": Out(lanes),
                "read": Out(entries),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bank = Signal()  # that is being filled
        closes = self.beat & self.final
        closed = delayed_flag(m, closes, 1)
        fresh = Signal(init=1)  # the next beat is the first one of a channel
        with m.If(closes):
            m.d.sync += bank.eq(~bank)
        with m.If(self.beat):
            m.d.sync += fresh.eq(self.final)
        left_any, too_many = [], []
        for lane, memory in enumerate(self.memories):
            m.submodules[f"memory_{lane}"] = memory
            filled = Signal(range(self.depth + 1))
            overflow = Signal()
            left = Signal(range(self.depth + 1))
            some_left = Signal()
            listed = self.listed[lane]
            full = filled[-1] & ~fresh
            counted = Signal.like(filled)
            m.d.comb += counted.eq(Mux(fresh, 0, filled) + (listed & ~full))
            # The first entry is at 1, the last one that fits at 0: where it is is how many there are.
            written = Cat(counted[:-1], bank)
            write = Signal()
            entry = Signal(self.width, reset_less=True)
            m.d.sync += write.eq(self.beat & listed & ~full)
            with m.If(listed):
                m.d.sync += entry.eq(self.entries[lane])
            m.d.comb += [
                memory.w_enable.eq(write),
                memory.w_address.eq(delayed(m, written, 1)),
                memory.w_data.eq(entry),
                memory.r_enable.eq(self.step),
                memory.o_enable.eq(delayed_flag(m, self.step, 1)),
                memory.r_address.eq(Cat(left[:-1], ~bank)),
                self.present[lane].eq(delayed_flag(m, self.step & some_left, self.latency)),
                self.read[lane].eq(memory.o_data),
            ]
            with m.If(self.beat):
                m.d.sync += [filled.eq(counted), overflow.eq((overflow & ~fresh) | (listed & full))]
            closed_overflow = Signal()
            with m.If(closed):
                m.d.sync += [left.eq(filled), some_left.eq(filled.any()), closed_overflow.eq(overflow)]
            with m.Elif(self.step & some_left):
                m.d.sync += [left.eq(left - 1), some_left.eq(left[1:].any())]
            left_any.append(some_left)
            too_many.append(closed_overflow)
        m.d.comb += [self.more.eq(Cat(left_any).any()), self.overflow.eq(Cat(too_many).any())]
        return m
