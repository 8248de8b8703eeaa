"""Control of the operators that work on one channel at a time."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream

from .lfsr import bits_for, code_at, following

__all__ = ["Sequence", "consult", "sequence", "settled"]


@dataclass(frozen=True)
class Sequence:
    """One run of a sequential operator.

    ``load`` is 1 while the operator waits for an item, which is taken in the last such cycle: what arrives may be
    registered in all of them. ``begin`` is 1 in the first cycle of each step and ``step`` in its last one; ``final``
    and ``before_final`` are 1 during the whole of the last step and the last but one. ``move`` is a register that is
    1 where ``load`` or ``step`` is: the enable of what is loaded and stepped.
    """

    load: Value
    begin: Value
    step: Value
    move: Value
    final: Value
    before_final: Value


def sequence(m: Module, i: stream.Interface, o: stream.Interface, steps: int, cycles: int = 1) -> Sequence:
    """Handshake of a sequential operator: take an item, do ``steps`` steps, offer the result until it is taken.

    A step takes ``cycles`` cycles, of which ``step`` is 1 in the last one: until then what the step computes may
    settle. The result is offered ``steps * cycles + 1`` cycles after the item was taken; the next item is taken
    one cycle after the result at the earliest, so the operator repeats in one cycle more.
    """
    bits = bits_for(steps)
    idle = Signal(init=1)
    walk = Signal(cycles)  # one bit walks through the cycles of a step
    code = Signal(bits, init=code_at(bits, 0))
    final = Signal(init=steps == 1)
    before_final = Signal(init=steps == 2)
    move = Signal(init=1)
    step = walk[-1]
    ends = o.valid & o.ready
    starts = Cat((idle & i.valid) | (step & ~final), walk[:-1])
    waits = Mux(idle, ~i.valid, ends)
    m.d.comb += i.ready.eq(idle)
    m.d.sync += [walk.eq(starts), idle.eq(waits), move.eq(waits | starts[-1])]
    with m.If(idle):
        m.d.sync += [code.eq(code_at(bits, 0)), final.eq(steps == 1), before_final.eq(steps == 2)]
    with m.Elif(step):
        m.d.sync += [
            code.eq(following(code)),
            before_final.eq(code == code_at(bits, steps - 3) if steps > 2 else 0),
            final.eq(before_final),
        ]
    m.d.sync += o.valid.eq(Mux(o.valid, ~o.ready, step & final))
    return Sequence(idle, walk[0], step, move, final, before_final)


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
    m.d.sync += asked.eq(source.valid & (asked | question.ready) & ~leaves)
    m.d.comb += sink.valid.eq(settled(m, answer.valid, leaves, settling))


def settled(m: Module, valid: Value, leaves: Value, cycles: int) -> Value:
    """``valid`` so many cycles late, for what is computed in the meantime of an item that holds until it ``leaves``."""
    for _ in range(cycles):
        later = Signal()
        m.d.sync += later.eq(valid & ~leaves)
        valid = later
    return valid
