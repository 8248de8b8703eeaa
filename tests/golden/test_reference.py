"""The float64 reference: forward by definition, backward against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from l1bn_golden import reference
from l1bn_golden.norms import NORMS, norm_of
from l1bn_golden.reference import Reals, backward, forward

EPSILONS = [1e-5, 0.1, 1.0]
STEP = 1e-6


def skewed(rng: np.random.Generator, channels: int, count: int) -> Reals:
    """Post-ReLU data with an offset, no sample nearer to its mean than many difference steps."""
    while True:
        x = rng.standard_exponential((channels, count)) * rng.uniform(0.5, 2, (channels, 1)) + 3
        if np.abs(x - x.mean(axis=1, keepdims=True)).min() > 100 * STEP:
            return np.asarray(x, dtype=np.float64)


def central_differences(norm: str, x: Reals, gamma: Reals, dy: Reals, epsilon: float) -> Reals:
    dx = np.empty_like(x)
    for column in range(x.shape[1]):
        ahead, behind = x.copy(), x.copy()
        ahead[:, column] += STEP
        behind[:, column] -= STEP
        difference = (
            forward(norm, ahead, gamma, 0.0, epsilon).y - forward(norm, behind, gamma, 0.0, epsilon).y
        )
        dx[:, column] = (dy * difference).sum(axis=1) / (2 * STEP)
    return dx


@pytest.mark.parametrize("norm", NORMS)
def test_forward_by_hand(norm: str) -> None:
    # mean 2, deviations -1 -1 -1 3: mean absolute 1.5, mean square 3.
    result = forward(norm, [[1, 1, 1, 5]], 2.0, 0.5, 0.5)
    r, mean = {
        "l1": (1.5 + 0.5, 2),
        "l2": (np.sqrt(3 + 0.5), 2),
        "range": (4 + 0.5, 2),
        "rms": (np.sqrt(28 / 4 + 0.5), 0),
        "mean-absolute": (8 / 4 + 0.5, 0),
    }[norm]
    centred = np.array([1, 1, 1, 5]) - mean
    assert result.mean == [mean]
    assert result.r == pytest.approx([r])
    assert result.xhat[0] == pytest.approx(centred / r)
    assert result.y[0] == pytest.approx(2 * centred / r + 0.5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_backward_agrees_with_central_differences(norm: str, epsilon: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = skewed(rng, 5, 33)
    gamma, dy = rng.standard_normal(5), rng.standard_normal(x.shape)
    result = backward(norm, x, gamma, dy, epsilon)
    expected = central_differences(norm, x, gamma, dy, epsilon)
    assert np.abs(result.dx - expected).max() < 1e-8

    xhat = forward(norm, x, gamma, 0.0, epsilon).xhat
    assert result.dgamma == pytest.approx((dy * xhat).sum(axis=1))
    assert result.dbeta == pytest.approx(dy.sum(axis=1))


@pytest.mark.parametrize("norm", [norm.name for norm in NORMS.values() if norm.centred])
@pytest.mark.parametrize("epsilon", EPSILONS)
def test_gradient_of_the_input_sums_to_zero(norm: str, epsilon: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = skewed(rng, 4, 101)
    x[1] = rng.integers(-2, 3, 101)
    dx = backward(norm, x, rng.standard_normal(4), rng.standard_normal(x.shape), epsilon).dx
    assert np.abs(dx).max() > 1e-3
    assert np.abs(dx.sum(axis=1)).max() < 1e-12


def test_dropping_the_mean_of_q_is_wrong_on_skewed_data(seed: int) -> None:
    """The common mistake: several per cent of dx, and a sum that is not zero."""
    rng = np.random.default_rng(seed)
    x = rng.standard_exponential((8, 4096))
    # A gradient that depends on the output, as that of a loss does.
    statistics = forward("l1", x, 1.0, 0.0)
    dy = statistics.xhat + rng.standard_normal(x.shape)
    right = backward("l1", x, 1.0, dy).dx
    correlation = (dy * statistics.xhat).mean(axis=1, keepdims=True)
    sign = np.sign(x - statistics.mean[:, None])
    wrong = (dy - dy.mean(axis=1, keepdims=True) - sign * correlation) / statistics.r[:, None]
    relative = np.linalg.norm(right - wrong, axis=1) / np.linalg.norm(right, axis=1)
    assert relative.min() > 0.05
    assert np.abs(wrong.sum(axis=1)).min() > 100
    assert np.abs(right.sum(axis=1)).max() < 1e-9


def test_ties_at_the_mean_have_sign_zero() -> None:
    # mean 2, two samples on it: q = -1 0 0 1, M[q] = 0, r = 0.5 + epsilon.
    x, dy = [[1.0, 2.0, 2.0, 3.0]], np.array([[1.0, 5.0, -2.0, 4.0]])
    r = 0.5 + 0.1
    correlation = (-1 / r + 4 / r) / 4
    expected = 3 / r * (dy[0] - 2 - np.array([-1, 0, 0, 1]) * correlation)
    assert backward("l1", x, 3.0, dy, 0.1).dx[0] == pytest.approx(expected)


def test_ties_between_the_derivatives_of_either_side(seed: int) -> None:
    """At a tie |x - mean| has a kink, and sgn(0) = 0 is the mean of the two one-sided derivatives."""
    rng = np.random.default_rng(seed)
    x = np.array([[-2.0, -1.0, 0.0, 0.0, 0.0, 1.0, 2.0]])
    dy = rng.standard_normal(x.shape)
    expected = central_differences("l1", x, np.ones(1), dy, 0.5)
    assert np.abs(backward("l1", x, 1.0, dy, 0.5).dx - expected).max() < 1e-6


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("epsilon", [0.0, 1e-5])
def test_constant_channel(norm: str, epsilon: float) -> None:
    x = np.full((2, 8), 0.1 if norm_of(norm).centred else 0.0)
    result = forward(norm, x, 3.0, [1.0, -2.0], epsilon)
    assert result.y == pytest.approx(np.array([[1.0] * 8, [-2.0] * 8]), abs=1e-9)
    dx = backward(norm, x, 3.0, np.arange(16.0).reshape(2, 8), epsilon).dx
    assert (dx == 0).all()


def test_gaussian_spreads_differ_by_the_known_factor(seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((1, 1_000_000))
    ratio = forward("l2", x, 1.0, 0.0, 0.0).r / forward("l1", x, 1.0, 0.0, 0.0).r
    assert ratio == pytest.approx(np.sqrt(np.pi / 2), rel=2e-3)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="norm = 'l3'"):
        forward("l3", [[1.0]], 1.0, 0.0)
    with pytest.raises(ValueError, match="x of shape"):
        forward("l1", [1.0], 1.0, 0.0)
    with pytest.raises(ValueError, match="dy of shape"):
        reference.backward("l1", [[1.0, 2.0]], 1.0, [[1.0]])
