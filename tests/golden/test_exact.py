"""The exact result by definition, and the integer model's error against it within the proven bound."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract, forward, reference
from l1bn_golden.data import EDGES, edge, exponential, gaussian
from l1bn_golden.exact import error_bound, exact_outputs, max_error, max_error_float, saturated

NORMS = ["l1", "l2", "range"]


def drawn(
    contract: Contract, rng: np.random.Generator, channels: int
) -> tuple[np.ndarray[Any, Any], list[int], list[int]]:
    """Skewed and low-variance channels, gamma of either sign up to its end, beta between -1 and 1."""
    count = contract.counts[0]
    third = (channels // 3, count)
    lsb = 2.0 ** (1 - contract.width)
    x = np.concatenate(
        [
            exponential(rng, third, contract.width, 0.2, -0.4),
            gaussian(rng, third, contract.width, 0.1, 0.3),
            exponential(rng, third, contract.width, 2 * lsb, 0.7),
        ]
    )
    top = 1 << (contract.gamma_width - 1)
    gamma = rng.integers(-top, top, len(x)).tolist()
    one = 1 << contract.beta_fraction
    return x, gamma, rng.integers(-one, one, len(x), endpoint=True).tolist()


def test_exact_outputs_of_l1_by_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(counts=(12,), epsilon=0.01)
    x, gamma, beta = drawn(contract, rng, 6)
    numerator, denominator = exact_outputs(contract, x, gamma, beta)
    for row, channel in enumerate(x.tolist()):
        mean = Fraction(sum(channel), 12)
        r = sum(abs(value - mean) for value in channel) / 12 + Fraction(0.01) * 2**12
        for column, value in enumerate(channel):
            expected = Fraction(gamma[row] << 12, 1 << 13) * (value - mean) / r + beta[row]
            assert Fraction(numerator[row, column], denominator[row, 0]) == expected


def test_exact_outputs_of_l2_by_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(norm="l2", counts=(12,), epsilon=0.01)
    x, gamma, beta = drawn(contract, rng, 6)
    numerator, denominator = exact_outputs(contract, x, gamma, beta)
    for row, channel in enumerate(x.tolist()):
        mean = Fraction(sum(channel), 12)
        square = sum((value - mean) ** 2 for value in channel) / 12 + Fraction(0.01) * 2**24
        for column, value in enumerate(channel):
            slope = Fraction(numerator[row, column], denominator[row, 0]) - beta[row]
            squared = (Fraction(gamma[row], 2) * (value - mean)) ** 2 / square
            assert (slope > 0) == (gamma[row] * (value - mean) > 0)
            assert abs(slope**2 - squared) <= squared / 2**100


def test_exact_outputs_of_range_by_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(norm="range", counts=(12,), epsilon=0.01)
    x, gamma, beta = drawn(contract, rng, 6)
    numerator, denominator = exact_outputs(contract, x, gamma, beta)
    for row, channel in enumerate(x.tolist()):
        r = max(channel) - min(channel) + Fraction(0.01) * 2**12
        for column, value in enumerate(channel):
            expected = (
                Fraction(gamma[row] << 12, 1 << 13) * (value - Fraction(sum(channel), 12)) / r + beta[row]
            )
            assert Fraction(numerator[row, column], denominator[row, 0]) == expected


@pytest.mark.parametrize("norm", NORMS)
def test_exact_outputs_agree_with_float64(norm: str, seed: int) -> None:
    """The float64 reference gives the same numbers."""
    rng = np.random.default_rng(seed)
    contract = Contract(norm=norm, counts=(64,))
    x, gamma, beta = drawn(contract, rng, 12)
    numerator, denominator = exact_outputs(contract, x, gamma, beta)
    scaled = [np.array(values) / 2.0**bits for values, bits in ((gamma, 13), (beta, 12))]
    expected = reference.forward(norm, x / 2.0**12, *scaled, contract.epsilon).y * 2.0**12
    assert np.abs((numerator / denominator).astype(np.float64) - expected).max() < 1e-6


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("count", [16, 17, 100, 256, 1000])
@pytest.mark.parametrize(
    ("width", "scale_width", "limit"),
    [(8, 16, 0.55), (12, 16, 0.55), (16, 16, None), (16, 18, None), (16, 20, 0.55), (24, 24, None)],
)
def test_error_stays_within_the_bound(
    norm: str, count: int, width: int, scale_width: int, limit: float | None, seed: int
) -> None:
    rng = np.random.default_rng([seed, count, width])
    contract = Contract(norm=norm, width=width, scale_width=scale_width, counts=(count,))
    x, gamma, beta = drawn(contract, rng, max(3, 60000 // count))
    y = forward(contract, x, gamma, beta).y
    assert saturated(contract, y) < y.size / 4
    error = max_error_float(contract, x, gamma, beta, y)
    largest_beta = contract.beta_in_y(1 << contract.beta_fraction)
    assert 0.45 < error <= error_bound(contract, -contract.y_min + largest_beta)
    if limit is not None:
        assert error <= limit


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", EDGES)
def test_error_of_edge_channels(norm: str, kind: str) -> None:
    for width in (4, 8, 16):
        for count in (2, 16, 30, 1024):
            contract = Contract(norm=norm, width=width, counts=(count,))
            x = np.stack([edge(kind, count, width)] * 4)
            gamma = [-(1 << 15), (1 << 15) - 1, 1 << 13, 1]
            y = forward(contract, x, gamma, 0).y
            assert max_error(contract, x, gamma, 0, y) <= error_bound(contract)


@pytest.mark.parametrize("norm", ["l1", "l2"])  # with range y never gets that far from beta
def test_beta_at_the_end_of_its_format_doubles_the_distance(norm: str, seed: int) -> None:
    """The bound holds in |y - beta'|, which beta can double: 2**Wy and no more."""
    rng = np.random.default_rng(seed)
    contract = Contract(norm=norm, counts=(64,), scale_width=16)
    x = exponential(rng, (10000, 64), 16, 0.1, -0.5)
    gamma = rng.integers(1 << 14, 1 << 15, 10000) * rng.choice([-1, 1], 10000)
    beta = rng.choice([contract.y_min, contract.y_max], 10000)
    y = forward(contract, x, gamma, beta).y
    error = max_error_float(contract, x, gamma, beta, y)
    assert error_bound(contract) < error <= error_bound(contract, 1 << 16)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", [4, 8, 16, 24])
def test_float_variant_is_as_good_as_it_says(norm: str, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for count in (16, 49):
        contract = Contract(norm=norm, width=width, counts=(count,))
        x, gamma, beta = drawn(contract, rng, 9)
        y = forward(contract, x, gamma, beta).y
        fast, slow = (measure(contract, x, gamma, beta, y) for measure in (max_error_float, max_error))
        assert abs(fast - slow) < 1e-6


@pytest.mark.parametrize("measure", [max_error, max_error_float])
def test_wrong_outputs_are_noticed(measure: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(counts=(16,))
    x = gaussian(rng, (3, 16), 16)
    right = forward(contract, x, 8192, 0).y
    assert measure(contract, x, 8192, 0, right) < 0.55
    for wrong in (right[1, 3] + 1, right[1, 3] - 1):
        y = right.copy()
        y[1, 3] = wrong
        assert 0.45 < measure(contract, x, 8192, 0, y) < 1.55
    for end in (contract.y_min, contract.y_max):
        y = right.copy()
        y[2, 5] = end
        assert measure(contract, x, 8192, 0, y) > 1000


@pytest.mark.parametrize("measure", [max_error, max_error_float])
def test_saturated_outputs_are_right_at_the_end(measure: Any) -> None:
    contract = Contract(width=8, counts=(64,), scale_width=16)
    x = edge("outlier of full scale", 64, 8)[None]
    y = forward(contract, x, 32767, 0).y
    assert saturated(contract, y) == 1
    assert measure(contract, x, 32767, 0, y) < 0.55


def test_bound_by_hand() -> None:
    half_page = {(8, 16): 0.54, (12, 16): 0.54, (16, 16): 1.04, (16, 18): 0.64, (16, 20): 0.54}
    for (width, scale_width), stated in half_page.items():
        bound = error_bound(Contract(width=width, scale_width=scale_width))
        assert stated - 0.01 < bound <= stated
    assert error_bound(Contract(scale_width=18)) == 0.5 + 2**-3 + 2**-7
    assert error_bound(Contract(scale_width=18, counts=(100,))) == 0.5 + 2**-3 + 2**-7 + 2**-8
    # The root of L2 is floored before it is divided, and once more after; its spread needs no mean.
    assert error_bound(Contract(norm="l2", counts=(100,))) == 0.5 + 2**-3 + 1.5 * 2**-7 + 2**-9


def test_bad_outputs() -> None:
    contract = Contract(width=8, counts=(4,))
    x = np.zeros((1, 4), dtype=np.int16)
    with pytest.raises(ValueError, match="y of shape"):
        max_error(contract, x, 1, 0, np.zeros((1, 5)))
    with pytest.raises(ValueError, match="y beyond -128 to 127"):
        max_error_float(contract, x, 1, 0, np.full((1, 4), 128))
