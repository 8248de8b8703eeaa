"""Where samples wait for a spread that guesses: a channel whose guess was bad passes once more."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..numbers.formats import Formats
from .guard import PacketGuard
from .layouts import copied, inlet, next_pass, outlet, packet
from .registers import fork
from .repeat_buffer import RepeatBuffer

__all__ = ["AnsweredChannels", "RepeatedChannels"]

UNDER_WAY = 4
"""Bits that count passes between their end and their judgement; each of those keeps a register of the unit."""


def checked_packet(formats: Formats) -> data.StructLayout:
    """A beat of a packet that has the right length, or else an ``error``."""
    return packet(formats.config.width, formats.config.lanes, formats.select_width, error=True)


def guessed_passes(formats: Formats) -> dict[str, In | Out]:
    """The members of a storage for a spread that guesses."""
    config = formats.config
    return {
        "i": inlet(packet(config.width, config.lanes, formats.select_width)),
        "o_0": outlet(checked_packet(formats)),
        "o_1": outlet(checked_packet(formats)),
        "judged": In(1),
        "again": In(1),
        "flushing": Out(1),
        "restart": Out(1),
    }


class RepeatedChannels(wiring.Component):
    """Storage inside that goes back to a channel which was missed.

    Channels pass as they come in, and are kept until their last pass. When one was missed, the pass that has begun
    meanwhile is cut off, all that is on its way is flushed, the channels before it have their last pass, and then all
    that is kept passes again, from the missed channel on.

    Parameters
    ----------
    formats : derived formats of the unit
    wait : the cycles from the final beat of a channel until its last pass begins, if it was not missed

    Members
    -------
    i : packets from outside
    o_0, o_1 : the passes for the statistics, and the last passes, both with ``select`` and ``error``
    judged, again, flushing, restart : of :class:`l1bn.streams.pivots.Pivots`
    """

    turnaround = 9
    """Cycles from a judgement until the first beat of the channel passes again, if nothing else is under way."""

    def __init__(self, formats: Formats, wait: int):
        config = formats.config
        self.guard = PacketGuard(config.width, config.lanes, formats.beats, sendings=1)
        self.buffer = RepeatBuffer(checked_packet(formats), max(formats.beats) + wait, config.target)
        super().__init__(guessed_passes(formats))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.guard = guard = self.guard
        m.submodules.buffer = buffer = self.buffer
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        begun = Signal()  # the pass at o_0 is not at its end
        passing = Signal(UNDER_WAY)  # passes that have ended and were not judged
        owed = Signal(UNDER_WAY)  # channels that were not missed and had no last pass yet
        repeats = Signal()  # what passes comes from the buffer
        flushing = Signal()
        m.d.comb += [
            self.flushing.eq(flushing),
            *copied(guard.o.payload, buffer.i.payload),
            *copied(buffer.o.payload, self.o_1.payload),
        ]
        ends = self.o_0.valid & self.o_0.ready & self.o_0.payload.last
        hits = self.judged & ~self.again & ~flushing
        leaves = self.o_1.valid & self.o_1.ready & self.o_1.payload.last
        with m.If(self.o_0.valid & self.o_0.ready):
            m.d.sync += begun.eq(~self.o_0.payload.last)
        with m.If(ends ^ self.judged):
            m.d.sync += passing.eq(Mux(ends, passing + 1, passing - 1))
        with m.If(hits ^ leaves):
            m.d.sync += owed.eq(Mux(hits, owed + 1, owed - 1))
        with m.If(self.again):
            m.d.sync += flushing.eq(1)

        def pass_on() -> None:
            """As they come in, to be kept."""
            m.d.comb += copied(guard.o.payload, self.o_0.payload)
            fork(m, guard.o, self.o_0, buffer.i)

        def have_last_pass() -> None:
            m.d.comb += [self.o_1.valid.eq(buffer.o.valid), buffer.o.ready.eq(self.o_1.ready), buffer.release.eq(1)]

        def repeat() -> None:
            """Out of the buffer, where they stay."""
            m.d.comb += [
                *copied(buffer.o.payload, self.o_0.payload),
                self.o_0.valid.eq(buffer.o.valid & ~flushing),
                buffer.o.ready.eq(self.o_0.ready & ~flushing),
            ]

        def cut_off() -> None:
            m.d.comb += [self.o_0.valid.eq(begun), self.o_0.payload.last.eq(1)]

        with m.FSM():
            with m.State("pass"):
                pass_on()
                have_last_pass()
                with m.If(flushing):
                    m.next = "cut off"
            with m.State("cut off"):
                cut_off()
                with m.If(~begun):
                    m.d.comb += buffer.rewind.eq(repeats)
                    m.next = "rewind"
            with m.State("rewind"):
                with m.If(~buffer.busy):
                    m.next = "finish"
            with m.State("finish"):
                have_last_pass()
                with m.If(~passing.any() & ~owed.any()):
                    m.d.comb += self.restart.eq(1)
                    m.d.sync += [flushing.eq(0), repeats.eq(1)]
                    m.next = "repeat"
            with m.State("repeat"):
                repeat()
                with m.If(flushing):
                    m.next = "cut off"
                with m.Elif(buffer.spent):
                    m.d.comb += buffer.rewind.eq(1)
                    m.d.sync += repeats.eq(0)
                    m.next = "return"
            with m.State("return"):
                with m.If(~buffer.busy):
                    m.next = "pass"
        return m


class AnsweredChannels(wiring.Component):
    """Storage outside: the producer sends the packet of a channel again after each pass but the last.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : packets from outside, those of one channel after each other
    o_next : after each pass for the statistics, :func:`l1bn.streams.layouts.next_pass`
    o_0, o_1, judged, again, flushing, restart : as of :class:`RepeatedChannels`; nothing is flushed
    """

    turnaround = 6
    """Cycles from a judgement until the next packet passes, if it waits and ``o_next`` is taken at once."""

    def __init__(self, formats: Formats):
        config = formats.config
        self.guard = PacketGuard(config.width, config.lanes, formats.beats, sendings=None)
        super().__init__({**guessed_passes(formats), "o_next": outlet(next_pass())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.guard = guard = self.guard
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        m.d.comb += [
            *copied(guard.o.payload, self.o_0.payload),
            *copied(guard.o.payload, self.o_1.payload),
            # Where a packet begins, which it does no sooner than the final beat of the one before leaves.
            guard.continues.eq(1),
        ]

        def pass_to(output: stream.Interface) -> Value:
            """Returns whether the final beat of a packet passes."""
            m.d.comb += [output.valid.eq(guard.o.valid), guard.o.ready.eq(output.ready)]
            return guard.o.valid & output.ready & guard.o.payload.last

        with m.FSM():
            with m.State("first"):
                m.d.comb += guard.continues.eq(0)
                with m.If(pass_to(self.o_0)):
                    m.d.comb += guard.continues.eq(1)
                    m.next = "judge"
            with m.State("judge"):
                with m.If(self.judged):
                    m.d.sync += self.o_next.payload.again.eq(self.again)
                    m.d.sync += self.o_next.valid.eq(1)
                    m.next = "answer"
            with m.State("answer"):
                with m.If(self.o_next.ready):
                    m.d.sync += self.o_next.valid.eq(0)
                    m.next = "last"
                    with m.If(self.o_next.payload.again):
                        m.d.comb += self.restart.eq(1)
                        m.next = "repeat"
            with m.State("repeat"):
                with m.If(pass_to(self.o_0)):
                    m.next = "judge"
            with m.State("last"):
                with m.If(pass_to(self.o_1)):
                    m.d.comb += guard.continues.eq(0)
                    m.next = "first"
        return m
