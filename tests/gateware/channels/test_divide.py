"""Division by a constant: the proofs of its constants, and both dividers."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import partial
from math import floor, gcd

import pytest

from l1bn.channels.divide import DivideByConstant, DivideByCount, Division
from l1bn.config import ConfigurationError

from ..bench import FEW_PAUSES, exercise, periods, shuffled

COUNTS = [2, 3, 4, 5, 6, 7, 12, 25, 49, 100, 127, 129, 1000, 1021, 1024, 65535, 65537, 3 << 18]
COUNTS += [(1 << 20) - 1, 1 << 20]


def quotient(dividend: int, fraction: int, count: int) -> int:
    return floor(Fraction(dividend << fraction, count) + Fraction(1, 2))


def ends(width: int) -> tuple[int, int]:
    return -(1 << (width - 1)), (1 << (width - 1)) - 1


# -- constants ----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [2, 3, 5, 8])
def test_every_dividend(width: int) -> None:
    low, high = ends(width)
    for count in [*range(1, 66), 100, 127, 128, 129, 255, 256, 257, 4096, 999_999, 1 << 20]:
        for fraction in (0, 1, 2, 7, 21):
            division = Division.derive(width, fraction, count)
            for dividend in range(low, high + 1):
                assert division.apply(dividend) == quotient(dividend, fraction, count), (division, dividend)


def is_exact(division: Division) -> bool:
    """Whether the constants give every quotient, by a proof of its own.

    The quotient is the floor of (2 a 2^f + n) / 2n. These fractions lie on a lattice: their numerators are ``rest``
    and a multiple of ``step``, modulo 2n. Something less than (step - rest) / 2n may be added to all of them and up
    to rest / 2n be taken away, and each floor stays. What the constants add is linear in a, so both ends decide.
    The constants' own sum is an integer over 2^shift: less than 2^-shift may be added to it as well.
    """
    n, f = division.count, division.fraction
    step = gcd(2 << f, 2 * n)
    rest = n % step
    unit = Fraction(2) ** -max(0, division.shift)
    added = [
        (dividend * division.multiplier + division.offset) * Fraction(2) ** -division.shift
        - Fraction((2 * dividend << f) + n, 2 * n)
        for dividend in ends(division.width)
    ]
    lift = max(Fraction(0), Fraction(-rest, 2 * n) - min(added))
    return lift < unit and max(added) + lift < Fraction(step - rest, 2 * n)


def test_constants_are_proven(seed: int) -> None:
    draw = random.Random(seed)
    cases = [(width, fraction, count) for width in (2, 36, 64) for fraction in (0, 1, 64) for count in COUNTS]
    cases += [(draw.randint(2, 64), draw.randint(0, 64), draw.randint(2, 1 << 20)) for _ in range(2000)]
    cases += [(draw.randint(2, 64), draw.randint(0, 64), draw.randint(1, 64)) for _ in range(1000)]
    for case in cases:
        assert is_exact(Division.derive(*case)), case


def test_the_proof_notices_wrong_constants() -> None:
    """Constants of too small a shift, and a dividend that shows it."""
    wrong = Division(width=12, fraction=0, count=7, multiplier=147, offset=73 * 7, shift=10)
    assert not is_exact(wrong)
    low, high = ends(12)
    assert any(wrong.apply(dividend) != quotient(dividend, 0, 7) for dividend in range(low, high + 1))


def test_proven_and_enumerated_agree(seed: int) -> None:
    """The proof says yes to constants that are right for every dividend, and no to none of those derived."""
    draw = random.Random(seed)
    low, high = ends(6)
    for _ in range(400):
        division = Division(
            6, draw.randint(0, 3), draw.randint(2, 12), draw.randint(1, 60), draw.randint(0, 60), 6
        )
        right = all(
            division.apply(a) == quotient(a, division.fraction, division.count) for a in range(low, high + 1)
        )
        assert right or not is_exact(division)


@pytest.mark.parametrize("width", [2, 5, 16, 36])
def test_quotient_width(width: int) -> None:
    """As many bits as the quotients need, and no more."""
    for count in COUNTS:
        for fraction in (0, 1, 5, 20):
            bits = Division.derive(width, fraction, count).quotient_width
            quotients = [quotient(dividend, fraction, count) for dividend in ends(width)]
            assert all(-(1 << bits - 1) <= value < 1 << bits - 1 for value in quotients)
            shorter = (1 << bits - 1) // 2
            assert bits == 1 or any(not -shorter <= value < shorter for value in quotients)


# -- dividers -----------------------------------------------------------------------------------


def dividends(seed: int, width: int, fraction: int, count: int) -> list[int]:
    """The ends of the range, neighbours of the places where the quotient changes, and any others."""
    low, high = ends(width)
    near = set()
    for value in (quotient(low, fraction, count) + 1, quotient(high, fraction, count), 0, 1, 5):
        change = -(-(2 * value - 1) * count // (2 << fraction))  # first dividend with this quotient
        near |= {change - 1, change}
    return [value for value in sorted(near) if low <= value <= high] + shuffled(seed, width, True, 9)


@pytest.mark.parametrize(
    ("width", "fraction", "count"),
    [
        (2, 0, 2),
        (8, 0, 3),
        (16, 0, 4),
        (12, 2, 48),
        (26, 10, 1024),
        (26, 4, 1024),
        (22, 31, 49),
        (36, 0, (1 << 20) - 1),
        (52, 40, 999_983),
        (8, 20, 1 << 20),
    ],
)
def test_divide_by_constant(width: int, fraction: int, count: int, seed: int) -> None:
    values = dividends(seed, width, fraction, count)
    expected = [quotient(value, fraction, count) for value in values]
    make = partial(DivideByConstant, width, fraction, count)
    bench = exercise(make, {"i": {"value": values}}, {"o": {"value": expected}}, seed)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {1}


@pytest.mark.parametrize(
    ("width", "fraction", "counts"),
    [
        (2, 0, (2,)),
        (14, 6, (60,)),
        (9, 0, (8, 2)),
        (24, 12, (48, 64, 49)),
        (52, 60, (1 << 20, 3, (1 << 20) - 1, 2, 999_983)),
    ],
)
def test_divide_by_count(width: int, fraction: int, counts: tuple[int, ...], seed: int) -> None:
    items = [
        (value, s) for s, count in enumerate(counts) for value in dividends(seed, width, fraction, count)
    ]
    random.Random(seed).shuffle(items)
    values, selects = zip(*items, strict=True)
    expected = [quotient(value, fraction, counts[select]) for value, select in items]
    make = partial(DivideByCount, width, fraction, counts)
    inputs = {"i": {"dividend": values, "select": selects}}
    bench = exercise(make, inputs, {"o": {"quotient": expected, "select": selects}}, seed, FEW_PAUSES)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("width", (1, 0, 4)), ("width", (129, 0, 4)), ("fraction", (8, -1, 4)), ("count", (8, 0, 0))],
)
def test_impossible(name: str, arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} = "):
        DivideByConstant(*arguments)
    width, fraction, count = arguments
    with pytest.raises(ConfigurationError, match=f"^{name} = "):
        DivideByCount(width, fraction, [7, count])
