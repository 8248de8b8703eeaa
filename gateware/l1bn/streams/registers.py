"""Elastic building blocks: what registers, buffers and forks a stream of any payload."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from operator import and_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring

from ..errors import require_whole
from ..primitives import primitives
from .layouts import inlet, outlet

__all__ = [
    "ADMISSION",
    "ChannelRegister",
    "Register",
    "SampleBuffer",
    "SkidRegister",
    "fork",
    "join",
    "register_chain",
    "take_for_packet",
]

LEVEL_SEGMENT = 4
"""Bits of a buffer's fill level that are counted at once."""

ADMISSION = 1
"""Cycles from an item of :func:`take_for_packet` until the packet that it belongs to can begin."""


class Register(wiring.Component):
    """One register in a stream: full throughput, ``ready`` passes through combinationally.

    Latency: 1.
    """

    latency = 1

    def __init__(self, shape: Shape | data.Layout):
        super().__init__({"i": inlet(shape), "o": outlet(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = Signal(Value.cast(self.i.payload).shape(), reset_less=True)
        valid = Signal()
        m.d.comb += [
            self.i.ready.eq(~valid | self.o.ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(payload),
        ]
        with m.If(self.i.ready):
            m.d.sync += [valid.eq(self.i.valid), payload.eq(self.i.payload)]
        return m


class ChannelRegister(wiring.Component):
    """A register for what comes once a channel: ``ready`` is a register, an item passes in two cycles.

    Between the steps of a channel it cuts the chain of ``ready``, at no more than a flip-flop a bit.
    Latency: 1.
    """

    latency = 1

    def __init__(self, shape: Shape | data.Layout):
        super().__init__({"i": inlet(shape), "o": outlet(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = Signal(Value.cast(self.i.payload).shape(), reset_less=True)
        valid = Signal()
        ready = Signal()  # its complement, from the first cycle after a reset on
        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(payload),
        ]
        with m.If(ready):
            m.d.sync += payload.eq(self.i.payload)
        m.d.sync += [
            valid.eq(Mux(ready, self.i.valid, valid & ~self.o.ready)),
            ready.eq(Mux(ready, ~self.i.valid, ~valid | self.o.ready)),
        ]
        return m


class SkidRegister(wiring.Component):
    """The end of a pipeline that is stalled as a whole: ``i.ready`` is a register and may drive its enables.

    A stall of the sink reaches ``i.ready`` one cycle later; the item that arrives meanwhile waits in the
    skid. Latency: 1.
    """

    latency = 1
    interval = 1

    def __init__(self, shape: Shape | data.Layout):
        super().__init__({"i": inlet(shape), "o": outlet(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        arriving = Value.cast(self.i.payload)
        payload = Signal(arriving.shape(), reset_less=True)
        skid = Signal(arriving.shape(), reset_less=True)
        valid = Signal()
        # The skid is full while not, but for the cycle after a reset: on iCE40, where a flip-flop wakes up as 0, one
        # that is to be 1 has an inverter behind it, and this one drives many enables.
        ready = Signal()
        m.d.comb += [self.i.ready.eq(ready), self.o.valid.eq(valid), self.o.payload.eq(payload)]

        # Only what arrives behind an item will be needed; and an enable unlike the choice below keeps tools from making
        # one multiplexer of both, which on iCE40 would cost a cell a bit.
        with m.If(ready & valid):
            m.d.sync += skid.eq(arriving)
        with m.If(~valid | self.o.ready):
            m.d.sync += payload.eq(Mux(ready, arriving, skid))
        # Written out, these are a look-up table each; as choices they would get an enable and a reset in front of them.
        m.d.sync += [
            valid.eq(Mux(ready, self.i.valid | (valid & ~self.o.ready), valid)),
            ready.eq(~valid | self.o.ready | (ready & ~self.i.valid)),
        ]
        return m


class FillLevel:
    """Words of a buffer between its write side and a read side, counted in two parts.

    The high part follows the low one a cycle later, so that no carry runs over all bits.

    Parameters
    ----------
    m : module that it becomes a part of
    bits : of the number
    put, take : strobes: one word more, one word less
    """

    def __init__(self, m: Module, bits: int, put: Value, take: Value):
        low = self.low = Signal(min(bits, LEVEL_SEGMENT), name="low")
        high = self.high = Signal(bits - len(low), name="high")
        carry = self.carry = Signal(name="carry")
        borrow = self.borrow = Signal(name="borrow")
        # Both in one cycle leave the level as it is: one adder, which counts by 1 or by -1, does for both.
        with m.If(put ^ take):
            m.d.sync += low.eq(low + Mux(take, -1, 1))
        several = self.several = Signal(name="several")  # a cycle ago there were four words or more
        m.d.sync += [
            carry.eq(put & ~take & low.all()),
            borrow.eq(take & ~put & (low == 0)),
            several.eq(carry | low[2:].any() | high.any()),
        ]
        with m.If(carry | borrow):
            m.d.sync += high.eq(high + Mux(borrow, -1, 1))

    def leaves_any(self, write: Value, fetch: Value, fetch_before: Value) -> Value:
        """Whether a word is left for the next cycle, of a level that takes each fetch a cycle late."""
        # Where there were not several, the low part is all there is: up to four, less what the last two fetches took.
        low = self.low
        three = low[2] | low[:2].all()
        enough = three | (low[1] & ~(fetch & fetch_before)) | (low[0] & ~(fetch | fetch_before))
        return self.several | write | enough

    @property
    def has_room(self) -> Value:
        """Whether another word may be admitted.

        Two can be on their way while this does not show them: room for ``slack`` is more than enough.
        """
        return ~Cat(self.low, self.high)[2:].all() | self.borrow


class SampleBuffer(wiring.Component):
    """First-in first-out buffer in block RAM.

    A beat is registered, written, fetched and moved to the RAM's output register, and leaves through a skid
    register whose ``ready`` enables the last two steps. The flag that admits a beat lags behind the fill level, so
    up to ``slack`` words of the memory stay unused; nothing is compared between the write and the read side.

    Parameters
    ----------
    shape : payload
    beats : beats that it must be able to hold; the memory has the next power of two above
        ``beats + slack`` words
    target : whose memories to use, see :func:`l1bn.primitives.primitives`

    Latency: 5 when empty.
    """

    latency = 5
    slack = 4

    def __init__(self, shape: Shape | data.Layout, beats: int, target: str = "portable"):
        require_whole("beats", beats, 1, 1 << 21)
        self.shape, self.target = shape, target
        self.depth = 1 << (beats + self.slack - 1).bit_length()
        super().__init__({"i": inlet(shape), "o": outlet(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Value.cast(self.i.payload)
        m.submodules.memory = memory = primitives(self.target).memory(len(word), self.depth)
        m.submodules.skid = skid = SkidRegister(self.shape)
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        advance = skid.i.ready
        has_room = Signal(init=1)
        has_words = Signal()
        write = Signal()
        fetch = Signal()
        fetch_before = Signal()
        fetched = Signal()
        valid = Signal()
        written = Signal(len(word), reset_less=True)

        m.d.sync += [write.eq(self.i.valid & has_room), written.eq(word)]
        m.d.comb += [
            self.i.ready.eq(has_room),
            fetch.eq(has_words & advance),
            memory.w_enable.eq(write),
            memory.w_data.eq(written),
            # Enabled without a word to fetch as well, so that no enable waits for `has_words`: `fetched` tells which
            # words are none.
            memory.r_enable.eq(advance),
            memory.o_enable.eq(advance),
            skid.i.valid.eq(valid),
            skid.i.payload.eq(memory.o_data),
        ]
        with m.If(write):
            m.d.sync += memory.w_address.eq(memory.w_address + 1)
        with m.If(fetch):
            m.d.sync += memory.r_address.eq(memory.r_address + 1)
        with m.If(advance):
            m.d.sync += [fetched.eq(has_words), valid.eq(fetched)]

        # Words written and not yet fetched, as of one fetch ago, so that the reader's `ready`, which comes from far
        # away, ends in a flip-flop and not in a counter.
        level = FillLevel(m, (self.depth - 1).bit_length(), write, fetch_before)
        m.d.sync += [
            fetch_before.eq(fetch),
            has_words.eq(level.leaves_any(write, fetch, fetch_before)),
            has_room.eq(level.has_room),
        ]
        return m


def register_chain(
    m: Module, name: str, shape: Any, length: int
) -> tuple[stream.Interface, stream.Interface]:
    """Several registers for what comes once a channel, one behind the other: the first input and the last output."""
    registers = [ChannelRegister(shape) for _ in range(length)]
    for index, register in enumerate(registers):
        m.submodules[f"{name}_{index}"] = register
    for before, after in pairwise(registers):
        wiring.connect(m, before.o, after.i)
    return registers[0].i, registers[-1].o


def fork(m: Module, source: stream.Interface, *sinks: stream.Interface) -> None:
    """Connect one stream to several: a beat moves when every sink takes it.

    At most one sink's ``ready`` may depend on its own ``valid``; payloads are the caller's.
    """
    for sink in sinks:
        others = [other.ready for other in sinks if other is not sink]
        m.d.comb += sink.valid.eq(reduce(and_, others, source.valid))
    m.d.comb += source.ready.eq(reduce(and_, [sink.ready for sink in sinks]))


def join(m: Module, sink: stream.Interface, *sources: stream.Interface) -> None:
    """Connect several streams to one: an item moves when every source has one; payloads are the caller's."""
    everyone = reduce(and_, [source.valid for source in sources])
    m.d.comb += sink.valid.eq(everyone)
    for source in sources:
        m.d.comb += source.ready.eq(everyone & sink.ready)


def take_for_packet(
    m: Module, source: stream.Interface, taken: Value, last: Value, advance: Value | int = 1
) -> tuple[Signal, Signal]:
    """Take one item of ``source`` for each packet, together with the packet's first beat.

    ``taken`` is 1 where a beat is taken, and ``last`` with the final beat of a packet. ``advance`` is the enable of the
    pipeline that takes the beats. Returns two registers: whether the next beat may be taken, and ``first``, which is 1
    one enabled cycle after the first beat of a packet. ``source.ready`` is 1 in the last cycle of ``first``. A register
    that takes the payload then holds it two enabled cycles after the first beat, until as long after the next
    packet's.
    """
    fresh = Signal(init=1)  # the next beat is a first one
    first = Signal()
    admit = Signal()
    waits = source.valid & ~first
    with m.If(taken):
        m.d.sync += fresh.eq(last)
    with m.If(advance):
        m.d.sync += first.eq(taken & fresh)
    m.d.sync += admit.eq(Mux(taken & last, waits & ~fresh, admit | waits))
    m.d.comb += source.ready.eq(first & advance)
    return admit, first
