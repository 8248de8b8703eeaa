"""What the repair of a guessed mean has to do: the sums about the mean from those about a pivot."""

from __future__ import annotations

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed

from l1bn.beats.repair import Repair
from l1bn.beats.total import delayed, delayed_flag, tree_latency

from .arithmetic_specifications import is_quotient
from .prover import Claims, Specification

__all__ = ["LIST_LATENCY", "RepairSpecification"]

LIST_LATENCY = 2
"""Of lists as those of :class:`l1bn.beats.suspects.SuspectLists`."""


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
        idle = self.idle(lanes)
        age = Signal(range(idle + 1))  # cycles since the reset
        m.d.sync += age.eq(Mux(age == idle, age, age + 1))
        for held in (*self.samples, Value.cast(channel)):
            before = Signal(len(held))
            m.d.sync += before.eq(held)
            claims.given((held == before) | (age == 0))
        claims.given(repair.i.valid == (age == idle))
        claims.given(channel.level <= repair.greatest_level)
        claims.given(channel.sum == sum(self.samples))
        claims.given(is_quotient(channel.mean, channel.sum, guard_bits, count))

        half = Signal(repair.greatest_level + 1)  # of the window
        m.d.comb += half.eq((1 << channel.level) >> 1)

        def in_window(e: Value) -> Value:
            return (e >= -half.as_signed()) & (e < half)

        entries = [Signal(signed(repair.width + 1), name=f"e_{k}") for k in range(count)]
        m.d.comb += [e.eq(x - channel.pivot - 1) for e, x in zip(entries, self.samples, strict=True)]
        claims.given(channel.excess == sum([Mux(e >= 0, e, 0) for e in entries]))
        claims.given(channel.above == sum([e >= 0 for e in entries]))
        claims.given(channel.equal == sum([e == -1 for e in entries]))

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
            is_suspect = repair.step & in_window(entry) & (entry != -1)
            read = delayed(m, entry[: repair.greatest_level], LIST_LATENCY)
            claims.given(repair.present[lane] == delayed_flag(m, is_suspect, LIST_LATENCY))
            claims.given(repair.read[lane].as_unsigned() == read)

        floor = Signal(signed(repair.width + 2))
        m.d.comb += floor.eq((channel.mean >> guard_bits) - channel.pivot - 1)
        again = channel.overflow | Mux(channel.level == 0, floor != -1, ~in_window(floor))
        distances = [x.shift_left(guard_bits) - channel.mean for x in self.samples]
        found = sum([Mux(d < 0, -d, d) for d in distances]) + self.offset
        signs = sum([(d > 0).as_unsigned() - (d < 0) for d in distances])
        claims.always(o.payload.again == again, when=o.valid)
        claims.always(o.payload.deviation == found, when=o.valid & ~again)
        claims.always(o.payload.sign_count == signs, when=o.valid & ~again)
        claims.possible(o.valid & ~again & (floor == 0))
        claims.possible(o.valid & ~again & (floor < -1))
        claims.possible(o.valid & again)
