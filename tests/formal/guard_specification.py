"""What the packet guard has to do: a packet out for every packet in, each of exactly the right length."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value

from l1bn.logic.lfsr import bits_for, codes
from l1bn.streams.guard import PacketGuard

from .prover import Claims, Specification

__all__ = ["GuardSpecification"]


class GuardSpecification(Specification):
    """The guard as one would tell it: pass the packet on, then fill it up or drop the rest.

    Parameters
    ----------
    width, lanes, beats, passes : as :class:`PacketGuard` takes them
    """

    def __init__(self, width: int, lanes: int, beats: Sequence[int], passes: int):
        super().__init__(PacketGuard(width, lanes, beats, passes))
        self.beats, self.passes = tuple(beats), passes

    def specify(self, m: Module, claims: Claims) -> None:
        guard = self.device.component
        i, o = guard.i, guard.o
        longest = max(self.beats)
        several = len(self.beats) > 1
        arriving: Value = i.payload.select if several else Const(0)
        if several:
            claims.given(arriving < len(self.beats))

        # The packet that is being made: how many beats it has so far, and what happens to those that come.
        done = Signal(range(longest))
        number = Signal(range(self.passes))
        select = Signal(range(max(2, len(self.beats))))
        filling = Signal()
        dropping = Signal()
        chosen = Signal.like(select)
        opens = (done == 0) & (number == 0)
        m.d.comb += chosen.eq(Mux(opens, arriving, select))
        length = Signal(range(longest + 1))
        m.d.comb += length.eq(Array([Const(beats) for beats in self.beats])[chosen])
        final = done == length - 1

        # What it offers.
        valid = Signal()
        data = Signal(len(Value.cast(i.payload.data)))
        last = Signal()
        error = Signal()
        of_select = Signal.like(select)
        of_number = Signal.like(number)
        free = ~valid | o.ready
        makes = free & (filling | (i.valid & ~dropping))
        with m.If(free):
            m.d.sync += valid.eq(0)
        with m.If(makes):
            m.d.sync += [
                valid.eq(1),
                data.eq(Mux(filling, 0, Value.cast(i.payload.data))),
                last.eq(final),
                error.eq(filling | ~i.payload.last),
                of_select.eq(chosen),
                of_number.eq(number),
                select.eq(chosen),
                done.eq(Mux(final, 0, done + 1)),
            ]
            with m.If(final):
                m.d.sync += number.eq(Mux(number == self.passes - 1, 0, number + 1))
                m.d.sync += [filling.eq(0), dropping.eq(~filling & ~i.payload.last)]
            with m.Elif(~filling & i.payload.last):
                m.d.sync += filling.eq(1)
        with m.If(dropping & i.valid & i.payload.last):
            m.d.sync += dropping.eq(0)

        claims.always(i.ready == (dropping | (free & ~filling)))
        claims.always(o.valid == valid)
        claims.always((Value.cast(o.payload.data) == data) & (o.payload.last == last), when=valid)
        claims.always(o.payload.error == error, when=valid & last)
        if several:
            claims.always(o.payload.select == of_select, when=valid)
        if self.passes > 1:
            claims.always(o.payload.number == of_number, when=valid)

        # Seen from behind: a packet of y ends exactly where it should.
        counted = Signal(range(longest))
        length_out = Array([Const(beats) for beats in self.beats])[of_select]
        with m.If(o.valid & o.ready):
            m.d.sync += counted.eq(Mux(o.payload.last, 0, counted + 1))
        claims.always(o.payload.last == (counted == length_out - 1), when=o.valid)
        claims.possible(o.valid & o.payload.last & o.payload.error & dropping)
        claims.possible(o.valid & o.payload.last & o.payload.error & ~dropping)
        claims.possible(o.valid & o.payload.last & ~o.payload.error & (of_number == self.passes - 1))

        # Seen from in front: while the sink takes beats, the producer never waits for longer than a packet.
        waited = Signal(range(longest + 1))
        m.d.sync += waited.eq(Mux(o.ready & ~i.ready, waited + 1, 0))
        claims.always(waited < longest)

        # What the guard holds, and what follows from it.
        register = self.device.register
        numbers = list(islice(codes(bits_for(longest)), longest))
        claims.always(register("code") == Array([Const(number) for number in numbers])[done])
        claims.always(register("first") == (done == 0))
        claims.always(register("before_final") == ((done != 0) & (done == length - 2)))
        claims.always(register("final") == ((done != 0) & final))
        claims.always((register("filling") == filling) & (register("dropping") == dropping))
        claims.always(~filling | ~dropping)
        claims.always((done != 0) & (waited < done), when=filling)
        claims.always(done == 0, when=dropping)
        claims.always(done < length, when=~opens)
        claims.always(select < len(self.beats))
        if several:
            claims.always(register("select") == select, when=~opens)
            claims.always(select == of_select, when=~opens | valid)
        if self.passes > 1:
            claims.always(register("number") == number)
            claims.always(number < self.passes)
        claims.always(done == Mux(last, 0, counted + 1), when=valid)
        claims.always((done == counted), when=~valid)
