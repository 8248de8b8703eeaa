"""r against the formula with the epsilon that the user asked for, in exact rationals, over channels at the extremes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from l1bn_golden import Contract, backward, forward
from l1bn_golden.exact import error_bound, max_error
from l1bn_golden.exact_gradients import gradient_errors, parameter_errors
from l1bn_golden.norms import NORMS, norm_of

COUNTS = [(2,), (3,), (4,), (7,), (8,), (49,), (60,), (64,), (1024,), (4, 1024), (2, 48, 1000), (8, 64, 4096)]
EPSILONS = [0.0, 1e-12, 3e-7, 1e-5, 1 / 3, 2.0**-20, 1.0]


def contracts(norm: str) -> Iterator[Contract]:
    for number, counts in enumerate(COUNTS):
        for epsilon in EPSILONS:
            for width in (4, 8, 16, (12, 24, 32)[number % 3]):
                for x_fraction in (-1, 0, width - 1):
                    yield Contract(
                        norm=norm, counts=counts, epsilon=epsilon, width=width, x_fraction=x_fraction
                    )
            if norm_of(norm).centred:
                yield Contract(norm=norm, counts=counts, epsilon=epsilon, guard_bits=0)
                yield Contract(norm=norm, counts=counts, epsilon=epsilon, guard_bits=64, scale_width=8)


def channels(count: int, width: int) -> np.ndarray:
    """Not constant: one sample off by one either way, two of them, half and half, the ends of the format."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    x = np.zeros((6, count), dtype=np.int64)
    x[0, 0], x[1, -1] = 1, -1
    x[2, : (count + 1) // 2] = 1
    x[3], x[3, 0] = low, high
    x[4, : count // 2], x[4, count // 2 :] = low, high
    x[5, 0], x[5, -1] = 2, -1
    return x


def squared_or_plain(contract: Contract, x: list[int], mean: int) -> Fraction:
    """The formula's r (L1 with the mean that the unit has), or its square where r is a root."""
    n, epsilon = len(x), Fraction(contract.epsilon)
    if contract.norm == "range":
        return max(x) - min(x) + epsilon * 2**contract.x_fraction
    if contract.norm == "mean-absolute":
        return Fraction(sum(abs(value) for value in x), n) + epsilon * 2**contract.x_fraction
    if contract.norm == "rms":
        return Fraction(sum(value**2 for value in x), n) + epsilon * 4**contract.x_fraction
    if contract.norm == "l1":
        deviation = sum(abs((value << contract.G) - mean) for value in x)
        return Fraction(deviation, n << contract.G) + epsilon * 2**contract.x_fraction
    pairs = sum((value - x[0]) ** 2 for value in x) * n - (sum(x) - n * x[0]) ** 2
    return Fraction(pairs, n**2) + epsilon * 4**contract.x_fraction


@pytest.mark.parametrize("norm", NORMS)
def test_r_is_that_of_the_users_epsilon(norm: str) -> None:
    """Within theta of it, whatever the count, the formats and epsilon are."""
    for contract in contracts(norm):
        for count in contract.counts:
            if count > 64 and contract.width not in (4, 16):
                continue
            x = channels(count, contract.width)
            result = forward(contract, x, 1, 0)
            for row, mean, mantissa, exponent in zip(
                x.tolist(), result.mean, result.r_mantissa, result.r_exponent, strict=True
            ):
                r = Fraction(int(mantissa)) * Fraction(2) ** -int(exponent)
                exact = squared_or_plain(contract, row, mean)
                low, high = 1 - contract.theta, 1 + contract.theta
                if norm_of(norm).power == 2:
                    assert (low * r) ** 2 <= exact <= (high * r) ** 2, (contract, count)
                else:
                    assert low * r <= exact <= high * r, (contract, count)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("count", [2, 4, 8, 49, 60, 64, 1024])
@pytest.mark.parametrize("epsilon", [0.0, 1e-12, 1e-5, 1 / 3])
def test_y_is_within_the_bound_of_the_users_epsilon(norm: str, count: int, epsilon: float) -> None:
    for width in (4, 8, 16):
        contract = Contract(norm=norm, counts=(count,), epsilon=epsilon, width=width)
        x = np.repeat(channels(count, width), 12, axis=0)
        gamma = [(1 << bit) - 1 for bit in range(4, 16)] * 6
        y = forward(contract, x, gamma, 0).y
        assert max_error(contract, x, gamma, 0, y) <= error_bound(contract)


@pytest.mark.parametrize("norm", NORMS)
def test_gradients_are_within_their_bounds_of_the_users_epsilon(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for count, epsilon, width in itertools.product((2, 3, 4, 8, 49, 64), EPSILONS, (4, 16)):
        contract = Contract(norm=norm, counts=(count,), epsilon=epsilon, width=width)
        x = np.repeat(channels(count, width), 8, axis=0)
        end = 1 << (width - 1)
        dy = rng.integers(-end, end, x.shape) >> rng.integers(0, width - 1, (len(x), 1))
        gamma = [(1 << bit) - 1 for bit in range(1, 16, 2)] * 6
        result = backward(contract, x, dy, gamma, forward(contract, x, gamma, 0))
        assert gradient_errors(contract, x, dy, gamma, result.dx).of_bound <= 1, contract
        assert parameter_errors(contract, x, dy, result.dgamma).of_bound <= 1, contract


@pytest.mark.parametrize("norm", NORMS)
def test_without_epsilon_r_is_the_spread_itself(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for count in (2, 4, 64, 1024):
        contract = Contract(norm=norm, counts=(count,), epsilon=0.0)
        x = rng.integers(-5, 6, (8, count))
        x[:, 0] = 6
        result = forward(contract, x, 1, 0)
        for row in range(len(x)):
            mean = Fraction(int(x[row].sum()), count) if norm_of(norm).centred else 0
            shift = int(result.r_exponent[row])
            if norm == "range":
                assert result.r_mantissa[row] == (x[row].max() - x[row].min()) * Fraction(2) ** shift
            elif norm_of(norm).power == 1:
                exact = sum(abs(int(value) - mean) for value in x[row]) / count * Fraction(2) ** shift
                assert result.r_mantissa[row] == math.floor(exact)
            else:
                exact = sum((int(value) - mean) ** 2 for value in x[row]) / count * Fraction(4) ** shift
                assert result.r_mantissa[row] == math.isqrt(math.floor(exact))


@pytest.mark.parametrize("norm", NORMS)
def test_a_constant_channel_is_beta_with_any_epsilon(norm: str) -> None:
    for contract in contracts(norm):
        for count in contract.counts:
            ends = (-(1 << (contract.width - 1)), 0, (1 << (contract.width - 1)) - 1)
            ends = ends if norm_of(norm).centred else (0,)
            x = np.repeat(np.array(ends)[:, None], count, axis=1)
            result = forward(contract, x, contract.gamma_width and 32767, -3)
            assert (result.y == contract.beta_in_y(-3)).all(), contract
            assert all(int(mantissa).bit_length() == contract.T for mantissa in result.r_mantissa)
            assert all(int(exponent) in contract.r_exponents for exponent in result.r_exponent), contract


@pytest.mark.parametrize("norm", NORMS)
def test_epsilon_has_no_more_bits_than_it_needs(norm: str) -> None:
    for contract in contracts(norm):
        exact = Fraction(contract.epsilon) * 2 ** (contract.x_fraction * norm_of(norm).power)
        needs = [exact * norm_of(norm).units(contract, count) for count in contract.counts]
        if all(need.denominator == 1 for need in needs):
            assert contract.h == 0
            assert all(contract.effective_epsilon(count) == exact for count in contract.counts)
        assert contract.h % norm_of(norm).power == 0
        assert contract.h <= contract.T
