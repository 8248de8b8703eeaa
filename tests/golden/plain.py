"""The forward pass of one channel in exact fractions, one obvious step after the other, nothing shared.

Only the format constants come from the contract under test; ``test_contract.py`` checks those by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from l1bn_golden import Contract

HALF = Fraction(1, 2)


def power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def half_up(value: Fraction) -> int:
    return math.floor(value + HALF)


def sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def floating(value: Fraction, bits: int) -> tuple[int, int]:
    """(m, e) with m = floor(value * 2**e) of exactly so many bits."""
    exponent = 0
    while value * power(exponent) >= power(bits):
        exponent -= 1
    while value * power(exponent) < power(bits - 1):
        exponent += 1
    return math.floor(value * power(exponent)), exponent


def floor_root(value: Fraction) -> int:
    """The largest integer whose square is not above the value, by bisection."""
    low, high = 0, 1
    while high * high <= value:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * middle <= value else (low, middle)
    return low


@dataclass
class Channel:
    y: list[int]
    mean: int
    r: Fraction
    r_mantissa: int
    k: int
    t: int
    sign_count: int


def normalise(contract: Contract, x: list[int], gamma: int, beta: int) -> Channel:
    c, n = contract, len(x)
    mean = half_up(Fraction(sum(x), n) * power(c.G))
    centred = [value - mean / power(c.G) for value in x]
    sign_count = sum(sign(value) for value in centred)

    epsilon = Fraction(c.epsilon) * (power(c.x_fraction) if c.norm == "l1" else power(2 * c.x_fraction))
    odd = n
    while odd % 2 == 0:
        odd //= 2
    if c.norm == "l1":
        unit = n * power(c.G)
        spread = Fraction(sum(abs(value) for value in centred)) / n + max(1, half_up(epsilon * unit)) / unit
        times_odd = spread * odd
    else:
        exact_mean = Fraction(sum(x), n)
        variance = sum((value - exact_mean) ** 2 for value in x) / n
        variance += Fraction(max(1, half_up(epsilon * n * n)), n * n)
        # n * standard deviation to T bits, then without the power of two in n.
        square, pairs = variance * n * n, 0
        while square * 4**pairs < power(2 * c.T - 2):
            pairs += 1
        while square * power(2 * pairs) >= power(2 * c.T):
            pairs -= 1
        times_odd = floor_root(square * power(2 * pairs)) / power(pairs) / (n // odd)
    if any(count & (count - 1) for count in c.counts):
        # The unit of the quotient: f bits below that of the dividend.
        if c.norm == "l1":
            unit = power(c.f + c.G) * (n // odd)
        else:
            unit = power(c.f + pairs) * (n // odd)
        spread = half_up(times_odd * unit / odd) / unit
    else:
        spread = times_odd / odd
    r_mantissa, r_exponent = floating(spread, c.T)
    r = r_mantissa * power(-r_exponent)

    exact = abs(gamma) * power(c.y_fraction - c.gamma_fraction) / r
    shift = c.width + 4
    k = half_up(exact * power(shift))
    while k >= 2**c.scale_width:
        shift -= 1
        k = half_up(exact * power(shift))
    shift = max(shift, c.SHIFT_MIN)
    signed = -k if gamma < 0 else k

    lowest, highest = -(2 ** (c.y_width - 1)), 2 ** (c.y_width - 1) - 1
    y = []
    for value in centred:
        result = half_up(signed * value * power(-shift)) + beta * 2 ** (c.y_fraction - c.beta_fraction)
        y.append(max(lowest, min(highest, result)))
    return Channel(y, mean, r, r_mantissa, k, shift + c.F - 1, sign_count)
