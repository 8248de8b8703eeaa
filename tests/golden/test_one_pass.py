"""L1 in one pass is L1 in two, bit for bit, for every guess; by exact rationals."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from l1bn_golden.channel import divide_by_count
from l1bn_golden.one_pass import Attempt, Guess, attempt, greatest_level, is_inside, repair


def by_definition(x: list[int], mu: int, guard_bits: int) -> tuple[Fraction, int]:
    """sum |x - mu| and sum sgn(x - mu), in units of 2^-G, of the definition."""
    mean = Fraction(mu, 1 << guard_bits)
    signs = [(value > mean) - (value < mean) for value in x]
    return sum((abs(value - mean) for value in x), Fraction(0)) * (1 << guard_bits), sum(signs)


def outcome(x: list[int], guess: Guess, guard_bits: int, lanes: int = 1) -> tuple[bool, Attempt, int, int]:
    """Hit or miss, what the pass found, S and mu."""
    total = sum(x)
    mu = divide_by_count(total, guard_bits, len(x))
    found = attempt(np.array(x), guess, lanes)
    return is_inside((mu >> guard_bits) - guess.pivot - 1, guess.level), found, total, mu


@pytest.mark.parametrize("guard_bits", [0, 1, 2, 3])
@pytest.mark.parametrize("count", [2, 3])
def test_every_channel_and_every_guess_of_three_bits(count: int, guard_bits: int) -> None:
    """Exact means and rounded ones; a hit wherever the mean is inside the window, a repeat always."""
    hits = 0
    for x in product(range(-4, 4), repeat=count):
        mu = divide_by_count(sum(x), guard_bits, count)
        expected = by_definition(list(x), mu, guard_bits)
        for pivot, level in product(range(-4, 4), range(4)):
            hit, found, total, _ = outcome(list(x), Guess(pivot, level), guard_bits)
            if hit:
                hits += 1
                assert repair(found, total, mu, count, guard_bits) == expected, (x, pivot, level)
        hit, found, total, _ = outcome(list(x), Guess(mu >> guard_bits, 0), guard_bits)
        assert hit and not any(found.suspects)
        assert repair(found, total, mu, count, guard_bits) == expected, x
    assert hits > 8**count


@pytest.mark.parametrize("seed", range(40))
def test_drawn_channels(seed: int) -> None:
    """Widths to 32 bits, counts that are no powers of two, several lanes, guesses near the mean and far away."""
    draw = random.Random(f"one-pass-{seed}")
    width, lanes, count = draw.randint(4, 32), 1 << draw.randrange(4), 0
    count = lanes * draw.randint(1, 40) + lanes * (lanes == 1)
    guard_bits = draw.randint(0, 40)
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    centre, sigma = draw.randint(low, high), draw.choice([0, 1, 3, 1 << (width - 3)])
    x = [min(high, max(low, round(draw.gauss(centre, sigma)))) for _ in range(count)]
    mu = divide_by_count(sum(x), guard_bits, count)
    hits = 0
    for level in range(greatest_level(width, 1) + 1):
        half = (1 << level) >> 1
        for pivot in {mu >> guard_bits, (mu >> guard_bits) + draw.randint(-half, half), draw.randint(low, high)}:
            hit, found, total, _ = outcome(x, Guess(pivot, level), guard_bits, lanes)
            hits += hit
            if hit:
                assert repair(found, total, mu, count, guard_bits) == by_definition(x, mu, guard_bits)
    assert hits


@pytest.mark.parametrize("level", range(6))
def test_the_window_ends_where_it_should(level: int) -> None:
    """The two values at each end, and -1 alone at level 0."""
    half = 1 << (level - 1) if level else 0
    inside = [excess for excess in range(-64, 64) if is_inside(excess, level)]
    assert inside == ([-1] if level == 0 else list(range(-half, half)))
    found = attempt(np.arange(-64, 64) + 1, Guess(0, level))
    assert found.suspects == (tuple(excess for excess in inside if excess != -1),)
