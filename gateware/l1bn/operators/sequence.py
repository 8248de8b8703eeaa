"""Control of the operators that work on one channel at a time."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream

__all__ = ["Sequence", "sequence"]


@dataclass(frozen=True)
class Sequence:
    """One run: ``load`` takes an item, ``step`` is 1 in each step, ``left`` counts the steps down to 1."""

    load: Value
    step: Value
    left: Value


def sequence(m: Module, i: stream.Interface, o: stream.Interface, steps: int, cycles: int = 1) -> Sequence:
    """Handshake of a sequential operator: take an item, do ``steps`` steps, offer the result until it is taken.

    A step takes ``cycles`` cycles, of which ``step`` is 1 in the last one: until then what the step computes may
    settle. The result is offered ``steps * cycles + 1`` cycles after the item was taken; the next item is taken
    one cycle after the result at the earliest, so the operator repeats in one cycle more.
    """
    idle = Signal(init=1)
    walk = Signal(cycles)  # one bit walks through the cycles of a step
    left = Signal(range(steps + 1), reset_less=True)
    final = Signal(reset_less=True)
    load, step = i.valid & idle, walk[-1]
    m.d.comb += i.ready.eq(idle)
    m.d.sync += walk.eq(Cat(load | (step & ~final), walk[:-1]))
    with m.If(load):
        m.d.sync += [idle.eq(0), left.eq(steps), final.eq(steps == 1)]
    with m.If(step):
        m.d.sync += [left.eq(left - 1), final.eq(left == 2)]
        with m.If(final):
            m.d.sync += o.valid.eq(1)
    with m.If(o.valid & o.ready):
        m.d.sync += [o.valid.eq(0), idle.eq(1)]
    return Sequence(load, step, left)


def consult(
    m: Module,
    source: stream.Interface,
    question: stream.Interface,
    answer: stream.Interface,
    sink: stream.Interface,
    settling: int = 0,
) -> None:
    """Put an item of ``source`` to a sequential operator and keep the item until the answer has left.

    ``question`` and ``answer`` are the operator's ports, ``sink`` takes the result; payloads are the
    caller's. So whatever else the item holds needs no register beside the operator. The sink sees the
    answer ``settling`` cycles late, for what is computed from it in the meantime.
    """
    asked = Signal()
    leaves = sink.valid & sink.ready
    m.d.comb += [
        question.valid.eq(source.valid & ~asked),
        answer.ready.eq(leaves),
        source.ready.eq(leaves),
    ]
    with m.If(leaves):
        m.d.sync += asked.eq(0)
    with m.Elif(question.valid & question.ready):
        m.d.sync += asked.eq(1)
    settled: Value = answer.valid
    for _ in range(settling):
        later = Signal()
        m.d.sync += later.eq(settled & ~leaves)
        settled = later
    m.d.comb += sink.valid.eq(settled)
