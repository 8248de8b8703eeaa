"""Test data: formats, seeds, and that every edge is the edge that its name says."""

from __future__ import annotations

import numpy as np
import pytest

from l1bn_golden.data import EDGES, RANDOM, edge, exponential, gaussian, quantize


def test_quantize_rounds_half_up_and_saturates() -> None:
    values = [0.0, 0.124, 0.125, -0.125, -0.126, 7.9, 7.8, -8.0, -9.0, 100.0]
    assert quantize(values, 6, 2).tolist() == [0, 0, 1, 0, -1, 31, 31, -32, -32, 31]
    assert quantize([1.0], 16, 12).dtype == np.int16
    assert quantize([1.0], 17, 12).dtype == np.int64
    assert quantize([1e30, -1e30], 32, 28).tolist() == [2**31 - 1, -(2**31)]
    with pytest.raises(ValueError, match="finite"):
        quantize([float("nan")], 8, 4)


@pytest.mark.parametrize("kind", RANDOM)
def test_random_samples(kind: str, seed: int) -> None:
    x, same, other = (
        RANDOM[kind](np.random.default_rng(each), (8, 4096), 16, 0.05, -0.25)
        for each in (seed, seed, seed + 1)
    )
    assert x.shape == (8, 4096)
    assert (x == same).all()
    assert (x != other).any()
    assert x.std() == pytest.approx(0.05 * 2**15, rel=0.05)


def test_gaussian_is_symmetric_and_exponential_is_skewed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for draw, skew in ((gaussian, 0.0), (exponential, 2.0)):
        x = draw(rng, (1, 1 << 18), 16, 0.02).astype(np.float64)
        centred = x - x.mean()
        assert (centred**3).mean() / centred.std() ** 3 == pytest.approx(skew, abs=0.15)


def test_offset_and_spread_by_channel(seed: int) -> None:
    offset = np.array([[0.5], [-0.5]])
    x = gaussian(np.random.default_rng(seed), (2, 4096), 12, np.array([[0.01], [0.1]]), offset)
    assert x.mean(axis=1) == pytest.approx([1024, -1024], rel=0.05)
    assert x.std(axis=1) == pytest.approx([20.48, 204.8], rel=0.05)


@pytest.mark.parametrize("width", [4, 8, 16, 32])
@pytest.mark.parametrize("count", [2, 3, 16, 100])
def test_edges(width: int, count: int) -> None:
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    channels = {kind: edge(kind, count, width) for kind in EDGES}
    for kind, channel in channels.items():
        assert channel.shape == (count,), kind
        assert low <= channel.min() <= channel.max() <= high, kind
    assert set(channels["minimum"].tolist()) == {low}
    assert set(channels["maximum"].tolist()) == {high}
    assert len(set(channels["constant"].tolist())) == 1
    assert channels["alternating"].tolist() == [low, high] * (count // 2) + [low] * (count % 2)
    for kind, height in (("one LSB", 1), ("minus one LSB", 1), ("full scale", high - low)):
        values = channels[f"outlier by {kind}" if "LSB" in kind else f"outlier of {kind}"]
        assert int(values.max()) - int(values.min()) == height
        assert np.count_nonzero(values != values[-1]) == 1
    ties = channels["ties at the mean"].tolist()
    assert sum(ties) == 3 * count
    assert ties.count(3) >= count / 2
