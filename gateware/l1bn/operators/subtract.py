"""Subtraction with a borrow."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Value

__all__ = ["difference"]


def difference(a: Value, b: Value, borrow: Value | int) -> Value:
    """``a - b - borrow`` of numbers of equal width, one bit wider than they are; its top bit is the borrow out.

    The borrow enters as one more place of the same carry chain. Written as a third operand it would cost an
    inverter a bit and an adder of its own.
    """
    borrow = Const(borrow, 1) if isinstance(borrow, int) else borrow
    low = Cat(Const(0, 1), a)
    return (low - Cat(borrow, b))[1 : len(a) + 2]
