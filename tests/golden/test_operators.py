"""Each golden function against the definition of what it computes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract
from l1bn_golden.integer import (
    affine,
    bias,
    centred_square_sum,
    channel_sum,
    divide_by_count,
    integer_sqrt,
    normalize,
    product_sum,
    saturate,
    scale,
    sign_abs,
    square_sum,
)
from l1bn_golden.rounding import clog2, floor_log2, half_up, odd_part, power_of_two, shift_floor

WIDTHS = (4, 8, 16, 17, 21, 22, 24, 32)


def samples(rng: np.random.Generator, width: int, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Random rows, and one row of either end of the range."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    x = rng.integers(low, high, shape, endpoint=True)
    x[0], x[1] = low, high
    return x.astype(np.int16 if width <= 16 else np.int64)


@pytest.mark.parametrize("width", WIDTHS)
def test_sums(width: int, seed: int) -> None:
    x = samples(np.random.default_rng(seed), width, (5, 37))
    assert channel_sum(x) == [sum(row) for row in x.tolist()]
    assert square_sum(x) == [sum(value * value for value in row) for row in x.tolist()]
    floors = [-(1 << (width - 1)), (1 << (width - 1)) - 1, 0, -1, 5]
    expected = [sum((value - m) ** 2 for value in row) for row, m in zip(x.tolist(), floors, strict=True)]
    assert centred_square_sum(x, floors) == expected
    if width > 16:
        assert square_sum(x.astype(np.int32)) == square_sum(x)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("other", [4, 16, 17, 32])
def test_product_sum(width: int, other: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, dy = samples(rng, width, (5, 37)), samples(rng, other, (5, 37))
    assert product_sum(x, dy) == [
        sum(value * g for value, g in zip(*rows, strict=True))
        for rows in zip(x.tolist(), dy.tolist(), strict=True)
    ]


def test_sums_of_the_longest_channel_do_not_overflow() -> None:
    for width in (16, 32):
        low = -(1 << (width - 1))
        x = np.full((1, 1 << 20), low, dtype=np.int16 if width == 16 else np.int64)
        assert channel_sum(x) == [low << 20]
        assert square_sum(x) == product_sum(x, x) == [low * low << 20]
        assert product_sum(x, ~x) == [low * ~low << 20]
        assert centred_square_sum(x, [-low - 1]) == [(2 * low + 1) ** 2 << 20]
        assert sign_abs(x, [(-low - 1) << 20], 20) == ([(-2 * low - 1) << 40], [-(1 << 20)])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("guard_bits", [0, 1, 8, 40, 64])
def test_sign_abs(width: int, guard_bits: int, seed: int) -> None:
    rng = np.random.default_rng([seed, guard_bits])
    x = samples(rng, width, (8, 21))
    x[2] = x[3, 0]
    mean = [divide_by_count(sum(row), guard_bits, 21) for row in x.tolist()]
    # Exactly a sample, and one unit of the mean to either side of it.
    for row, offset in ((4, 0), (5, 1), (6, -1)):
        mean[row] = (int(x[row, 0]) << guard_bits) + offset
    deviation, sign_count = sign_abs(x, mean, guard_bits)
    for row, mu, d, s in zip(x.tolist(), mean, deviation, sign_count, strict=True):
        scaled = [(value << guard_bits) - mu for value in row]
        assert d == sum(abs(value) for value in scaled)
        assert s == sum((value > 0) - (value < 0) for value in scaled)


def test_divide_by_count_rounds_half_up() -> None:
    for count in (2, 3, 4, 7, 10, 1000):
        for fraction in (0, 1, 5):
            for dividend in range(-300, 300):
                exact = Fraction(dividend << fraction, count)
                assert divide_by_count(dividend, fraction, count) == math.floor(exact + Fraction(1, 2))
    assert [divide_by_count(d, 0, 2) for d in (-3, -1, 1, 3)] == [-1, 0, 1, 2]


def test_integer_sqrt() -> None:
    for radicand in [*range(2000), *((1 << 30) ** 2 + d for d in (-1, 0, 1)), (1 << 200) - 1]:
        root = integer_sqrt(radicand)
        assert root * root <= radicand < (root + 1) ** 2
    with pytest.raises(ValueError, match="radicand = -1 "):
        integer_sqrt(-1)


def test_normalize() -> None:
    for value in [*range(1, 600), (1 << 90) - 1, 1 << 90]:
        for exponent in (-3, 0, 12):
            mantissa, shifted = normalize(value, exponent, 8)
            assert 128 <= mantissa < 256
            unit = power_of_two(-shifted)
            assert mantissa * unit <= value * power_of_two(-exponent) < (mantissa + 1) * unit
    with pytest.raises(ValueError, match="value = 0 "):
        normalize(0, 0, 8)


@pytest.mark.parametrize("scale_width", [8, 16, 24])
def test_scale(scale_width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(scale_width=scale_width)
    top = 1 << (contract.T - 1)
    mantissas = [top, 2 * top - 1, *rng.integers(top, 2 * top, 20).tolist()]
    gammas = [1, -1, 32767, -32768, *rng.integers(-32768, 32768, 20).tolist()]
    for mantissa in mantissas:
        for exponent in range(contract.T - 18, contract.T + 4):  # down to r = 1/16, which epsilon bounds
            for gamma in gammas:
                k, t, negative = scale(contract, gamma, mantissa, exponent)
                shift = t - contract.F + 1
                exact = (
                    abs(gamma)
                    * power_of_two(contract.y_fraction - contract.gamma_fraction + exponent)
                    * Fraction(1, mantissa)
                )
                assert negative == (gamma < 0)
                assert contract.SHIFT_MIN <= shift <= contract.SHIFT_MAX
                assert abs(k - exact * power_of_two(shift)) <= Fraction(1, 2)
                assert k < 1 << scale_width
                assert shift == contract.SHIFT_MAX or k >= 1 << (scale_width - 1)


def test_scale_of_gamma_zero_and_of_a_constant_channel() -> None:
    contract = Contract()
    assert scale(contract, 0, 1 << 23, 20) == (0, contract.SHIFT_MAX + contract.F - 1, False)
    k, t, _ = scale(contract, 32767, 1 << 23, 200)
    assert t == contract.SHIFT_MIN + contract.F - 1
    assert 1 << 17 <= k < 1 << 18


def test_scale_that_rounds_up_to_a_power_of_two() -> None:
    contract = Contract(scale_width=8)
    # 1 / r a little below 2: 255.99 is no 8-bit magnitude, 128 with one shift less is.
    k, t, _ = scale(contract, 1 << 14, (1 << 15) + 1, 15)
    assert (k, t - contract.F + 1) == (128, 7 - (14 + 12 - 13))


@pytest.mark.parametrize("width", [4, 16, 32])
def test_affine_rounds_the_exact_value_once(width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(width=width, counts=(8,))
    x = samples(rng, width, (60, 8))
    mean = [int(row.sum()) << contract.G >> 3 for row in x.astype(object)]
    k = rng.integers(0, 1 << contract.scale_width, 60).tolist()
    shifts = rng.integers(contract.SHIFT_MIN, contract.SHIFT_MAX, 60, endpoint=True).tolist()
    negative = (rng.integers(0, 2, 60) == 1).tolist()
    beta = rng.integers(contract.y_min, contract.y_max, 60, endpoint=True).tolist()
    y = affine(contract, x, mean, k, [shift + contract.F - 1 for shift in shifts], negative, beta)
    for row, values in enumerate(x.tolist()):
        c = -k[row] if negative[row] else k[row]
        for column, value in enumerate(values):
            centred = value - Fraction(mean[row], 1 << contract.G)
            exact = math.floor(c * centred * power_of_two(-shifts[row]) + Fraction(1, 2)) + beta[row]
            assert y[row, column] == min(max(exact, contract.y_min), contract.y_max)


def test_bias() -> None:
    contract = Contract(counts=(8,))
    for k, mean in ((5, 3), (5, -3), ((1 << 18) - 1, -(1 << 18))):
        unit = power_of_two(contract.F - contract.G)
        assert bias(contract, k, False, mean) == math.floor(-k * mean * unit)
        assert bias(contract, k, True, mean) == math.floor(k * mean * unit)


def test_saturate() -> None:
    values = np.array([-1000, -129, -128, 0, 127, 128, 1000])
    assert saturate(values, 8).tolist() == [-128, -128, -128, 0, 127, 127, 127]


def test_rounding_helpers() -> None:
    assert [clog2(value) for value in (1, 2, 3, 4, 5, 1023, 1024, 1025)] == [0, 1, 2, 2, 3, 10, 10, 11]
    assert [half_up(value, 4) for value in (-6, -5, -2, -1, 1, 2, 5, 6)] == [-1, -1, 0, 0, 0, 1, 1, 2]
    assert odd_part(96) == (3, 5)
    assert [shift_floor(-5, e) for e in (2, 0, -1)] == [-20, -5, -3]
    for numerator in range(1, 40):
        for denominator in range(1, 40):
            exponent = floor_log2(numerator, denominator)
            assert power_of_two(exponent) <= Fraction(numerator, denominator) < power_of_two(exponent + 1)
    with pytest.raises(ValueError, match="clog2 of 0"):
        clog2(0)
