"""The accuracy of the integer gradients: the bound of ``docs/arithmetic.md`` on skewed data, ties and extremes."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract, backward, forward, reference
from l1bn_golden.data import EDGES, edge, exponential, gaussian, quantize
from l1bn_golden.exact_gradients import (
    exact_dgamma,
    exact_dx,
    gradient_errors,
    max_dx_error,
    ordinary_dx_bound,
    parameter_errors,
)
from l1bn_golden.norms import NORMS


def channels(c: Contract, rng: np.random.Generator) -> tuple[Any, Any]:
    """x: skewed as behind a ReLU, exponential, Gaussian far from zero, and every edge; dy of any size and offset."""
    n, w = c.counts[0], c.width
    x = np.concatenate(
        [
            np.maximum(gaussian(rng, (6, n), w, 0.2, -0.05), 0),
            *(exponential(rng, (6, n), w, spread, -0.3) for spread in (0.2, 4 * 2.0**-w)),
            gaussian(rng, (6, n), w, 0.02, 0.7),
            np.stack([edge(kind, n, w) for kind in EDGES]),
        ]
    )
    column = (len(x), 1)
    dy = gaussian(
        rng, x.shape, c.dy_width, 2.0 ** rng.uniform(-8, -1, column), rng.uniform(-0.3, 0.3, column)
    )
    dy[::5] = exponential(rng, dy[::5].shape, c.dy_width, 0.1)
    return x, dy


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("width", "scale_width"), [(4, 8), (8, 16), (12, 16), (16, 18), (24, 24)])
def test_bound(norm: str, width: int, scale_width: int, seed: int) -> None:
    for count in (2, 3, 16, 49, 256):
        rng = np.random.default_rng([seed, count])
        c = Contract(norm=norm, width=width, scale_width=scale_width, counts=(count,))
        x, dy = channels(c, rng)
        gamma = rng.integers(-32768, 32768, len(x))
        result = backward(c, x, dy, gamma, forward(c, x, gamma, 0))
        errors = gradient_errors(c, x, dy, gamma, result.dx)
        assert errors.of_bound <= 1, (c, errors)
        assert parameter_errors(c, x, dy, result.dgamma).of_bound <= 1
        # float64 is good enough to tell.
        assert errors.largest == pytest.approx(max_dx_error(c, x, dy, gamma, result.dx), abs=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("widths", [(8, 12, 16), (16, 8, 8), (8, 16, 12)])
def test_bound_where_x_dy_and_dx_differ(norm: str, widths: tuple[int, int, int], seed: int) -> None:
    width, dy_width, dx_width = widths
    for count in (16, 100):
        rng = np.random.default_rng([seed, count])
        c = Contract(
            norm=norm, width=width, dy_width=dy_width, dx_width=dx_width, counts=(count,), scale_width=16
        )
        x, dy = channels(c, rng)
        gamma = rng.integers(-32768, 32768, len(x))
        result = backward(c, x, dy, gamma, forward(c, x, gamma, 0))
        assert gradient_errors(c, x, dy, gamma, result.dx).of_bound <= 1


def test_without_the_mean_of_q_skewed_channels_break_the_bound(seed: int) -> None:
    """M[q] * a is the path through the mean. Without it the error is far beyond rounding, and sum dx is not 0."""
    rng = np.random.default_rng(seed)
    c = Contract(norm="l1", counts=(256,), dx_fraction=10)
    x = exponential(rng, (20, 256), 16, 0.1, -0.3)
    dy = gaussian(rng, (20, 256), 16, 0.02) + (x - x.mean(axis=1, keepdims=True).astype(int)) // 8
    gamma = 1 << c.gamma_fraction
    right = forward(c, x, gamma, 0)
    wrong = replace(right, extra={"sign_count": np.zeros_like(right.extra["sign_count"])})
    good, bad = (backward(c, x, dy, gamma, statistics).dx for statistics in (right, wrong))
    assert gradient_errors(c, x, dy, gamma, good).of_bound <= 1
    assert gradient_errors(c, x, dy, gamma, bad).of_bound > 20
    # The rounding of 256 samples is a random walk; what is missing is the same for all of them.
    assert np.abs(good.sum(axis=1)).max() < 256 / 4
    assert np.abs(bad.sum(axis=1)).min() > 256 * 5


@pytest.mark.parametrize("norm", NORMS)
def test_exact_gradients_are_the_formulas(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = Contract(norm=norm, counts=(49,), dy_width=12, dx_fraction=5)
    x, dy = channels(c, rng)
    gamma = rng.integers(-32768, 32768, len(x))
    epsilon = c.epsilon * 2.0 ** (c.traits.power * c.x_fraction)
    expected = reference.backward(norm, x, gamma, dy, epsilon)
    numerator, denominator = exact_dx(c, x, dy, gamma)
    dx = (numerator / denominator).astype(float)
    assert dx == pytest.approx(expected.dx * 2.0**c.Kd_exponent, rel=1e-6, abs=1e-6)
    assert [float(value) for value in exact_dgamma(c, x, dy)] == pytest.approx(expected.dgamma, abs=1e-6)


def test_exact_l1_by_hand() -> None:
    """x with two samples on the mean: q = -1 0 0 1 and r = 1/2."""
    c = Contract(norm="l1", counts=(4,), width=8, epsilon=0.0)
    x, dy = np.array([[1, 2, 2, 3]]), np.array([[8, 40, -16, 32]])
    r = Fraction(1, 2)
    a = (-8 / r + 32 / r) / 4
    K = Fraction(2) ** (4 - 13) / r
    numerator, denominator = exact_dx(c, x, dy, 1)
    expected = [K * (g - 16 - q * a) for g, q in zip([8, 40, -16, 32], [-1, 0, 0, 1], strict=True)]
    assert [Fraction(int(v), int(denominator[0, 0])) for v in numerator[0]] == expected
    assert exact_dgamma(c, x, dy) == [24 / r]


@pytest.mark.parametrize(
    ("norm", "r", "q", "centre"),
    [
        ("range", Fraction(3), [-4, 0, 4, 0], 16),  # the first 1 and the first 4
        ("rms", None, None, 0),
        ("mean-absolute", Fraction(2), [1, 1, 1, 1], 0),
    ],
)
def test_exact_gradients_by_hand(
    norm: str, r: Fraction | None, q: list[int] | None, centre: int
) -> None:
    """x with two samples that are the least; for RMS x of which the root is whole."""
    samples = [1, 1, 4, 2] if norm != "rms" else [1, 1, 7, 7]
    c = Contract(norm=norm, counts=(4,), width=8, epsilon=0.0)
    x, dy = np.array([samples]), np.array([[8, 40, -16, 32]])
    r = Fraction(5) if r is None else r
    mean = Fraction(sum(samples), 4) if norm == "range" else 0
    xhat = [(value - mean) / r for value in samples]
    a = sum(g * value for g, value in zip([8, 40, -16, 32], xhat, strict=True)) / 4
    K = Fraction(2) ** (4 - 13) / r
    numerator, denominator = exact_dx(c, x, dy, 1)
    expected = [K * (g - centre - u * a) for g, u in zip([8, 40, -16, 32], q or xhat, strict=True)]
    assert [Fraction(int(v), int(denominator[0, 0])) for v in numerator[0]] == expected
    assert exact_dgamma(c, x, dy) == [4 * a]


@pytest.mark.parametrize("norm", NORMS)
def test_a_wrong_output_is_seen(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = Contract(norm=norm, counts=(16,))
    x, dy = exponential(rng, (4, 16), 16), gaussian(rng, (4, 16), 16, 0.01)
    result = backward(c, x, dy, 8192, forward(c, x, 8192, 0))
    dx = result.dx.copy()
    dx[2, 3] += 2
    assert gradient_errors(c, x, dy, 8192, dx).of_bound > 1
    dx[2, 3] = 32767
    assert max_dx_error(c, x, dy, 8192, dx) > 1000
    assert gradient_errors(c, x, dy, 8192, dx).largest > 1000
    dgamma = result.dgamma.copy()
    dgamma[1] += 1
    assert parameter_errors(c, x, dy, dgamma).of_bound > 1


def test_the_gradient_of_a_quantised_network_layer_in_float(seed: int) -> None:
    """End to end against float64 of the unrounded data: within what the formats resolve."""
    rng = np.random.default_rng(seed)
    real, gradient = rng.standard_exponential((8, 256)) - 0.5, rng.standard_normal((8, 256)) * 0.5
    for norm in NORMS:
        c = Contract(norm=norm, counts=(256,))
        x, dy = quantize(real, 16, c.x_fraction), quantize(gradient, 16, c.dy_fraction)
        result = backward(c, x, dy, 1 << c.gamma_fraction, forward(c, x, 1 << c.gamma_fraction, 0))
        expected = reference.backward(norm, real, 1.0, gradient, c.epsilon)
        assert np.abs(result.dx / 2**c.dx_fraction - expected.dx).max() < 8 / 2**c.dx_fraction
        assert result.dgamma / 2**c.dy_fraction == pytest.approx(expected.dgamma, abs=0.02)


def test_bound_of_an_ordinary_channel() -> None:
    """Its figures in ``docs/arithmetic.md``."""
    page = (Path(__file__).parents[2] / "docs" / "arithmetic.md").read_text()
    for width, scale_width in ((8, 16), (12, 16), (16, 16), (16, 18), (16, 20)):
        l1, l2 = (
            math.ceil(
                100 * ordinary_dx_bound(Contract(norm=norm, width=width, scale_width=scale_width)) - 1e-9
            )
            for norm in ("l1", "l2")
        )
        assert f"| {width} | {scale_width} | {l1 / 100:.2f} | {l2 / 100:.2f} |" in page
