"""The few exact integer helpers that the contract is written in."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["clog2", "floor_log2", "half_up", "odd_part", "power_of_two", "shift_floor"]


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


def floor_log2(numerator: int, denominator: int) -> int:
    """The largest integer ``e`` with ``2**e <= numerator / denominator``, both of them positive."""
    exponent = numerator.bit_length() - denominator.bit_length()
    reached = numerator << max(0, -exponent) >= denominator << max(0, exponent)
    return exponent if reached else exponent - 1


def shift_floor(value: int, exponent: int) -> int:
    """``floor(value * 2**exponent)`` for an exponent of either sign."""
    return value << exponent if exponent >= 0 else value >> -exponent


def power_of_two(exponent: int) -> Fraction:
    """The exact ``2**exponent`` for an exponent of either sign."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def odd_part(count: int) -> tuple[int, int]:
    """Split ``count = odd * 2**p`` into ``(odd, p)``."""
    p = 0
    while count % 2 == 0:
        count //= 2
        p += 1
    return count, p
