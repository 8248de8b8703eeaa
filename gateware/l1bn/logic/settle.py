"""Wide additions of operands that hold still."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Shape, Signal, Value

from .subtract import difference

__all__ = ["SEGMENT", "settling_cycles", "settling_difference", "settling_sum"]

SEGMENT = 16
"""Longest carry chain of a sum in bits; longer ones are split, with a registered carry between."""


def settling_cycles(width: int) -> int:
    """Cycles for which the operands of :func:`settling_sum` have to be stable before its value is right."""
    return -(-width // SEGMENT) - 1


def settling_sum(
    m: Module, a: Value, b: Value, width: int, carry: Value | int = 0, segments: int | None = None
) -> Value:
    """``a + b + carry`` modulo ``2**width`` of operands that are stable long enough: :func:`settling_cycles`.

    The carry chain is cut by registers into ``segments`` of equal length, by default of :data:`SEGMENT` bits at the
    most. While the operands hold still, the carries settle one segment after the other, which costs a cycle each and
    no register for the operands.
    """
    return settle(m, lambda a, b, carry: a + b + carry, a, b, Value.cast(carry), width, segments)


def settling_difference(m: Module, a: Value, b: Value, width: int) -> Value:
    """``a - b``; see :func:`settling_sum`."""
    return settle(m, difference, a, b, Const(0, 1), width)


def settle(
    m: Module,
    add: Callable[[Value, Value, Value], Value],
    a: Value,
    b: Value,
    carry: Value,
    width: int,
    segments: int | None = None,
) -> Value:
    length = -(-width // (segments or settling_cycles(width) + 1))
    left = Signal(Shape(width, signed=True))
    right = Signal(Shape(width, signed=True))
    m.d.comb += [left.eq(a), right.eq(b)]
    parts = []
    for low in range(0, width, length):
        part = Signal(len(left[low : low + length]) + 1)
        m.d.comb += part.eq(add(left[low : low + length], right[low : low + length], carry))
        parts.append(part[:-1])
        carry = Signal(reset_less=True)
        m.d.sync += carry.eq(part[-1])
    return Cat(parts)
