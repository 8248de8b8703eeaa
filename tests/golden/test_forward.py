"""The integer model against the forward pass of one channel in exact fractions: one obvious step after the
other, nothing shared. Only the format constants come from the contract; ``test_contract.py`` checks those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract, forward
from l1bn_golden.data import EDGES, edge, exponential
from l1bn_golden.norms import NORMS

from .drawn import drawn, extremes
from .rationals import half_up, power, sign


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


MEANLESS = ("rms", "mean-absolute")


@dataclass
class Channel:
    y: list[int]
    mean: int
    r: Fraction
    r_mantissa: int
    k: int
    t: int
    extra: dict[str, int]


def with_epsilon(contract: Contract, spread: Fraction, epsilon: Fraction) -> Fraction:
    """The spread of a channel and epsilon in units of 2**-h; a constant channel's is 1 or more."""
    rounded = half_up(epsilon * power(contract.h)) / power(contract.h)
    return spread + rounded if spread + rounded >= 1 else 1 + rounded


def plain(contract: Contract, x: list[int], gamma: int, beta: int) -> Channel:
    c, n = contract, len(x)
    mean = 0 if c.norm in MEANLESS else half_up(Fraction(sum(x), n) * power(c.G))
    centred = [value - mean / power(c.G) for value in x]
    extra = {
        "l1": {"sign_count": sum(sign(value) for value in centred)},
        "range": {"maximum": max(x), "minimum": min(x)},
    }.get(c.norm, {})

    of_root = c.norm in ("l2", "rms")
    epsilon = Fraction(c.epsilon) * power(2 * c.x_fraction if of_root else c.x_fraction)
    odd = n
    while odd % 2 == 0:
        odd //= 2
    if c.norm == "range":
        times_odd = odd * with_epsilon(c, Fraction(max(x) - min(x)), epsilon)
    elif not of_root:
        unit = n * power(c.G)
        whole = Fraction(sum(abs(value) for value in centred)) * power(c.G)
        spread = with_epsilon(c, whole, epsilon * unit) / unit
        times_odd = spread * odd
    else:
        exact_mean = Fraction(0) if c.norm in MEANLESS else Fraction(sum(x), n)
        variance = sum((value - exact_mean) ** 2 for value in x) / n
        # n * standard deviation to T bits, then without the power of two in n.
        square, pairs = with_epsilon(c, variance * n * n, epsilon * n * n), 0
        while square * 4**pairs < power(2 * c.T - 2):
            pairs += 1
        while square * power(2 * pairs) >= power(2 * c.T):
            pairs -= 1
        times_odd = floor_root(square * power(2 * pairs)) / power(pairs) / (n // odd)
    if any(count & (count - 1) for count in c.counts) and c.norm != "range":
        # The unit of the quotient: f bits below that of the dividend.
        fraction = c.f + (pairs if of_root else c.G + c.h)
        unit = power(fraction) * (n // odd)
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
    return Channel(y, mean, r, r_mantissa, k, shift + c.F - 1, extra)


def check(contract: Contract, x: np.ndarray[Any, Any], gamma: list[int], beta: list[int]) -> None:
    result = forward(contract, x, gamma, beta)
    for row, channel in enumerate(x.tolist()):
        expected = plain(contract, channel, gamma[row], beta[row])
        inputs = f"{contract}, x = {channel}, gamma = {gamma[row]}, beta = {beta[row]}"
        assert result.y[row].tolist() == expected.y, inputs
        assert result.mean[row] == expected.mean, inputs
        assert result.r_mantissa[row] == expected.r_mantissa, inputs
        assert int(result.r_mantissa[row]) * power(-int(result.r_exponent[row])) == expected.r, inputs
        assert (result.scale[row], result.shift[row]) == (expected.k, expected.t), inputs
        assert result.negative[row] == (gamma[row] < 0), inputs
        assert {name: column[row] for name, column in result.extra.items()} == expected.extra, inputs


def parameters(contract: Contract, rng: np.random.Generator, channels: int) -> tuple[list[int], list[int]]:
    """gamma and beta: the ends of their formats, zero, one LSB of either sign, and random ones."""
    return drawn(contract.gamma_width, rng, channels), drawn(contract.beta_width, rng, channels)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", range(4, 33))
def test_skewed_samples_in_the_default_formats(norm: str, width: int, seed: int) -> None:
    rng = np.random.default_rng([seed, width])
    for counts in ((16,), (15, 16, 48)):
        contract = Contract(norm=norm, width=width, counts=counts)
        for count in counts:
            x = exponential(rng, (4, count), width, 0.2, -0.3)
            check(contract, x, *parameters(contract, rng, 4))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", EDGES)
def test_edge_channels(norm: str, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for width in (4, 8, 16, 32):
        for count in (2, 7, 16, 24):
            contract = Contract(norm=norm, width=width, counts=(count,))
            x = np.stack([edge(kind, count, width)] * 6)
            check(contract, x, *parameters(contract, rng, 6))


@pytest.mark.parametrize("norm", NORMS)
def test_any_format(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    for _ in range(400):
        width, y_width, gamma_width, beta_width = whole(4, 32), whole(4, 32), whole(2, 32), whole(2, 32)
        y_fraction, guard_bits = whole(0, y_width - 1), [None, None, 0, 1, 8, 64][whole(0, 5)]
        contract = Contract(
            norm=norm,
            width=width,
            x_fraction=whole(0, width - 1),
            counts=tuple({whole(2, 20) for _ in range(whole(1, 3))}),
            guard_bits=guard_bits if norm not in MEANLESS else None,
            scale_width=whole(8, 24),
            y_width=y_width,
            y_fraction=y_fraction,
            gamma_width=gamma_width,
            gamma_fraction=whole(0, gamma_width - 1),
            beta_width=beta_width,
            beta_fraction=whole(0, min(y_fraction, beta_width - 1)),
            epsilon=[0.0, 1e-12, 1e-5, 0.1, 1.0][whole(0, 4)],
        )
        count = contract.counts[0]
        centre = whole(-(1 << (width - 1)), (1 << (width - 1)) - 1)
        near = rng.integers(-2, 3, (2, count)) + centre
        anywhere = rng.integers(-(1 << (width - 1)), 1 << (width - 1), (2, count))
        x = np.clip(np.concatenate([near, anywhere]), -(1 << (width - 1)), (1 << (width - 1)) - 1)
        check(contract, x, *parameters(contract, rng, 4))


@pytest.mark.parametrize("norm", NORMS)
def test_only_constant_channels_are_clamped(norm: str, seed: int) -> None:
    """The smallest spread under the largest gamma: k keeps its top bit, or the shift its maximum."""
    for count in (2, 3, 8, 1000, 1024):
        for guard_bits in (None,) if norm in MEANLESS else (None, 0, 4):
            contract = Contract(norm=norm, width=16, counts=(count,), epsilon=0.0, guard_bits=guard_bits)
            largest = 1 << (contract.gamma_width - 1)
            result = forward(contract, edge("outlier by one LSB", count, 16)[None], -largest, 0)
            r = int(result.r_mantissa[0]) * power(-int(result.r_exponent[0]))
            exact = largest * power(contract.y_fraction - contract.gamma_fraction) / r
            shift = int(result.shift[0]) - contract.F + 1
            assert shift >= contract.SHIFT_MIN
            assert abs(int(result.scale[0]) - exact * power(shift)) <= Fraction(1, 2)
            assert result.scale[0] >= 1 << (contract.scale_width - 1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", [8, 16, 32])
def test_constant_channel_gives_beta(norm: str, width: int) -> None:
    for count in (16, 15, 1 << 12):
        for guard_bits in (None,) if norm in MEANLESS else (None, 0, 3):
            contract = Contract(norm=norm, width=width, counts=(count,), epsilon=0.0, guard_bits=guard_bits)
            values = np.array([0] if norm in MEANLESS else [*extremes(width), 5, -7])
            x = np.repeat(values[:, None], count, axis=1)
            result = forward(contract, x, -(1 << (contract.gamma_width - 1)), 77)
            assert (result.y == 77).all()
            assert (result.mean == values.astype(object) << contract.G).all()
            if norm == "l1":
                assert (result.sign_count == 0).all()


def test_blocks_of_channels_are_independent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract = Contract(counts=(1024,))
    x = exponential(rng, (70, 1024), 16)
    gamma, beta = parameters(contract, rng, 70)
    together = forward(contract, x, gamma, beta)
    for row in range(70):
        alone = forward(contract, x[row : row + 1], gamma[row], beta[row])
        assert (alone.y[0] == together.y[row]).all()
        assert alone.mean[0] == together.mean[row]


def test_packets_of_the_wrong_length_are_filled_up_or_cut() -> None:
    contract = Contract(counts=(4,))
    x = np.array([[100, -300, 7, 50, 9999]])
    assert (forward(contract, x, 8192, 0, 4).y == forward(contract, x[:, :4], 8192, 0).y).all()
    filled = np.array([[100, -300, 0, 0]])
    assert (forward(contract, x[:, :2], 8192, 0, 4).y == forward(contract, filled, 8192, 0).y).all()


def test_no_channel() -> None:
    result = forward(Contract(counts=(4,)), np.zeros((0, 4), dtype=np.int16), [], [])
    assert result.y.shape == (0, 4)
    assert result.mean.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((1, 5), dtype=int)}, "count = 5 is not possible; allowed: 4"),
        ({"x": np.zeros(4, dtype=int)}, r"x of shape \(4,\)"),
        ({"x": np.zeros((1, 4))}, "x of type float64"),
        ({"x": np.array([[0, 0, 128, 0]])}, "x = 128 is not possible; allowed: -128 to 127"),
        ({"x": np.array([[0, 0, -129, 0]])}, "x = -129"),
        ({"gamma": 1 << 15}, "gamma = 32768 is not possible; allowed: -32768 to 32767"),
        ({"gamma": 1 << 70}, "gamma of type object"),
        ({"gamma": [1, 2]}, r"gamma of shape \(2,\)"),
        ({"beta": -129}, "beta = -129"),
        ({"count": 8}, "count = 8 is not possible; allowed: 4"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"x": np.zeros((1, 4), dtype=int), "gamma": 1, "beta": 0}
    with pytest.raises(ValueError, match=message):
        forward(Contract(width=8, counts=(4,)), **{**arguments, **change})
