"""A buffer whose words can be read again."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, ResetInserter, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..errors import require_whole
from ..primitives import primitives
from .layouts import inlet, outlet
from .registers import FillLevel, SampleBuffer, SkidRegister

__all__ = ["RepeatBuffer"]


class RepeatBuffer(wiring.Component):
    """A :class:`l1bn.streams.registers.SampleBuffer` that keeps its words until they are released.

    Parameters
    ----------
    shape : payload
    beats : beats that it must be able to hold, as of a sample buffer
    target : whose memories to use, see :func:`l1bn.primitives.primitives`

    Members
    -------
    i : beats
    o : beats in their order
    release : a beat that leaves now is done with. While 0, those that leave stay, to be read again
    rewind : the next beat that leaves is the first of those that stayed. From this strobe on, until ``busy`` is 0
        again, none may come in or be taken
    busy : it is rewinding
    spent : no beat is left that has not been read; stable while none comes in

    Latency: 5 when empty.
    """

    latency, slack = SampleBuffer.latency, SampleBuffer.slack

    REWINDING = 6
    """Cycles that a rewind takes: until the levels, which lag behind, are right, and what follows from them."""

    def __init__(self, shape: Shape | data.Layout, beats: int, target: str = "portable"):
        require_whole("beats", beats, 1, 1 << 21)
        self.shape, self.target = shape, target
        self.depth = 1 << (beats + self.slack - 1).bit_length()
        super().__init__(
            {
                "i": inlet(shape),
                "o": outlet(shape),
                "release": In(1),
                "rewind": In(1),
                "busy": Out(1),
                "spent": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Value.cast(self.i.payload)
        rewinding = Signal(self.REWINDING)  # one bit walks through it
        busy = Signal()
        m.d.sync += [rewinding.eq(Cat(self.rewind, rewinding[:-1])), busy.eq(self.rewind | rewinding[:-1].any())]
        m.submodules.memory = memory = primitives(self.target).memory(len(word), self.depth)
        skid = SkidRegister(self.shape)
        m.submodules.skid = ResetInserter(busy)(skid)
        advance = skid.i.ready
        has_room = Signal(init=1)
        has_words = Signal()
        write = Signal()
        fetch = Signal()
        fetch_before = Signal()
        fetched = Signal()
        valid = Signal()
        released = Signal()
        oldest = Signal.like(memory.r_address)
        written = Signal(len(word), reset_less=True)
        bits = (self.depth - 1).bit_length()
        unread = FillLevel(m, bits, write, fetch_before)
        kept = FillLevel(m, bits, write, released)

        m.d.sync += [
            write.eq(self.i.valid & has_room),
            written.eq(word),
            released.eq(self.o.valid & self.o.ready & self.release),
        ]
        m.d.comb += [
            self.i.ready.eq(has_room),
            self.busy.eq(busy),
            self.o.valid.eq(skid.o.valid),
            self.o.payload.eq(skid.o.payload),
            skid.o.ready.eq(self.o.ready),
            fetch.eq(has_words & advance),
            memory.w_enable.eq(write),
            memory.w_data.eq(written),
            # As in the sample buffer, the memory fetches without a word as well.
            memory.r_enable.eq(advance),
            memory.o_enable.eq(advance),
            skid.i.valid.eq(valid),
            skid.i.payload.eq(memory.o_data),
        ]
        with m.If(write):
            m.d.sync += memory.w_address.eq(memory.w_address + 1)
        with m.If(released):
            m.d.sync += oldest.eq(oldest + 1)
        with m.If(fetch):
            m.d.sync += memory.r_address.eq(memory.r_address + 1)
        with m.If(advance):
            m.d.sync += [fetched.eq(has_words), valid.eq(fetched)]

        low, high = unread.low, unread.high
        m.d.sync += [
            fetch_before.eq(fetch),
            has_words.eq(unread.leaves_any(write, fetch, fetch_before) & ~busy),
            has_room.eq(kept.has_room),
            self.spent.eq(
                ~(low.any() | high.any() | unread.carry | write | has_words | fetched | valid | skid.o.valid | busy)
            ),
        ]
        with m.If(busy):
            m.d.sync += [fetched.eq(0), valid.eq(0)]
        with m.If(rewinding[-3]):
            m.d.sync += [memory.r_address.eq(oldest), low.eq(kept.low), high.eq(kept.high)]
        return m
