"""The few exact integer helpers that the contract is written in."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["clog2", "floor_log2", "half_up", "odd_part", "shift_left"]


def clog2(value: int) -> int:
    """Bits that number ``value`` things: ``ceil(log2(value))``, for ``value >= 1``."""
    if value < 1:
        raise ValueError(f"clog2 of {value}; allowed: 1 or more")
    bits = 0
    while 1 << bits < value:
        bits += 1
    return bits


def half_up(numerator: int, denominator: int) -> int:
    """``floor(numerator / denominator + 1/2)`` for ``denominator > 0``."""
    return (2 * numerator + denominator) // (2 * denominator)


def floor_log2(value: Fraction) -> int:
    """The largest integer ``e`` with ``2**e <= value``, for ``value > 0``."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if shift_left(1, exponent) <= value else exponent - 1


def shift_left(value: int, exponent: int) -> Fraction:
    """The exact ``value * 2**exponent`` for an exponent of either sign."""
    return Fraction(value << exponent) if exponent >= 0 else Fraction(value, 1 << -exponent)


def odd_part(count: int) -> tuple[int, int]:
    """Split ``count = odd * 2**p`` into ``(odd, p)``."""
    p = 0
    while count % 2 == 0:
        count //= 2
        p += 1
    return count, p
