"""Control of the operators that work on one channel at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream

__all__ = ["Sequence", "consult", "sequence", "step_codes"]

# Feedback taps of the shift registers of maximal length, 2**bits - 1 states.
TAPS = {
    **{2: (1, 0), 3: (2, 1), 4: (3, 2), 5: (4, 2), 6: (5, 4), 7: (6, 5), 8: (7, 5, 4, 3), 9: (8, 4)},
    **{10: (9, 6), 11: (10, 8), 12: (11, 10, 9, 3)},
}


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


def step_codes(steps: int) -> list[int]:
    """What numbers the steps of a run: the states of a shift register with feedback, which needs no carry."""
    bits = max(2, steps.bit_length())
    codes = [(1 << bits) - 1]
    while len(codes) < steps:
        code = codes[-1]
        codes.append((code << 1 | reduce(xor, (code >> tap for tap in TAPS[bits])) & 1) & ((1 << bits) - 1))
    return codes


def sequence(m: Module, i: stream.Interface, o: stream.Interface, steps: int, cycles: int = 1) -> Sequence:
    """Handshake of a sequential operator: take an item, do ``steps`` steps, offer the result until it is taken.

    A step takes ``cycles`` cycles, of which ``step`` is 1 in the last one: until then what the step computes may
    settle. The result is offered ``steps * cycles + 1`` cycles after the item was taken; the next item is taken
    one cycle after the result at the earliest, so the operator repeats in one cycle more.
    """
    codes = step_codes(steps)
    idle = Signal(init=1)
    walk = Signal(cycles)  # one bit walks through the cycles of a step
    code = Signal(max(2, steps.bit_length()), init=codes[0])
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
        m.d.sync += [code.eq(codes[0]), final.eq(steps == 1), before_final.eq(steps == 2)]
    with m.Elif(step):
        following = reduce(xor, (code[tap] for tap in TAPS[len(code)]))
        m.d.sync += [
            code.eq(Cat(following, code)),
            before_final.eq(code == codes[steps - 3] if steps > 2 else 0),
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
    settled: Value = answer.valid
    for _ in range(settling):
        later = Signal()
        m.d.sync += later.eq(settled & ~leaves)
        settled = later
    m.d.comb += sink.valid.eq(settled)
