"""Registers and tables of a forward unit: what software writes, what the unit is fed, what it reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..numbers.formats import Formats, clog2
from ..primitives import primitives
from ..streams.layouts import affine_parameters, inlet, outlet, statistics
from .register_map import IN_FLIGHT, SEQUENCE, statistics_shapes
from .registers import WORD, Field, RegisterMap, Table

__all__ = ["ForwardControl"]

FETCH = 2
"""Cycles from an address to its word at a :class:`l1bn.primitives.portable.SampleMemory`."""


class ForwardControl(wiring.Component):
    """What is behind the AXI4-Lite port of a forward unit.

    Parameters
    ----------
    formats : derived formats of the unit
    map : its registers and tables, :func:`l1bn.bus.register_map.forward_map`

    Members
    -------
    w_request, w_address, w_data, w_strobe, w_done, w_refused, r_request, r_address, r_done, r_refused, r_data :
        see :class:`l1bn.bus.axi_lite.AxiLitePort`
    enable : a channel may begin
    select : index of the count that a channel has that begins now
    begin : a channel begins in this cycle, whose first beat was offered under ``enable``
    in_packet : the packet that comes in has not ended, or its first beat is offered
    end, failed : the final beat of a channel leaves in this cycle; it has an error
    o_affine : gamma and beta, one item for every channel that began
    i_stats : the statistics of every channel; never held up

    A write takes one cycle. It is refused and changes nothing at an address where nothing can be written, with some but
    not all of its strobes, with a value that is not allowed, or, where that would touch a channel, while one is in
    flight or is offered in that very cycle. Without any strobe it does nothing and is not refused.
    """

    def __init__(self, formats: Formats, map: RegisterMap):
        self.formats, self.map = formats, map
        self.entries = map.table("gamma").entries
        self.depth = max(2, 1 << clog2(self.entries))
        super().__init__(
            {
                "w_request": In(1),
                "w_address": In(map.address_width),
                "w_data": In(WORD),
                "w_strobe": In(WORD // 8),
                "w_done": Out(1),
                "w_refused": Out(1),
                "r_request": In(1),
                "r_address": In(map.address_width),
                "r_done": Out(1),
                "r_refused": Out(1),
                "r_data": Out(WORD),
                "enable": Out(1),
                "select": Out(max(1, formats.select_width)),
                "begin": In(1),
                "in_packet": In(1),
                "end": In(1),
                "failed": In(1),
                "o_affine": outlet(affine_parameters(formats)),
                "i_stats": inlet(statistics(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self.running = Signal(init=1)
        self.affine = Signal()
        self.channels = Signal(self.entries.bit_length(), init=self.entries)
        self.index = Signal(clog2(self.depth))  # entry of the next channel that is fed
        self.reported = Signal(clog2(self.depth))  # entry of the next channel that reports
        self.in_flight = Signal(IN_FLIGHT)
        self.busy = Signal()
        self.done, self.errors, self.refused = Signal(WORD), Signal(WORD), Signal(WORD)
        m.d.comb += [
            self.enable.eq(self.running & ~self.in_flight.all()),
            self.busy.eq((self.in_flight != 0) | self.in_packet),
        ]
        m.d.sync += self.in_flight.eq(self.in_flight + self.begin - self.end)

        memories = {}
        for name, width in (
            ("gamma", self.formats.config.gamma_width),
            ("beta", self.formats.config.beta_width),
            (
                "statistics",
                sum(Shape.cast(shape).width for shape in statistics_shapes(self.formats).values()),
            ),
        ):
            memory = primitives(self.formats.config.target).memory(width, self.depth)
            m.submodules[name] = memories[name] = memory
            m.d.comb += [memory.r_enable.eq(1), memory.o_enable.eq(1)]
        self._write(m, memories)
        fetching = self._feed(m, memories)
        self._report(m, memories["statistics"])
        self._read(m, memories, fetching)
        self._count(m)
        return m

    # -- writes -----------------------------------------------------------------------------------

    def _write(self, m: Module, memories: Mapping[str, Any]) -> None:
        """Judge a write and do it."""
        word, idle = self.w_data, ~self.busy
        # What a register asks of a value, and what a write of it does.
        rules: dict[str, tuple[Value, list[Any]]] = {
            "control": (Const(1), [self.running.eq(word[0])]),
            "mode": (idle, [self.affine.eq(word[0])]),
            "channels": (
                idle & (word != 0) & (word <= self.entries),
                [self.channels.eq(word), self.index.eq(0), self.reported.eq(0)],
            ),
            "count_select": (idle & (word < len(self.formats.config.counts)), [self.select.eq(word)]),
            "channel_index": (idle & (word < self.channels), [self.index.eq(word), self.reported.eq(word)]),
            "channels_done": (Const(1), []),
            "packet_errors": (Const(1), []),
            "refused": (Const(1), []),
        }
        whole, none = self.w_strobe.all(), ~self.w_strobe.any()
        granted = []
        performs = self.w_request & whole
        for name, (allowed, effects) in rules.items():
            here = self.w_address[2:] == self.map.register(name).offset >> 2
            granted.append(here & allowed)
            with m.If(performs & here & allowed):
                m.d.sync += effects
        for name in ("gamma", "beta"):
            inside, entry, _ = self._within(self.map.table(name), self.w_address)
            granted.append(inside & idle)
            memory = memories[name]
            m.d.comb += [
                memory.w_enable.eq(performs & inside & idle),
                memory.w_address.eq(entry),
                memory.w_data.eq(word),
            ]
        m.d.comb += [
            self.w_done.eq(self.w_request),
            self.w_refused.eq(~none & ~(whole & reduce(or_, granted))),
        ]

    @staticmethod
    def _within(table: Table, address: Value) -> tuple[Value, Value, Value]:
        """Whether an address is in an entry of a table that there is, which one, and the word in it."""
        low, high = clog2(table.stride), clog2(table.size)
        entry = address[low:high]
        return (address[high:] == table.offset >> high) & (entry < table.entries), entry, address[2:low]

    # -- what the unit is fed ---------------------------------------------------------------------

    def _feed(self, m: Module, memories: Mapping[str, Any]) -> Value:
        """Offer an item for every channel that begins; says when it needs the tables.

        The entry is read after the channel began, and no entry changes while a channel is in flight.
        """
        waiting = Signal(IN_FLIGHT)  # channels that began and have not got their item
        fetching = Signal()
        steps = Signal(FETCH)
        offering = Signal()
        item = self.o_affine.payload
        config = self.formats.config
        one = min(1 << config.gamma_fraction, (1 << (config.gamma_width - 1)) - 1)
        taken = offering & self.o_affine.ready
        m.d.sync += [
            waiting.eq(waiting + self.begin - taken),
            steps.eq(Cat(fetching, steps)),
        ]
        m.d.comb += [
            fetching.eq((waiting != 0) & ~offering & ~steps.any()),
            self.o_affine.valid.eq(offering),
        ]
        with m.If(steps[-1]):
            m.d.sync += [
                offering.eq(1),
                item.gamma.eq(Mux(self.affine, memories["gamma"].o_data.as_signed(), one)),
                item.beta.eq(Mux(self.affine, memories["beta"].o_data.as_signed(), 0)),
            ]
        with m.If(taken):
            m.d.sync += [offering.eq(0), self.index.eq(self._after(self.index))]
        return fetching

    def _after(self, index: Value) -> Value:
        """The entry that follows."""
        return Mux(index + 1 == self.channels, 0, index + 1)

    # -- what it reports --------------------------------------------------------------------------

    def _report(self, m: Module, memory: Any) -> None:
        """Write the statistics of every channel into its entry."""
        sequence = Signal(SEQUENCE, init=1)
        m.d.comb += [
            self.i_stats.ready.eq(1),
            memory.w_enable.eq(self.i_stats.valid),
            memory.w_address.eq(self.reported),
            memory.w_data.eq(Cat(Value.cast(self.i_stats.payload), sequence)),
        ]
        with m.If(self.i_stats.valid):
            m.d.sync += [self.reported.eq(self._after(self.reported)), sequence.eq(sequence + 1)]

    def _count(self, m: Module) -> None:
        """Count events; one in the very cycle of a clear is the first one after it."""

        def count(counter: Signal, name: str, event: Value, saturate: bool) -> None:
            clear = (
                self.w_request
                & self.w_strobe.all()
                & (self.w_address[2:] == self.map.register(name).offset >> 2)
            )
            full = counter.all() if saturate else Const(0)
            with m.If(clear):
                m.d.sync += counter.eq(event)
            with m.Elif(event & ~full):
                m.d.sync += counter.eq(counter + 1)

        count(self.done, "channels_done", self.end, saturate=False)
        count(self.errors, "packet_errors", self.end & self.failed, saturate=True)
        # A write and a read may be refused in one cycle: the second one is counted in the next.
        late = Signal()
        write, read = self.w_done & self.w_refused, self.r_done & self.r_refused
        m.d.sync += late.eq((write & read) | (late & (write | read)))
        count(self.refused, "refused", write | read | late, saturate=True)

    # -- reads ------------------------------------------------------------------------------------

    def _read(self, m: Module, memories: Mapping[str, Any], fetching: Value) -> None:
        """Answer a read: a register at once, an entry of a table when its memory has brought it."""
        live = {
            "control": {"enable": self.running},
            "mode": {"affine": self.affine},
            "channels": {"value": self.channels},
            "count_select": {"index": self.select},
            "channel_index": {"index": self.index},
            "status": {
                "busy": self.busy,
                "idle": ~self.busy,
                "in_packet": self.in_packet,
                "in_flight": self.in_flight,
            },
            "channels_done": {"value": self.done},
            "packet_errors": {"value": self.errors},
            "refused": {"value": self.refused},
        }
        address = self.r_address
        reading = Signal(FETCH)
        issue = Signal()
        tables = []
        for table in self.map.tables:
            inside, entry, word = self._within(table, address)
            memory = memories[table.name]
            # An address is never read in the cycle in which it is written, and the unit comes first.
            m.d.comb += memory.r_address.eq(entry)
            tables.append((inside, self._entry_word(table, memory.o_data, word)))
        for name in ("gamma", "beta"):
            with m.If(fetching):
                m.d.comb += memories[name].r_address.eq(self.index)
        in_tables = reduce(or_, [inside for inside, _ in tables])
        held = fetching | self.w_request | self.i_stats.valid
        m.d.comb += issue.eq(self.r_request & in_tables & ~held & ~reading.any())
        m.d.sync += reading.eq(Cat(issue, reading))

        with m.If(in_tables):
            m.d.comb += self.r_done.eq(reading[-1])
            for inside, word in tables:
                with m.If(inside):
                    m.d.comb += self.r_data.eq(word)
        with m.Else():
            m.d.comb += self.r_done.eq(self.r_request)
            with m.Switch(address[2:]):
                for register in self.map.registers:
                    fields = live.get(register.name, {})
                    with m.Case(register.offset >> 2):
                        value = place(register.fields, fields) if fields else Const(register.reset, WORD)
                        m.d.comb += self.r_data.eq(value)
                with m.Default():
                    m.d.comb += self.r_refused.eq(1)

    def _entry_word(self, table: Table, entry: Value, word: Value) -> Value:
        """The word of an entry that the memory has brought."""
        if table.writable:
            return extended(entry.as_signed())
        shapes = statistics_shapes(self.formats)
        parts, low = {}, 0
        for name, shape in shapes.items():
            part = entry[low : low + Shape.cast(shape).width]
            parts[name] = part.as_signed() if Shape.cast(shape).signed else part
            low += len(part)
        words = [Const(0, WORD)] * table.words
        for member in table.members:
            if member.value is None:
                words[member.word] = place(member.fields, parts)
            else:
                words[member.word] = extended(parts[member.value].shift_right(member.part * WORD))
        return choose(word, words)


def place(fields: tuple[Field, ...], values: Mapping[str, Value]) -> Value:
    """The word with these values in its fields."""
    word: Value = Const(0, WORD)
    for field in fields:
        word = word | Value.cast(values[field.name]).as_unsigned()[: field.width].shift_left(field.lsb)
    return word[:WORD]


def extended(value: Value) -> Value:
    """A number as a word, with its sign."""
    return (value | Const(0, Shape(WORD, signed=value.shape().signed)))[:WORD]


def choose(index: Value, words: Sequence[Value]) -> Value:
    """One of a power of two of words."""
    return words[0] if len(words) == 1 else Array(words)[index]
