"""What registers and buffers of streams have to do: keep every item, once, in order."""

from __future__ import annotations

from unittest.mock import patch

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring

from l1bn.primitives import Primitives
from l1bn.streams import registers as streams
from l1bn.streams.registers import ChannelRegister, Register, SampleBuffer, SkidRegister

from .memory import ContractMemory
from .prover import Claims, Specification

__all__ = [
    "BufferSpecification",
    "ChannelRegisterSpecification",
    "RegisterSpecification",
    "SkidSpecification",
]


class QueueSpecification(Specification):
    """A queue, seen from outside, with one item of the solver's choice followed through it.

    Parameters
    ----------
    component : has the streams ``i`` and ``o``
    most : items that it may hold

    Attributes
    ----------
    level : items inside
    tracking, item, ahead : whether the chosen item is inside, its payload, and how many are before it
    started : not the cycle after a reset
    """

    def __init__(self, component: wiring.Component, most: int):
        super().__init__(component)
        self.i, self.o = component.i, component.o
        self.most = most
        self.choose = self.choice("choose")
        self.level = Signal(range(most + 2))
        self.tracking = Signal()
        self.ahead = Signal(range(most + 1))
        self.item = Signal(len(Value.cast(self.i.payload)))
        self.started = Signal()

    def specify(self, m: Module, claims: Claims) -> None:
        i, o = self.i, self.o
        arriving, leaving = Value.cast(i.payload), Value.cast(o.payload)
        enters, leaves = i.valid & i.ready, o.valid & o.ready
        m.d.sync += [self.started.eq(1), self.level.eq(self.level + enters - leaves)]
        with m.If(self.tracking & leaves):
            m.d.sync += [self.ahead.eq(self.ahead - 1), self.tracking.eq(self.ahead != 0)]
        with m.If(enters & self.choose & ~self.tracking):
            m.d.sync += [
                self.tracking.eq(1),
                self.item.eq(arriving),
                self.ahead.eq(self.level - leaves),
            ]
        held = Signal()
        payload = Signal(len(leaving))
        m.d.sync += [held.eq(o.valid & ~o.ready), payload.eq(leaving)]

        claims.always(self.level <= self.most)
        claims.always(self.ahead < self.level, when=self.tracking)
        claims.always(self.level != 0, when=o.valid)  # nothing is made up or comes twice
        claims.always(leaving == self.item, when=self.tracking & (self.ahead == 0) & o.valid)
        claims.always(o.valid & (leaving == payload), when=held)  # an offer stands
        claims.possible(self.tracking & (self.ahead == self.most - 1))
        claims.possible(self.tracking & (self.ahead == 0) & leaves & self.item.all())


class RegisterSpecification(QueueSpecification):
    """:class:`Register` holds one item and takes the next one while that leaves."""

    def __init__(self, width: int):
        super().__init__(Register(width), most=1)

    def specify(self, m: Module, claims: Claims) -> None:
        super().specify(m, claims)
        claims.always(self.o.valid == (self.level == 1))
        claims.always(self.i.ready == ((self.level == 0) | self.o.ready))


class ChannelRegisterSpecification(QueueSpecification):
    """:class:`ChannelRegister` holds one item and takes the next one after that has left."""

    def __init__(self, width: int):
        super().__init__(ChannelRegister(width), most=1)

    def specify(self, m: Module, claims: Claims) -> None:
        super().specify(m, claims)
        claims.always(self.o.valid == (self.level == 1))
        claims.always(self.i.ready == ((self.level == 0) & self.started))
        claims.always(self.level == 0, when=~self.started)


class SkidSpecification(QueueSpecification):
    """:class:`SkidRegister` holds two items and is ready while it holds less."""

    def __init__(self, width: int):
        super().__init__(SkidRegister(width), most=2)

    def specify(self, m: Module, claims: Claims) -> None:
        super().specify(m, claims)
        claims.always(self.o.valid == (self.level != 0))
        claims.always(self.i.ready == ((self.level != 2) & self.started))
        claims.always(self.level == 0, when=~self.started)
        # Where the second item is.
        skid = self.device.register("skid")
        claims.always(skid == self.item, when=self.tracking & (self.ahead == 1))


class BufferSpecification(QueueSpecification):
    """:class:`SampleBuffer` holds what it promises, and an item comes out if there is one.

    It is proven with any memory that keeps the contract of the primitive. The items inside are, from the end on, in
    the skid register (two), in the two registers of the memory, in its words, and on the way to be written.

    Parameters
    ----------
    width, beats : of the buffer
    segment : bits of its fill level that are counted at once
    """

    def __init__(self, width: int, beats: int, segment: int = streams.LEVEL_SEGMENT):
        memories: list[ContractMemory] = []

        def memory(width: int, depth: int) -> ContractMemory:
            memories.append(ContractMemory(width, depth))
            return memories[-1]

        buffer = SampleBuffer(width, beats)
        with (
            patch.object(streams, "primitives", lambda target: Primitives(None, memory)),
            patch.object(streams, "LEVEL_SEGMENT", segment),
        ):
            super().__init__(buffer, most=buffer.depth + 2)
        (self.memory,) = memories
        self.free.append(self.memory.undefined)
        self.beats, self.depth = beats, buffer.depth

    def specify(self, m: Module, claims: Claims) -> None:
        super().specify(m, claims)
        register, memory = self.device.register, self.memory
        fetched, valid, write = register("fetched"), register("valid"), register("write")
        low, high, carry, borrow = (register(name) for name in ("low", "high", "carry", "borrow"))
        several, fetch_before = register("several"), register("fetch_before")
        counted, words = Signal(range(2 * self.depth)), Signal(range(2 * self.depth))
        m.d.comb += [
            counted.eq(Cat(low, high) + (carry << len(low)) - (borrow << len(low))),
            words.eq(counted - fetch_before),
        ]
        claims.always(fetched & (counted != 0), when=fetch_before)
        claims.always(counted >= 3, when=several)
        claims.always((Cat(low, high) <= 4) & ~carry & ~borrow, when=~several)
        claims.always((low == 0) & ~borrow, when=carry)
        claims.always(low.all(), when=borrow)
        skid_free = register("skid", "ready")
        rows, address = Array(memory.rows), memory.r_address
        places = [
            (self.o.valid, register("skid", "payload")),
            (~skid_free & self.started, register("skid", "skid")),
            (valid, memory.out),
            (fetched, memory.fetched),
            *(
                (words > index, rows[(memory.r_address + index)[: len(memory.r_address)]])
                for index in range(self.depth)
            ),
            (write, register("written")),
        ]
        before: Value = Const(0, len(self.level))
        for occupied, word in places:
            position = Signal(range(len(places) + 1))
            m.d.comb += position.eq(before)
            here = self.tracking & occupied & (self.ahead == position)
            claims.always(word == self.item, when=here)
            before = position + occupied
        claims.always(self.level == before)

        room = self.depth - SampleBuffer.slack
        claims.always(skid_free == 0, when=~self.started)
        claims.always(self.level == 0, when=~self.started)
        claims.always(skid_free | self.o.valid, when=self.started)
        claims.always(register("has_words") == (words != 0))
        claims.always((address + words)[: len(address)] == memory.w_address)
        claims.always(counted <= room + 2)
        claims.always(counted <= room + 1, when=write)
        claims.always(counted <= room, when=self.i.ready)
        # It refuses an item only when it holds as many as it has to.
        claims.always(words + fetched + valid >= room, when=~self.i.ready)
        claims.always(self.level >= self.beats, when=~self.i.ready)
        claims.possible(~self.i.ready)

        # An item that is in comes out: never more than the latency passes with something inside and nothing offered.
        waiting = Signal(range(SampleBuffer.latency + 1))
        with m.If(self.o.valid | (self.level == 0)):
            m.d.sync += waiting.eq(0)
        with m.Else():
            m.d.sync += waiting.eq(waiting + 1)
        claims.always(waiting < SampleBuffer.latency)
