"""Operators that take turns, where one of them is too slow for the channels that arrive.

What works once a channel works a bit or two a cycle and hides behind the beats of the next channel. Where these are
fewer than its cycles there are several of it: the n-th channel goes to operator n modulo their number, and its result
comes from there. So the order of the channels stays, and so do all bits and the latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import stream, wiring

from ..logic.sequence import consult, settled
from ..streams.layouts import inlet, outlet
from ..streams.registers import ChannelRegister, fork, register_chain

__all__ = [
    "ALONE",
    "Registered",
    "Turns",
    "consult_in_turns",
    "held_by",
    "in_turns",
    "pace_behind",
    "pace_of",
    "registered_in_turns",
]

ALONE = 1 << 16
"""Cycles from channel to channel that any single operator keeps up with."""


class Registered(wiring.Component):
    """An operator that wants its item held until the result leaves, behind a register that holds it.

    Parameters
    ----------
    operator : has ``i``, ``o``, ``latency``

    Members: as of the operator.

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, operator: Any):
        self.operator = operator
        self.latency = ChannelRegister.latency + operator.latency
        # The register is free again a cycle after its item has left.
        self.interval = self.latency + 1
        super().__init__(
            {"i": inlet(operator.i.payload.shape()), "o": outlet(operator.o.payload.shape())}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.operator = operator = self.operator
        m.submodules.register = register = ChannelRegister(self.i.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), register.i)
        wiring.connect(m, register.o, operator.i)
        wiring.connect(m, operator.o, wiring.flipped(self.o))
        return m


class Turns(wiring.Component):
    """Several of one operator that take turns.

    Parameters
    ----------
    operators : one or more of the same; they keep their operands themselves
    settling : cycles for which each keeps its result before it is taken

    Members: as of the operator.

    Latency: ``latency``, as of one. As many results as there are operators in the time that one takes, which makes one
    in ``interval`` cycles on average, rounded up.
    """

    def __init__(self, operators: list[Any], settling: int = 0):
        self.operators = operators
        one = operators[0]
        self.latency = one.latency
        self.interval = self.pace = -(-(one.interval + settling) // len(operators))
        self.held = len(operators) * getattr(one, "held", 1)
        super().__init__({"i": inlet(one.i.payload.shape()), "o": outlet(one.o.payload.shape())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        number = len(self.operators)
        # One bit walks on with each item.
        enters, leaves = Signal(number, init=1), Signal(number, init=1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += enters.eq(enters.rotate_left(1))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += leaves.eq(leaves.rotate_left(1))
        results: list[Value] = []
        for index, operator in enumerate(self.operators):
            m.submodules[f"operator_{index}"] = operator
            result = Value.cast(operator.o.payload)
            results.append(result & leaves[index].replicate(len(result)))
            m.d.comb += [
                operator.i.valid.eq(self.i.valid & enters[index]),
                operator.i.payload.eq(self.i.payload),
                operator.o.ready.eq(self.o.ready & leaves[index]),
            ]
        inlets, outlets = ([getattr(operator, name) for operator in self.operators] for name in ("i", "o"))
        m.d.comb += [
            self.i.ready.eq(_any(enters[index] & inlet.ready for index, inlet in enumerate(inlets))),
            self.o.valid.eq(_any(leaves[index] & outlet.valid for index, outlet in enumerate(outlets))),
            Value.cast(self.o.payload).eq(reduce(or_, results)),
        ]
        return m


def _any(values: Iterable[Value]) -> Value:
    return reduce(or_, values)


def in_turns(make: Callable[[], Any], interval: int, settling: int = 0, before: int = 0) -> Any:
    """The operator that ``make`` makes, or as many of it in turns as keep up with a channel every ``interval`` cycles.

    It keeps its operands itself. :func:`consult_in_turns` asks it, and takes the result ``settling`` cycles late. A
    single one has its source wait, which takes ``before`` cycles until it has the next item.
    """
    one = make()
    if before + pace_of(one, settling) <= interval:
        return one
    number = -(-(one.interval + settling) // interval)
    return Turns([one, *(make() for _ in range(number - 1))], settling)


def registered_in_turns(make: Callable[[], Any], interval: int, before: int = 0) -> Any:
    """As :func:`in_turns`, of an operator that wants its item held until the result leaves."""
    one = make()
    if before + pace_of(one) <= interval:
        return one
    first = Registered(one)
    number = -(-first.interval // interval)
    return Turns([first, *(Registered(make()) for _ in range(number - 1))])


def pace_of(operator: Any, settling: int = 0) -> int:
    """Cycles from channel to channel that an operator behind a register keeps up with.

    Of a single one the item waits in that register until the result has left, and the next one comes after. What frees
    the register earlier states its ``pace``.
    """
    return int(operator.pace if hasattr(operator, "pace") else operator.interval + settling + 1)


def pace_behind(latency: int, operator: Any) -> int:
    """As :func:`pace_of`, behind sums that are found ``latency`` cycles after the final beat of a channel.

    They are free for the next channel when the operator has taken them, which a single one has when its result leaves.
    """
    if isinstance(operator, Turns):
        return max(latency + 1, operator.interval)
    return int(latency + operator.latency + 1)


def held_by(operator: Any) -> int:
    """The most channels that it and the register before it hold."""
    return int(operator.held + 1 if isinstance(operator, Turns) else getattr(operator, "held", 1))


def consult_in_turns(
    m: Module, source: stream.Interface, operator: Any, sink: stream.Interface, name: str, settling: int = 0
) -> stream.Interface:
    """:func:`l1bn.logic.sequence.consult` of an operator that may be several in turns.

    Returns the stream whose payload is the item when its answer is there. A single operator finds it in ``source``
    still; while several work, the items wait in registers, which get ``name`` and a number.
    """
    if not isinstance(operator, Turns):
        consult(m, source, operator.i, operator.o, sink, settling)
        return source
    # One more than there are operators: the first is free again by the time when the next channel comes.
    first, last = register_chain(m, name, source.payload.shape(), len(operator.operators) + 1)
    fork(m, source, operator.i, first)
    leaves = sink.valid & sink.ready
    m.d.comb += [
        first.payload.eq(source.payload),
        sink.valid.eq(settled(m, operator.o.valid & last.valid, leaves, settling)),
        operator.o.ready.eq(leaves),
        last.ready.eq(leaves),
    ]
    return last
