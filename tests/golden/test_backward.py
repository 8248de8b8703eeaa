"""The integer backward model against one channel in exact fractions: one obvious step after the other, nothing
shared. Only the format constants come from the contract; ``test_contract.py`` checks those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from l1bn_golden import Contract, backward, forward
from l1bn_golden.data import EDGES, edge, exponential, gaussian
from l1bn_golden.norms import NORMS

from .drawn import drawn, extremes
from .rationals import half_up, power, sign


def clip(value: int, width: int) -> int:
    return max(-(1 << (width - 1)), min(value, (1 << (width - 1)) - 1))


def nearest(value: Fraction, bits: int, lowest: int, highest: int) -> tuple[int, int]:
    """(k, shift): k of at most so many bits, k * 2**-shift the nearest to the value, shift as large as possible."""
    shift = highest
    while half_up(value * power(shift)) >= 2**bits:
        shift -= 1
    return half_up(value * power(shift)), max(shift, lowest)


MEANLESS = ("rms", "mean-absolute")


@dataclass
class Statistics:
    """Those of one channel, as :class:`l1bn_golden.Forward` has them."""

    mean: Any
    r_mantissa: Any
    r_exponent: Any
    extra: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["extra"][name]

    def row(self, row: int) -> tuple[int, int, int, dict[str, int]]:
        extra = {name: int(column[row]) for name, column in self.extra.items()}
        return int(self.mean[row]), int(self.r_mantissa[row]), int(self.r_exponent[row]), extra


@dataclass
class Channel:
    dx: list[int]
    dgamma: int
    dbeta: int
    H: int
    a: int
    m0: int
    k: tuple[int, int]
    e: tuple[int, int]
    flagged: bool


def sides_of(norm: str, x: list[int], mean: Fraction, extra: dict[str, int]) -> list[int]:
    """On which side each sample is, 0 for none."""
    if norm != "range":
        return [sign(value - mean) for value in x]
    greatest, least = extra["maximum"], extra["minimum"]
    sides = [0] * len(x)
    for extreme, side in ((greatest, 1), (least, -1)):
        if extreme in x and greatest != least:
            sides[x.index(extreme)] = side
    return sides


def plain(
    c: Contract, x: list[int], dy: list[int], gamma: int, given: tuple[int, int, int, dict[str, int]]
) -> Channel:
    mu, r_mantissa, r_exponent, extra = given
    mu = 0 if c.norm in MEANLESS else mu
    n = len(x)
    lowest, highest = min(c.r_exponents), max(c.r_exponents)
    flagged = r_mantissa < 2 ** (c.T - 1) or not lowest <= r_exponent <= highest
    if flagged:
        r_mantissa, r_exponent = 2 ** (c.T - 1), max(lowest, min(r_exponent, highest))
    r, mean = r_mantissa * power(-r_exponent), mu * power(-c.G)

    dbeta = sum(dy)
    H = math.floor(sum(g * (value - mean) for g, value in zip(dy, x, strict=True)) / r * power(c.Gh))
    H = clip(H, c.dy_width + c.L + c.Gh + 1)
    dgamma = clip(half_up(H * power(-c.Gh)), c.dy_width + c.L)
    a = clip(half_up(H * power(c.Gm - c.Gh) / n), c.dy_width + c.Gm + 1)
    if c.norm == "range":
        assert c.Gh == c.Gm
        a = H
    of_signs = extra["sign_count"] * a if c.norm == "l1" else 0
    m0 = clip(half_up((dbeta * power(c.Gm) - of_signs) / n), c.dy_width + c.Gm + 2)
    if c.norm in MEANLESS:
        m0 = 0

    K = abs(gamma) * power(c.x_fraction + c.dx_fraction - c.dy_fraction - c.gamma_fraction) / r
    k, sh = nearest(K, c.scale_width, c.SHIFTd_MIN, c.dy_width + 4)
    signed = (-k if gamma < 0 else k) * power(-sh)
    e, se = 0, 0
    if c.norm in ("l2", "rms"):
        u = k * abs(a)
        num = Fraction(0)
        if u:
            unit = power(u.bit_length() - c.T)
            num = math.floor(u / unit) * unit
        e, se = nearest(num * power(-sh - c.Gm) / r, c.scale_width, c.SHIFTx_MIN, c.width + 4)
    of_x = (e if gamma * a > 0 else -e) * power(-se)

    dx = []
    sides = sides_of(c.norm, x, mean, extra)
    for g, value, side in zip(dy, x, sides, strict=True):
        if c.norm not in ("l2", "rms"):
            inner = g - (m0 + side * a) * power(-c.Gm)
            dx.append(clip(half_up(signed * inner), c.dx_width))
        else:
            p1 = math.floor(signed * (g - m0 * power(-c.Gm)) * 64)
            p2 = math.floor(of_x * (value - mean) * 64)
            dx.append(clip(half_up(Fraction(p1 - p2, 64)), c.dx_width))
    if not any(sides):
        dx = [0] * n
    return Channel(dx, dgamma, dbeta, H, a, m0, (k, sh), (e, se), flagged)


def check(
    c: Contract,
    x: np.ndarray[Any, Any],
    dy: np.ndarray[Any, Any],
    gamma: list[int],
    statistics: Statistics | None = None,
) -> None:
    if statistics is None:
        normal = forward(c, x, gamma, 0)
        statistics = Statistics(normal.mean, normal.r_mantissa, normal.r_exponent, dict(normal.extra))
    result = backward(c, x, dy, gamma, statistics)
    for row, (samples, gradients) in enumerate(zip(x.tolist(), dy.tolist(), strict=True)):
        given = statistics.row(row)
        expected = plain(c, samples, gradients, gamma[row], given)
        inputs = f"{c}, x = {samples}, dy = {gradients}, gamma = {gamma[row]}, statistics = {given}"
        assert (result.dgamma[row], result.dbeta[row]) == (expected.dgamma, expected.dbeta), inputs
        assert result.correlation_sum[row] == expected.H, inputs
        assert (result.correlation[row], result.mean[row]) == (expected.a, expected.m0), inputs
        assert (result.scale[row], result.shift[row]) == expected.k, inputs
        if result.x_scale is not None and result.x_shift is not None:
            assert (result.x_scale[row], result.x_shift[row]) == expected.e, inputs
        assert result.flagged[row] == expected.flagged, inputs
        assert result.dx[row].tolist() == expected.dx, inputs


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", range(4, 33, 4))
def test_skewed_samples_in_the_default_formats(norm: str, width: int, seed: int) -> None:
    rng = np.random.default_rng([seed, width])
    for counts in ((16,), (15, 16, 48)):
        c = Contract(norm=norm, width=width, counts=counts)
        for count in counts:
            x = exponential(rng, (4, count), width, 0.2, -0.3)
            dy = np.maximum(gaussian(rng, (4, count), width, 0.2, 0.1), -3)
            check(c, x, dy, drawn(c.gamma_width, rng, 4))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", EDGES)
def test_edge_channels(norm: str, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for width in (4, 8, 16, 32):
        for count in (2, 7, 16, 24):
            c = Contract(norm=norm, width=width, counts=(count,))
            x = np.stack([edge(kind, count, width)] * 8)
            others = ("minimum", "maximum", "alternating", "outlier by one LSB", "ramp", kind)
            dy = [edge(other, count, width) for other in others]
            dy += list(gaussian(rng, (2, count), width))
            check(c, x, np.stack(dy), drawn(c.gamma_width, rng, 8))


def random_contract(norm: str, rng: np.random.Generator) -> Contract:
    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    width, dy_width, dx_width, gamma_width = whole(4, 32), whole(4, 32), whole(4, 32), whole(2, 32)
    guard_bits = [None, None, 0, 1, 8, 64][whole(0, 5)]
    return Contract(
        norm=norm,
        width=width,
        x_fraction=whole(0, width - 1),
        counts=tuple({whole(2, 20) for _ in range(whole(1, 3))}),
        guard_bits=guard_bits if norm not in MEANLESS else None,
        scale_width=whole(8, 24),
        dy_width=dy_width,
        dy_fraction=whole(0, dy_width - 1),
        dx_width=dx_width,
        dx_fraction=whole(0, dx_width - 1),
        gamma_width=gamma_width,
        gamma_fraction=whole(0, gamma_width - 1),
        epsilon=[0.0, 1e-12, 1e-5, 0.1, 1.0][whole(0, 4)],
    )


def samples(rng: np.random.Generator, width: int, count: int) -> np.ndarray[Any, Any]:
    """Two channels close to a value, two anywhere."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    near = rng.integers(-2, 3, (2, count)) + int(rng.integers(low, high, endpoint=True))
    both: np.ndarray[Any, Any] = np.concatenate([near, rng.integers(low, high, (2, count), endpoint=True)])
    return both.clip(low, high)


@pytest.mark.parametrize("norm", NORMS)
def test_any_format(norm: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(400):
        c = random_contract(norm, rng)
        count = c.counts[0]
        dy = rng.permutation(samples(rng, c.dy_width, count))
        check(c, samples(rng, c.width, count), dy, drawn(c.gamma_width, rng, 4))


@pytest.mark.parametrize("norm", NORMS)
def test_statistics_of_something_else(norm: str, seed: int) -> None:
    """Whatever the port can hold has a result; an r that is none is flagged."""
    rng = np.random.default_rng(seed)
    seen = set()
    for _ in range(300):
        c = random_contract(norm, rng)
        count = c.counts[0]
        top = 1 << (c.T - 1)
        wide = 1 << (c.width + c.G - 1)
        fractions = rng.random(4)
        x, dy = samples(rng, c.width, count), samples(rng, c.dy_width, count)
        extra = {
            name: rng.integers(*c.traits.statistic_range(c, name), 4, endpoint=True)
            for name in c.traits.statistics
        }
        if norm == "range":  # some of the samples, too
            extra["maximum"][:2] = x[:2, -1]
            extra["minimum"][1:3] = x[1:3, 0]
        statistics = Statistics(
            mean=np.array([int((2 * f - 1) * (wide - 1)) for f in fractions], dtype=object),
            r_mantissa=np.array([rng.choice([0, 1, top - 1, top, 2 * top - 1]) for _ in range(4)]),
            r_exponent=rng.integers(c.r_exponents[0] - 3, c.r_exponents[-1] + 4, 4),
            extra=extra,
        )
        check(c, x, dy, drawn(c.gamma_width, rng, 4), statistics)
        seen |= set(backward(c, x, dy, 1, statistics).flagged.tolist())
    assert seen == {True, False}


@pytest.mark.parametrize("norm", NORMS)
def test_every_r_of_the_forward_pass_is_taken(norm: str) -> None:
    for counts in ((2,), (16,), (12, 16), (3, 100)):
        for width in (4, 16):
            for epsilon in (0.0, 1.0):
                c = Contract(norm=norm, width=width, counts=counts, epsilon=epsilon)
                for count in counts:
                    x = np.stack([edge(kind, count, width) for kind in EDGES])
                    result = backward(c, x, x, 1, forward(c, x, 1, 0))
                    assert not result.flagged.any()


@pytest.mark.parametrize("norm", NORMS)
def test_constant_channel_has_no_gradient(norm: str) -> None:
    for count in (16, 15):
        c = Contract(norm=norm, width=8, counts=(count,), epsilon=0.0)
        values = np.array([0] * 4 if norm in MEANLESS else [*extremes(8), 5, -7])
        x = np.repeat(values[:, None], count, axis=1)
        dy = np.broadcast_to(np.arange(count), x.shape)
        result = backward(c, x, dy, 32767, forward(c, x, 32767, 0))
        assert (result.dx == 0).all() and result.flat.all()
        assert (result.dgamma == 0).all()
        assert (result.dbeta == count * (count - 1) // 2).all()


def test_blocks_of_channels_are_independent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for norm in NORMS:
        c = Contract(norm=norm, counts=(1024,))
        x, dy = exponential(rng, (70, 1024), 16), exponential(rng, (70, 1024), 16, 0.1, -0.1)
        gamma = drawn(c.gamma_width, rng, 70)
        together = backward(c, x, dy, gamma, forward(c, x, gamma, 0))
        for row in range(0, 70, 9):
            part = slice(row, row + 1)
            alone = backward(c, x[part], dy[part], gamma[row], forward(c, x[part], gamma[row], 0))
            assert (alone.dx[0] == together.dx[row]).all()
            assert alone.dgamma[0] == together.dgamma[row]


def test_packets_of_the_wrong_length_are_filled_up_or_cut() -> None:
    c = Contract(counts=(4,))
    x, dy = np.array([[100, -300, 7, 50, 9999]]), np.array([[5, 4000]])
    statistics = forward(c, x, 8192, 0, 4)
    result = backward(c, x, dy, 8192, statistics, 4)
    expected = backward(c, x[:, :4], np.array([[5, 4000, 0, 0]]), 8192, statistics)
    assert (result.dx == expected.dx).all()
    assert result.dgamma == expected.dgamma


def test_no_channel() -> None:
    c = Contract(counts=(4,))
    nothing = np.zeros((0, 4), dtype=np.int16)
    result = backward(c, nothing, nothing, [], forward(c, nothing, [], []))
    assert result.dx.shape == (0, 4)
    assert result.dgamma.shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((1, 5), dtype=int)}, r"dy of shape \(1, 4\) is not possible; allowed: \(1, 5\)"),
        ({"dy": np.zeros((2, 4), dtype=int), "count": 4}, "dy of 2 channels"),
        ({"dy": np.zeros(4, dtype=int)}, r"dy of shape \(4,\)"),
        ({"dy": np.zeros((1, 4))}, "dy of type float64"),
        ({"dy": np.array([[0, 0, 32, 0]])}, "dy = 32 is not possible; allowed: -32 to 31"),
        ({"x": np.array([[0, 0, 128, 0]])}, "x = 128 is not possible; allowed: -128 to 127"),
        ({"gamma": 1 << 15}, "gamma = 32768"),
        ({"count": 8}, "count = 8 is not possible; allowed: 4"),
        ({"mean": [1 << 9]}, "mean = 512 is not possible; allowed: -512 to 511"),
        ({"mean": [0, 0]}, r"mean of shape \(2,\) is not possible; allowed: one a channel"),
        ({"mean": [0.0]}, "mean = 0.0 is not possible; allowed: integers"),
        ({"r_mantissa": [1 << 24]}, "r_mantissa = 16777216"),
        ({"r_mantissa": [-1]}, "r_mantissa = -1"),
        ({"r_exponent": [1 << 20]}, "r_exponent = 1048576"),
        ({"sign_count": [8]}, "sign_count = 8 is not possible; allowed: -8 to 7"),
    ],
)
def test_bad_input(change: dict[str, Any], message: str) -> None:
    c = Contract(width=8, dy_width=6, counts=(4,))
    zeros = np.zeros((1, 4), dtype=int)
    arguments: dict[str, Any] = {"x": zeros, "dy": zeros, "gamma": 1, "count": None}
    statistics = Statistics([0], [1 << 23], [24], {"sign_count": [0]})
    for name, value in change.items():
        if name in arguments:
            arguments[name] = value
        elif name in statistics.extra:
            statistics = replace(statistics, extra={name: value})
        else:
            statistics = replace(statistics, **{name: value})
    with pytest.raises(ValueError, match=f"^{message}") as caught:
        backward(c, **arguments, statistics=statistics)
    assert "\n" not in str(caught.value)
