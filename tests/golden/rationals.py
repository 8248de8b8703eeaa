"""The few exact steps that the models in fractions are written in; none comes from the package under test."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["half_up", "power", "sign"]


def power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)
