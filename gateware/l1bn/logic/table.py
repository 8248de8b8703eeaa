"""Small constant tables."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value

__all__ = ["lookup"]


def lookup(values: Sequence[int], select: Value) -> Value:
    """The entry of a small constant table; an index beyond its end gives the last one."""
    if len(values) == 1 or not len(select):
        return Const(values[0])
    half = 1 << (len(select) - 1)
    return Mux(
        select[-1], lookup(values[half:] or values[-1:], select[:-1]), lookup(values[:half], select[:-1])
    )
