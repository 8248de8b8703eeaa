"""Saturation."""

from __future__ import annotations

from amaranth.hdl import Cat, Mux, Value

__all__ = ["saturated"]


def saturated(value: Value, width: int) -> Value:
    """The nearest number of ``width`` bits to a signed one of at least as many, signed."""
    above = value[width - 1 :]
    outside = above.any() & ~above.all()
    sign = value[-1]
    return Mux(outside, Cat((~sign).replicate(width - 1), sign), value[:width]).as_signed()
