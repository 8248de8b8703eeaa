"""What happens once per channel: exact Python integers in, exact Python integers out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .rounding import floor_log2, half_up, odd_part, shift_floor

if TYPE_CHECKING:
    from .contract import Contract

__all__ = [
    "bias",
    "divide_by_count",
    "integer_sqrt",
    "normalize",
    "over_r",
    "per_sample",
    "rounded_scale",
    "saturated",
    "scale",
    "with_epsilon",
]


def divide_by_count(dividend: int, fraction: int, count: int) -> int:
    """``round(dividend * 2**fraction / count)``, half up, for a dividend of either sign."""
    return half_up(dividend << fraction, count)


def integer_sqrt(radicand: int) -> int:
    """``floor(sqrt(radicand))`` for a radicand of any width."""
    if radicand < 0:
        raise ValueError(f"radicand = {radicand} is not possible; allowed: 0 or more")
    return math.isqrt(radicand)


def normalize(value: int, exponent: int, mantissa_width: int) -> tuple[int, int]:
    """The leading ``mantissa_width`` bits of ``value * 2**-exponent``, floored.

    Returns ``(mantissa, exponent)`` with the mantissa's top bit set, so that the value is
    ``mantissa * 2**-exponent`` to within one unit of the mantissa from below.
    """
    if value < 1:
        raise ValueError(f"value = {value} is not possible; allowed: 1 or more")
    raised = mantissa_width - value.bit_length()
    return shift_floor(value, raised), exponent + raised


def with_epsilon(contract: Contract, spread: int, count: int) -> int:
    """``spread * 2**h + E``, and a unit of the spread more where that is less than one: in a constant channel."""
    whole, fraction = divmod((spread << contract.h) + contract.E(count), 1 << contract.h)
    return (max(1, whole) << contract.h) + fraction


def per_sample(contract: Contract, v: int, exponent: int, count: int) -> tuple[int, int]:
    """r from ``v = count * r * 2**exponent``."""
    odd, p = odd_part(count)
    if contract.powers_of_two:
        return normalize(v, exponent + p, contract.T)
    return normalize(divide_by_count(v, contract.f, odd), exponent + p + contract.f, contract.T)


def rounded_scale(dividend: int, divisor: int, width: int, shift_min: int, shift_max: int) -> tuple[int, int]:
    """``(k, shift)`` with ``k * 2**-shift`` the nearest to ``dividend / divisor`` that ``width`` bits of k reach."""
    k, shift = 0, shift_max
    if dividend:
        shift = min(shift, width - 1 - floor_log2(dividend, divisor))
        k = half_up(dividend << max(0, shift), divisor << max(0, -shift))
        if k == 2**width:
            k, shift = k // 2, shift - 1
    return k, max(shift, shift_min)


def scale(contract: Contract, gamma: int, r_mantissa: int, r_exponent: int) -> tuple[int, int, bool]:
    """``(k, t, negative)``: the scale's magnitude, the right shift of the affine sum, the sign of gamma."""
    k, shift = rounded_scale(
        *over_r(abs(gamma), contract.y_fraction - contract.gamma_fraction, r_mantissa, r_exponent),
        contract.scale_width,
        contract.SHIFT_MIN,
        contract.SHIFT_MAX,
    )
    return k, shift + contract.F - 1, gamma < 0


def over_r(value: int, exponent: int, r_mantissa: int, r_exponent: int) -> tuple[int, int]:
    """``value * 2**exponent / r`` as a whole dividend and divisor."""
    exponent += r_exponent
    return value << max(0, exponent), r_mantissa << max(0, -exponent)


def bias(contract: Contract, k: int, negative: bool, mean: int) -> int:
    """``b = floor(-c * mu * 2**F / 2**G)`` with the signed scale c."""
    c = -k if negative else k
    return shift_floor(-c * mean, contract.F - contract.G)


def saturated(value: int, width: int) -> int:
    """The nearest value that ``width`` bits, two's complement, hold."""
    return max(-(1 << (width - 1)), min(value, (1 << (width - 1)) - 1))
