"""Small constant tables."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Const, Value

__all__ = ["lookup"]


def lookup(values: Sequence[int], select: Value) -> Value:
    """The entry of a small constant table; an index beyond its end gives the last one."""
    entries = [Const(value) for value in values]
    return entries[0] if len(entries) == 1 else Value.cast(Array(entries)[select])
