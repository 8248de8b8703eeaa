"""What L1 in one pass has to do: the sums about the mean from those about a pivot, and words that come again."""

from __future__ import annotations

from unittest.mock import patch

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed

from l1bn.beats.repair import Repair
from l1bn.beats.total import tree_latency
from l1bn.numbers.formats import clog2
from l1bn.primitives import Primitives
from l1bn.streams import repeat_buffer
from l1bn.streams.repeat_buffer import RepeatBuffer

from .arithmetic_specifications import is_quotient
from .memory import ContractMemory
from .prover import Claims, Specification

__all__ = ["LIST_LATENCY", "RepairSpecification", "RepeatBufferSpecification"]

LIST_LATENCY = 2
"""Of lists as those of :class:`l1bn.beats.suspects.SuspectLists`."""


def total(terms: list[Value]) -> Value:
    """Their sum."""
    return sum(terms[1:], terms[0])


class RepairSpecification(Specification):
    """:class:`Repair`, for all samples, pivots and windows, from the definitions: sum |x - mean| and the signs' sum.

    The lists are those of any memory: each lane reads one of its samples a step, and is told which are suspects.

    Parameters
    ----------
    width, lanes, count, guard_bits, offset, greatest_level : of the repair
    """

    def __init__(self, width: int, lanes: int, count: int, guard_bits: int, offset: int, greatest_level: int):
        repair = Repair(width, lanes, (count,), guard_bits, (offset,), greatest_level, LIST_LATENCY)
        super().__init__(repair)
        self.repair, self.count, self.offset = repair, count, offset
        self.samples = [self.choice(f"x_{k}", signed(width)) for k in range(count)]

    @staticmethod
    def idle(lanes: int) -> int:
        """Cycles before the channel: no unit has one before what a reset leaves in the tree has left."""
        return tree_latency(lanes) + 2

    def specify(self, m: Module, claims: Claims) -> None:
        repair, channel, o = self.repair, self.repair.i.payload, self.repair.o
        count, guard_bits, lanes = self.count, repair.guard_bits, repair.lanes
        # One channel, which stays.
        started = Signal()
        m.d.sync += started.eq(1)
        for held in (*self.samples, Value.cast(channel)):
            before = Signal(len(held))
            m.d.sync += before.eq(held)
            claims.given((held == before) | ~started)
        idle = self.idle(lanes)
        age = Signal(range(idle + 1))
        m.d.sync += age.eq(Mux(age == idle, age, age + 1))
        claims.given(repair.i.valid == (age == idle))
        claims.given(channel.level <= repair.greatest_level)
        claims.given(channel.sum == total(self.samples))
        claims.given(is_quotient(channel.mean, channel.sum, guard_bits, count))

        half = Signal(repair.greatest_level + 1)  # of the window
        m.d.comb += half.eq((1 << channel.level) >> 1)

        def in_window(e: Value) -> Value:
            return (e >= -half.as_signed()) & (e < half)

        entries = [Signal(signed(repair.width + 1), name=f"e_{k}") for k in range(count)]
        m.d.comb += [e.eq(x - channel.pivot - 1) for e, x in zip(entries, self.samples, strict=True)]
        claims.given(channel.excess == total([Mux(e >= 0, e, 0) for e in entries]))
        claims.given(channel.above == total([e >= 0 for e in entries]))
        claims.given(channel.equal == total([e == -1 for e in entries]))

        # A lane lists every one of its samples in turn, and says which of them are suspects.
        rows = -(-count // lanes)
        row = Signal(range(rows + 1))
        claims.given(repair.more == (row != rows))
        claims.always(repair.more, when=repair.step)
        with m.If(repair.step):
            m.d.sync += row.eq(row + 1)
        for lane in range(lanes):
            own = entries[lane::lanes]
            own = [*own, *[Const(-1, signed(2))] * (rows + 1 - len(own))]
            entry = Signal(signed(repair.width + 1), name=f"entry_{lane}")
            m.d.comb += entry.eq(Array(own)[row])
            told: Value = Cat(entry[: repair.greatest_level], repair.step & in_window(entry) & (entry != -1))
            for _ in range(LIST_LATENCY):
                later = Signal(len(told))
                m.d.sync += later.eq(told)
                told = later
            claims.given(repair.present[lane] == told[-1])
            claims.given(repair.read[lane].as_unsigned() == told[:-1])

        floor = Signal(signed(repair.width + 2))
        m.d.comb += floor.eq((channel.mean >> guard_bits) - channel.pivot - 1)
        again = channel.overflow | Mux(channel.level == 0, floor != -1, ~in_window(floor))
        distances = [x.shift_left(guard_bits) - channel.mean for x in self.samples]
        found = total([Mux(d < 0, -d, d) for d in distances]) + self.offset
        signs = total([(d > 0).as_unsigned() - (d < 0) for d in distances])
        claims.always(o.payload.again == again, when=o.valid)
        claims.always(o.payload.deviation == found, when=o.valid & ~again)
        claims.always(o.payload.sign_count == signs, when=o.valid & ~again)
        claims.possible(o.valid & ~again & (floor == 0))
        claims.possible(o.valid & ~again & (floor < -1))
        claims.possible(o.valid & again)


class RepeatBufferSpecification(Specification):
    """:class:`RepeatBuffer`: beats come in order, after a rewind those again that stayed, and none is lost.

    It is proven with any memory that keeps the contract of the primitive.

    Parameters
    ----------
    width, beats : of the buffer
    """

    IDLE = 8
    """Cycles after which all that lags behind has come."""

    def __init__(self, width: int, beats: int):
        memories: list[ContractMemory] = []

        def memory(width: int, depth: int) -> ContractMemory:
            memories.append(ContractMemory(width, depth))
            return memories[-1]

        self.buffer = RepeatBuffer(width, beats)
        with patch.object(repeat_buffer, "primitives", lambda target: Primitives(None, memory)):
            super().__init__(self.buffer)
        self.free.append(memories[0].undefined)
        self.beats = beats
        self.choose = self.choice("choose")

    def specify(self, m: Module, claims: Claims) -> None:
        buffer, i, o = self.buffer, self.buffer.i, self.buffer.o
        places = 2 * buffer.depth
        # How much came in, where the reader is, and what it is done with; and one beat of the solver's choice.
        choose, marked = self.choose, Signal()
        place, beat = Signal(clog2(places)), Signal(len(Value.cast(i.payload)))
        bits = clog2(places)
        written, read, done = (Signal(bits, name=name) for name in ("written", "read", "done"))
        stay, kept = (read - done)[:bits], (written - done)[:bits]
        unread = (written - read)[:bits]
        enters, leaves = i.valid & i.ready, o.valid & o.ready
        with m.If(enters):
            m.d.sync += written.eq(written + 1)
            with m.If(choose & ~marked):
                m.d.sync += [marked.eq(1), place.eq(written), beat.eq(i.payload)]
        with m.If(leaves):
            m.d.sync += read.eq(read + 1)
            with m.If(buffer.release):
                m.d.sync += done.eq(read + 1)
        with m.If(buffer.rewind):
            m.d.sync += read.eq(done)
        # The contract of the reader.
        claims.given(~(leaves & buffer.release) | (stay == 0))
        claims.given(~(buffer.rewind | buffer.busy) | ~(enters | o.ready))
        claims.given(~(buffer.rewind & buffer.busy))

        claims.always(unread != 0, when=o.valid & ~buffer.busy)
        claims.always(o.payload == beat, when=o.valid & ~buffer.busy & marked & (read == place) & (unread != 0))
        with m.If(marked & leaves & buffer.release & (read == place)):
            m.d.sync += marked.eq(0)
        claims.always(kept <= buffer.depth + 2)
        quiet = Signal(range(self.IDLE + 1))  # cycles in which nothing moved
        with m.If(enters | leaves | buffer.rewind | buffer.busy):
            m.d.sync += quiet.eq(0)
        with m.Elif(quiet != self.IDLE):
            m.d.sync += quiet.eq(quiet + 1)
        claims.always(o.valid == (unread != 0), when=quiet == self.IDLE)
        claims.always(buffer.spent == (unread == 0), when=quiet == self.IDLE)
        claims.always(unread == 0, when=buffer.spent & (quiet != 0))
        claims.always(i.ready | (kept >= self.beats), when=quiet == self.IDLE)
        rewound = Signal()
        with m.If(buffer.rewind & (stay == 2)):
            m.d.sync += rewound.eq(1)
        claims.possible(rewound & leaves & buffer.release & (read == 1))
