"""Control of the operators that find their result digit by digit."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream

__all__ = ["Digits", "digits"]


@dataclass(frozen=True)
class Digits:
    """Where a run is.

    ``busy`` is 1 from the cycle after an item was taken until the last digit is known, ``step`` in the last cycle of
    each digit. While ``free`` is 0 a result waits for its sink; ``free`` is 1 in every cycle in which an item is taken.
    """

    busy: Value
    step: Value
    free: Value


def digits(m: Module, i: stream.Interface, o: stream.Interface, count: int, cycles: int = 1) -> Digits:
    """Handshake of an operator that finds ``count`` digits, each in ``cycles`` cycles.

    The result is offered ``count * cycles + 1`` cycles after its item was taken, and the next item can be taken in the
    cycle in which the result leaves. So an item may be prepared whenever the operator is not busy but free: that
    harms nobody, and no register of the operator has to wait for ``i.valid``.
    """
    busy = Signal()
    found = Signal(range(count), reset_less=True)
    final = Signal(init=count == 1, reset_less=True)
    free, load, step = Signal(), Signal(), Signal()
    m.d.comb += [
        free.eq(~o.valid | o.ready),
        i.ready.eq(~busy & free),
        load.eq(i.valid & ~busy & free),
        step.eq(busy),
    ]
    if cycles > 1:
        walk = Signal(cycles)  # one bit walks through the cycles of a digit
        m.d.comb += step.eq(walk[-1])
        m.d.sync += walk.eq(Cat(load | (step & ~final), walk[:-1]))
    m.d.sync += [
        busy.eq(load | (busy & ~(step & final))),
        o.valid.eq((step & final) | (o.valid & ~o.ready)),
    ]
    with m.If(~busy):
        m.d.sync += [found.eq(0), final.eq(count == 1)]
    with m.Elif(step):
        # The first number with these bits set is the one before the last.
        before = max(0, count - 2)
        m.d.sync += [found.eq(found + 1), final.eq(found & before == before)]
    return Digits(busy, step, free)
