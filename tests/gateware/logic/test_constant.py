"""Products with constants, and the constants that divide: for every dividend, and by a proof of its own."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import floor, gcd

import pytest

from l1bn.logic.constant import Reciprocal, product, signed_digits, trailing_zeros

COUNTS = [2, 3, 4, 5, 6, 7, 12, 25, 49, 100, 125, 127, 129, 1000, 1024, 65537, 3 << 18, 1 << 20]


def quotient(dividend: int, fraction: int, count: int) -> int:
    return floor(Fraction(dividend << fraction, count) + Fraction(1, 2))


def ends(width: int) -> tuple[int, int]:
    return -(1 << (width - 1)), (1 << (width - 1)) - 1


# -- products -----------------------------------------------------------------------------------


def value(constant: int) -> tuple[int, int]:
    """What the adders of a constant give for 1, and the longest path through them."""
    adder = product(constant, 16)
    if adder is None:
        return 1, 0
    high, low = value(adder.high), value(adder.low)
    depth = max(high[1], low[1]) + 1
    assert adder.depth == depth
    return (high[0] << adder.shift) + adder.sign * low[0], depth


def test_product(seed: int) -> None:
    """The adders give the constant, with no more of them than its signed digits need."""
    draw = random.Random(seed)
    for constant in [*range(1, 1000, 2), *(draw.getrandbits(draw.randint(1, 64)) | 1 for _ in range(60))]:
        found, depth = value(constant)
        assert found == constant
        assert depth < max(2, len(signed_digits(constant)))


def test_signed_digits(seed: int) -> None:
    draw = random.Random(seed)
    for number in [*range(1, 300), *(draw.getrandbits(90) + 1 for _ in range(100))]:
        digits = signed_digits(number)
        assert sum(sign << exponent for sign, exponent in digits) == number
        exponents = [exponent for _, exponent in digits]
        assert all(above - below > 1 for below, above in pairwise(exponents))


# -- reciprocals --------------------------------------------------------------------------------


def wrong(reciprocal: Reciprocal) -> list[int]:
    """Every dividend whose quotient is not right."""
    low, high = ends(reciprocal.width)
    return [
        a
        for a in range(low, high + 1)
        if reciprocal.apply(a) != quotient(a, reciprocal.fraction, reciprocal.count)
    ]


@pytest.mark.parametrize("width", [2, 3, 5, 8])
def test_every_dividend(width: int) -> None:
    for count in [*range(1, 66), 100, 127, 128, 129, 255, 256, 257, 4096, 999_999, 1 << 20]:
        for fraction in (0, 1, 2, 7, 21):
            reciprocal = Reciprocal.derive(width, fraction, count)
            assert not wrong(reciprocal), reciprocal


@pytest.mark.parametrize(
    ("width", "fraction", "count"), [(16, 0, 49), (15, 3, 1000), (14, 0, 125), (13, 9, 784)]
)
def test_every_dividend_of_a_wide_one(width: int, fraction: int, count: int) -> None:
    assert not wrong(Reciprocal.derive(width, fraction, count))


def is_exact(reciprocal: Reciprocal) -> bool:
    """Whether the constants give every quotient, by a proof of its own, with fractions.

    What the hardware has before its final shift, times 2^-shift, is between two lines over the dividend: the exact
    product, less what is left out at most and at least. It must not be below the exact quotient plus one half, less
    the distance of that from its floor, and not reach the next integer. The numerators over 2n that occur are equal
    modulo gcd(2^(f + 1), 2n); so the smallest distances from the integers are known. Lines are decided by their ends.
    """
    n, f = reciprocal.count, reciprocal.fraction
    step = gcd(2 << f, 2 * n)
    above = Fraction(n % step, 2 * n)  # of an exact quotient plus one half, from its floor
    below = Fraction(step - n % step, 2 * n)  # to the next integer
    unit = Fraction(2) ** -reciprocal.shift
    dropped = 1 << reciprocal.dropped
    last = reciprocal.last
    if last is None:
        least, most = Fraction(0), Fraction(dropped - 1, dropped)
    else:
        low = Fraction(dropped - 1, dropped)
        high = max(Fraction(0), Fraction(dropped - (1 << last.shift), dropped))
        least, most = (Fraction(0), low + high) if last.sign > 0 else (-low, high)
    for a in ends(reciprocal.width):
        exact = Fraction((2 * a << f) + n, 2 * n)
        kept = Fraction(a * reciprocal.multiplier, dropped) + reciprocal.offset
        if (kept - most) * unit < exact - above or (kept - least) * unit >= exact + below:
            return False
    return True


def test_constants_are_proven(seed: int) -> None:
    draw = random.Random(seed)
    cases = [(width, fraction, count) for width in (2, 24) for fraction in (0, 1, 16) for count in COUNTS]
    cases += [(draw.randint(2, 32), draw.randint(0, 8), draw.randint(1, 4096)) for _ in range(60)]
    for case in cases:
        assert is_exact(Reciprocal.derive(*case)), case


def test_the_proofs_notice_wrong_constants(seed: int) -> None:
    """What either proof lets pass is right for every dividend, and both let pass what is derived."""
    draw = random.Random(seed)
    caught = 0
    for _ in range(300):
        right = Reciprocal.derive(draw.randint(4, 9), draw.randint(0, 3), draw.randint(2, 70))
        assert right.offset in right.offsets
        changed = replace(
            right,
            multiplier=right.multiplier + draw.choice((-2, 0, 0, 2)),
            offset=right.offset + draw.choice((-1, 0, 1)) * (1 << draw.randint(0, 12)),
        )
        if changed.multiplier < 1:
            continue
        bad = wrong(changed)
        caught += bool(bad)
        assert not (bad and is_exact(changed)), changed
        assert not (bad and changed.offset in changed.offsets), changed
    assert caught > 50


def test_trailing_zeros() -> None:
    assert [trailing_zeros(number) for number in (1, -1, 2, 12, -48, 1 << 70)] == [0, 0, 1, 2, 4, 70]


@pytest.mark.parametrize("width", [2, 5, 16, 24])
def test_quotient_width(width: int) -> None:
    """As many bits as the quotients need, and no more."""
    for count in COUNTS:
        for fraction in (0, 1, 5):
            bits = Reciprocal.derive(width, fraction, count).quotient_width
            quotients = [quotient(dividend, fraction, count) for dividend in ends(width)]
            assert all(-(1 << bits - 1) <= number < 1 << bits - 1 for number in quotients)
            shorter = (1 << bits - 1) // 2
            assert bits == 1 or any(not -shorter <= number < shorter for number in quotients)
