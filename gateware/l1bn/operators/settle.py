"""Wide additions of operands that hold still."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Shape, Signal, Value

from .total import SEGMENT

__all__ = ["settling_cycles", "settling_sum"]


def settling_cycles(width: int) -> int:
    """Cycles for which the operands of :func:`settling_sum` have to be stable before its value is right."""
    return -(-width // SEGMENT) - 1


def settling_sum(m: Module, a: Value, b: Value, carry: int, width: int) -> Value:
    """``a + b + carry`` modulo ``2**width`` of operands that are stable long enough: :func:`settling_cycles`.

    The carry chain is cut by registers every :data:`SEGMENT` bits at the most. While the operands hold
    still, the carries settle one segment after the other, which costs a cycle each and no register for the
    operands.
    """
    segments = settling_cycles(width) + 1
    length = -(-width // segments)
    left, right = Signal(Shape(width, signed=True)), Signal(Shape(width, signed=True))
    m.d.comb += [left.eq(a), right.eq(b)]
    parts = []
    carry_in: Value = Value.cast(carry)
    for low in range(0, width, length):
        part = Signal(len(left[low : low + length]) + 1)
        m.d.comb += part.eq(left[low : low + length] + right[low : low + length] + carry_in)
        parts.append(part[:-1])
        carry_in = Signal(reset_less=True)
        m.d.sync += carry_in.eq(part[-1])
    return Cat(parts)
