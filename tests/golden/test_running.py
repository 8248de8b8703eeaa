"""Running statistics, inference and its fold against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract, forward
from l1bn_golden.data import exponential, gaussian
from l1bn_golden.norms import NORMS
from l1bn_golden.running import Running, fold, inference, running_start, running_update

from .rationals import half_up, power


def stored(mean: list[int], spread: list[int]) -> Running:
    return Running(np.array(mean), np.array(spread))


def contracts(norm: str) -> list[Contract]:
    return [
        Contract(norm=norm, counts=(16,)),
        Contract(norm=norm, counts=(15, 16), width=8, momentum_shift=1, scale_width=8),
        Contract(norm=norm, counts=(16,), width=4, momentum_shift=15, running_fraction=20, epsilon=1.0),
        Contract(norm=norm, counts=(16,), width=32, running_fraction=0, y_fraction=0, gamma_width=2),
    ]


def trained(c: Contract, rng: np.random.Generator, steps: int = 5) -> Running:
    running = running_start(6)
    for _ in range(steps):
        x = exponential(rng, (6, 16), c.width, 0.2, -0.3)
        x[0] = -(1 << (c.width - 1))
        running = running_update(c, running, forward(c, x, 1, 0))
    return running


@pytest.mark.parametrize("norm", NORMS)
def test_update_against_fractions(norm: str, seed: int) -> None:
    for c in contracts(norm):
        rng = np.random.default_rng(seed)
        m, running = c.momentum_shift, running_start(6)
        averages = [(0, 0)] * 6
        for _ in range(8):
            result = forward(c, exponential(rng, (6, 16), c.width, 0.2, -0.3), 1, 0)
            running = running_update(c, running, result)
            for row, (mean, spread) in enumerate(averages):
                r = int(result.r_mantissa[row]) * power(-int(result.r_exponent[row]))
                fixed = half_up(min(r, power(c.width)) * power(c.Gr))
                averages[row] = (
                    mean + int(result.mean[row]) - half_up(mean / power(m)),
                    spread + fixed - half_up(spread / power(m)),
                )
        assert list(zip(running.mean, running.spread, strict=True)) == averages


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("momentum_shift", [1, 3, 6])
def test_a_constant_stream_is_reached_and_kept(norm: str, momentum_shift: int, seed: int) -> None:
    """The averages end within half an LSB of what they average, however small the last differences are."""
    c = Contract(norm=norm, counts=(16,), momentum_shift=momentum_shift)
    result = forward(c, gaussian(np.random.default_rng(seed), (6, 16), 16, 0.1, 0.2), 1, 0)
    running = running_start(6)
    for _ in range(40 << momentum_shift):
        running = running_update(c, running, result)
    settled = running_update(c, running, result)
    assert (settled.mean == running.mean).all() and (settled.spread == running.spread).all()
    for row in range(6):
        assert half_up(running.mean[row] * power(-momentum_shift)) == result.mean[row]
        r = int(result.r_mantissa[row]) * power(-int(result.r_exponent[row]))
        assert abs(running.spread[row] * power(-momentum_shift - c.Gr) - r) <= power(-c.Gr)


def test_average_follows_the_float_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    c, running, expected = Contract(counts=(16,)), running_start(6), np.zeros(6)
    for _ in range(50):
        result = forward(c, gaussian(rng, (6, 16), 16, 0.1, 0.2), 1, 0)
        running = running_update(c, running, result)
        expected += (result.mean.astype(float) - expected) / 8
    assert np.abs(running.mean.astype(float) / 8 - expected).max() < 1


@pytest.mark.parametrize("norm", NORMS)
def test_inference_and_fold_against_fractions(norm: str, seed: int) -> None:
    for c in contracts(norm):
        rng = np.random.default_rng(seed)
        running = trained(c, rng)
        x = exponential(rng, (6, 9), c.width, 0.2, -0.3)
        most = 1 << (c.gamma_width - 1)
        gamma = [0, -most, most - 1, *rng.integers(-most, most, 3).tolist()]
        beta = rng.integers(c.y_min, c.y_max, 6).tolist() if c.beta_width == c.y_width else [0] * 6
        result, merged = inference(c, x, running, gamma, beta), fold(c, running, gamma, beta)
        for row, samples in enumerate(x.tolist()):
            mean = half_up(running.mean[row] * power(-c.momentum_shift)) * power(-c.G)
            r = max(1, half_up(running.spread[row] * power(-c.momentum_shift))) * power(-c.Gr)
            taken = int(result.r_mantissa[row]) * power(-int(result.r_exponent[row]))
            assert taken <= r < taken * (1 + power(1 - c.T))
            assert result.mean[row] == mean * power(c.G)
            k = int(result.scale[row]) * (-1 if gamma[row] < 0 else 1)
            shift = int(result.shift[row]) - c.F + 1
            exact = abs(gamma[row]) * power(c.y_fraction - c.gamma_fraction) / taken * power(shift)
            assert abs(abs(k) - exact) <= Fraction(1, 2) or shift == c.SHIFT_MIN
            assert (merged.scale[row], merged.shift[row]) == (k, shift)
            fraction, bias = int(merged.fraction[row]), int(merged.bias[row])
            for value, y in zip(samples, result.y[row].tolist(), strict=True):
                rounded = half_up(k * (value - mean) * power(-shift)) + c.beta_in_y(beta[row])
                assert y == max(c.y_min, min(rounded, c.y_max))
                product = k * value << (fraction - shift)
                folded = (product + bias + (1 << (fraction - 1))) >> fraction
                assert y == max(c.y_min, min(folded, c.y_max))


@pytest.mark.parametrize("norm", NORMS)
def test_inference_with_the_statistics_of_the_data_is_the_forward_pass(norm: str, seed: int) -> None:
    """With as many fraction bits as the mantissa has, r comes back as it was."""
    c = Contract(norm=norm, counts=(16,), running_fraction=24, momentum_shift=1)
    x = exponential(np.random.default_rng(seed), (6, 16), 16, 0.1, -0.3)
    result = forward(c, x, 5000, 77)
    running = running_start(6)
    for _ in range(80):
        running = running_update(c, running, result)
    assert (inference(c, x, running, 5000, 77).y == result.y).all()


def test_before_the_first_channel_r_counts_as_one_unit() -> None:
    c = Contract(counts=(16,))
    result = inference(c, np.array([[0, 1]]), running_start(1), 1 << c.gamma_fraction, 5)
    assert result.y.tolist() == [[5, c.y_max]]
    assert result.r_mantissa[0] * 2.0 ** -float(result.r_exponent[0]) == 2.0**-c.Gr


def test_no_channel() -> None:
    c = Contract(counts=(4,))
    nothing = np.zeros((0, 4), dtype=np.int16)
    running = running_update(c, running_start(0), forward(c, nothing, [], []))
    assert inference(c, nothing, running, [], []).y.shape == (0, 4)
    assert fold(c, running, [], []).bias.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((2, 4), dtype=int)}, "1 running means are not possible; allowed: 2"),
        ({"x": np.zeros(4, dtype=int)}, r"x of shape \(4,\)"),
        ({"running": stored([1 << 40], [0])}, "mean = 1099511627776 is not possible"),
        ({"running": stored([0], [-1])}, "spread = -1 is not possible; allowed: 0 to"),
        ({"running": stored([0], [0, 1])}, r"spread of shape \(2,\)"),
        ({"gamma": 1 << 15}, "gamma = 32768"),
        ({"beta": 1 << 15}, "beta = 32768"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"x": np.zeros((1, 4), dtype=int), "gamma": 1, "beta": 0}
    arguments["running"] = running_start(1)
    with pytest.raises(ValueError, match=f"^{message}"):
        inference(Contract(), **{**arguments, **change})
