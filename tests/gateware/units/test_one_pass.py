"""L1 in one pass: the bits of two passes for every guess, and the cycles that a guess costs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

from l1bn.config import Configuration, ConfigurationError
from l1bn.export.package import Package
from l1bn.units import unit
from l1bn_golden import Contract
from l1bn_golden.one_pass import Pivots
from l1bn_vectors.forward import ForwardChannel, forward_traffic, guessed

from ..bench import UnitBench

LAYER = 4
"""Channels of the layers of these tests: more than are under way at once."""
ONE_PASS: dict[str, Any] = {"norm": "l1", "form": "one-pass", "channels": LAYER}
UNITS: dict[str, dict[str, Any]] = {
    "one lane": {"width": 8, "counts": (256,)},
    "four lanes": {"width": 12, "counts": (512,), "lanes": 4},
    "sixteen lanes": {"width": 8, "counts": (2048,), "lanes": 16, "window_shift": 3},
    "rounded mean": {"width": 10, "counts": (200,), "window_shift": 1},
    "rounded mean of few bits": {"width": 8, "counts": (160,), "guard_bits": 2},
    "two counts": {"width": 8, "counts": (192, 256), "lanes": 2},
    "short lists": {"width": 8, "counts": (128,), "suspects": 8, "window_shift": 1},
    "lists of one": {"width": 6, "counts": (128,), "lanes": 2, "suspects": 1},
}


class ForwardBench(UnitBench):
    traffic = staticmethod(forward_traffic)


def layer(config: Configuration, seed: int, drift: float, steps: int) -> list[list[np.ndarray]]:
    """Gaussian channels of several steps, of every scale; from step to step they move by ``drift`` of sigma."""
    draw = np.random.default_rng([seed, steps])
    half = 1 << (config.width - 1)
    sigma = half * np.array([0.3, 0.1, 0.02, 0.2])
    centre = half * np.array([0.2, -0.5, 0.6, 0.3])
    noise = [draw.normal(0, 1, config.counts[channel % len(config.counts)]) for channel in range(LAYER)]
    found = []
    for _ in range(steps):
        moved = (row * width + about for row, width, about in zip(noise, sigma, centre, strict=True))
        found.append([np.clip(np.rint(row), -half, half - 1).astype(np.int64) for row in moved])
        centre = centre + sigma * drift * draw.choice([-1, 1], LAYER)
    return found


def channels(config: Configuration, rows: Sequence[np.ndarray]) -> list[ForwardChannel]:
    golden = Contract.from_parameters(config.to_mapping())
    gamma = 1 << (config.gamma_width - 2)
    return [
        ForwardChannel(golden, x, (gamma, -gamma)[k % 2], k, k % len(config.counts)) for k, x in enumerate(rows)
    ]


def missed(bench: ForwardBench) -> list[int]:
    """What the unit said of its guesses."""
    payload = bench.sinks["o_stats"].payload
    return payload.unpack(bench.sinks["o_stats"].words)["missed"].tolist()


@pytest.mark.parametrize(
    ("name", "storage"), [*((name, "inside") for name in UNITS), ("one lane", "outside"), ("two counts", "outside")]
)
def test_hits_and_misses_are_those_of_the_model(name: str, storage: str, seed: int) -> None:
    """The first step misses, later ones hit unless a list overflows; and each takes as long as stated."""
    device = unit(Configuration(**ONE_PASS, **UNITS[name], storage=storage))
    config = device.config
    bench = ForwardBench(device, seed=seed, patience=4000)
    work = [each for rows in layer(config, seed, 0.02, 3) for each in channels(config, rows)]
    work = guessed(Pivots(work[0].contract), work)
    expected = [each.visit for each in work]
    bench.pause("i", 8)  # until the first guess is there after the reset
    for each in work:
        bench.pass_through([each])
        # Until the unit is idle: then a channel's latency is its own.
        bench.pause("i", device.missed_latency(max(config.counts), config.suspects))
    bench.run()
    assert not any(visit.hit for visit in expected[:LAYER])
    if config.suspects > 8:
        assert all(visit.hit for visit in expected[LAYER:])
    else:
        assert not all(visit.hit for visit in expected[LAYER:])

    accepted, taken = iter(bench.sources["i"].accepted), iter(bench.sinks["o"].taken)
    for each in work:
        visit = each.visit
        count = len(each.x)
        beats = count // config.lanes
        sendings = 1 if storage == "inside" else 2 + (not visit.hit)
        latency = min(islice(taken, beats)) - min(islice(accepted, beats * sendings))
        if visit.hit:
            assert latency == device.latency(count, visit.longest)
        else:
            assert latency == device.missed_latency(count, visit.longest)


@pytest.mark.parametrize("name", ["one lane", "sixteen lanes"])
def test_hits_follow_each_other_at_full_rate(name: str, seed: int) -> None:
    """A beat a cycle on both sides, from channel to channel and from step to step."""
    device = unit(Configuration(**ONE_PASS, **UNITS[name]))
    config, count = device.config, device.config.counts[0]
    beats = count // config.lanes
    bench = ForwardBench(device, seed=seed)
    for rows in layer(config, seed, 0.02, 4):
        bench.pass_through(channels(config, rows))
    bench.run()
    assert not any(missed(bench)[LAYER:])
    # What comes out has a gap where a channel took longer to repair than all before.
    assert set(np.diff(bench.sources["i"].accepted[-2 * LAYER * beats :]).tolist()) == {1}
    assert device.cycles_per_channel(count) == beats


ADVERSE: dict[str, dict[str, Any]] = {
    "one beat": {"width": 6, "counts": (8,), "lanes": 8},
    "two beats": {"width": 8, "counts": (4,), "lanes": 2, "window_shift": 1},
    "few beats": {"width": 8, "counts": (12, 20), "lanes": 4, "window_shift": 1},
    "longer than a channel waits": {"width": 8, "counts": (150,)},
    "wide": {"width": 32, "counts": (10,), "scale_width": 24, "gamma_width": 32},
    "narrow": {"width": 4, "counts": (64,), "lanes": 2},
    "wide window": {"width": 8, "counts": (128,), "window_shift": 1},
    "narrow window": {"width": 16, "counts": (64,), "window_shift": 8},
    "overflow": {"width": 8, "counts": (64,), "window_shift": 1, "suspects": 4},
    "one channel": {"width": 8, "counts": (48,), "channels": 1},
    "three channels": {"width": 8, "counts": (48,), "channels": 3},
    "exact and rounded": {"width": 9, "counts": (16, 32, 20), "guard_bits": 3},
}


OUTSIDE = ("one beat", "two beats", "longer than a channel waits", "overflow", "one channel", "exact and rounded")
"""Those that are looked at with either storage: what differs is who sends the samples again."""


@pytest.mark.parametrize(
    ("name", "storage"), [*((name, "inside") for name in ADVERSE), *((name, "outside") for name in OUTSIDE)]
)
def test_no_guess_moves_a_bit(name: str, storage: str, seed: int) -> None:
    """Guesses of another layer, of another channel, near and far, hits and misses in turn, wrong lengths between."""
    device = unit(Configuration(**{**ONE_PASS, **ADVERSE[name], "storage": storage}))
    config = device.config
    draw = np.random.default_rng(seed)
    half = 1 << (config.width - 1)
    bench = ForwardBench(device, stall=0.2 if storage == "inside" else 0.3, seed=seed, patience=8000)
    work: list[ForwardChannel] = []
    about = [(draw.integers(-half, half), draw.choice([0, 1, 3, half / 8, half])) for _ in range(config.channels)]
    for k in range(16 if config.width < 32 else 10):
        select, place = k % len(config.counts), k % config.channels
        count = config.counts[select]
        if k % 7 == 6:
            about[place] = draw.integers(-half, half), draw.choice([0, 1, 3, half / 8, half])
        centre, sigma = about[place]
        length = count if draw.random() < 0.85 else int(draw.integers(1, 3 * count // config.lanes)) * config.lanes
        x = np.clip(np.rint(draw.normal(centre, sigma, length)), -half, half - 1).astype(np.int64)
        golden = Contract.from_parameters(config.to_mapping())
        gamma = 1 << (config.gamma_width - 2)
        work.append(ForwardChannel(golden, x, (gamma, -gamma)[k % 2], k % 4, select))
    # One channel after the other, and the guesses of each are known.
    bench.pass_through(guessed(Pivots(golden), work) if storage == "outside" else work)
    bench.run()
    assert set(missed(bench)) == {0, 1}


@pytest.mark.parametrize("step", [-2, -1, 0, 1, 2])
def test_samples_at_the_mean(step: int, seed: int) -> None:
    """A mean that is an integer, at which many samples are, and ``step`` away from the last one."""
    device = unit(Configuration(**{**ONE_PASS, "channels": 1}, width=8, counts=(64,), window_shift=1))
    draw = np.random.default_rng(seed)
    golden = Contract.from_parameters(device.config.to_mapping())
    off = np.concatenate([draw.integers(0, 12, 16), np.zeros(16, dtype=np.int64), draw.integers(0, 3, 16)])
    centres = [20 + step * (k // 3) for k in range(12)]
    rows = [np.concatenate([centre + off[:24], centre - off[:24], np.full(16, centre)]) for centre in centres]
    bench = ForwardBench(device, seed=seed)
    bench.pass_through([ForwardChannel(golden, x, 1 << 10, 0) for x in rows])
    bench.run()
    assert 0 in missed(bench)


@pytest.mark.parametrize(("wrong", "packets"), [(0, 4), (1, 5), (2, 3)])
def test_one_wrong_pass(wrong: int, packets: int, seed: int) -> None:
    """When only one packet of a channel that was missed has the wrong length, it is marked, and no other channel."""
    device = unit(Configuration(**ONE_PASS, width=8, counts=(16,), lanes=2, storage="outside"))
    bench = ForwardBench(device, idle=0.2, stall=0.2, seed=seed)
    golden = Contract.from_parameters(device.config.to_mapping())
    # The mean is far from 0, the first guess, and another one in a packet that is cut, so that the pass behind it is
    # missed as well.
    rows = [np.full(16, 90) + np.arange(16) % 5, np.full(16, -70) + np.arange(16) % 3]
    right = [ForwardChannel(golden, row, 1 << 10, 3) for row in rows]
    for number in range(packets):
        samples = rows[0][:-2] if number == wrong else rows[0]
        bench.send_packet("i", samples.reshape(-1, 2))
    bench.send("i_affine", gamma=[1 << 10], beta=[3])
    anything = np.ma.masked_all(1, dtype=np.int64)
    names = [name for name, _ in device.o_stats.payload.shape() if name not in ("missed", "error")]
    bench.expect_packet("o", np.ma.masked_all((8, 2), dtype=np.int64), error=True)
    bench.expect("o_stats", **dict.fromkeys(names, anything), missed=[1], error=[wrong < 2])
    bench.expect("o_next", again=[*[1] * (packets - 2), 0])
    pivots = Pivots(golden)
    pivots.next = 1
    bench.pass_through(guessed(pivots, right[1:]))
    bench.run()


def test_what_is_not_built_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="form = 'one-pass' is not possible; allowed: two-pass for direction"):
        Configuration(**ONE_PASS, direction="training")
    with pytest.raises(ConfigurationError, match="storage = 'outside' is not possible; allowed: inside: no exported"):
        Package(Configuration(**ONE_PASS, storage="outside"), "unit")
    with pytest.raises(ConfigurationError, match="window_shift = 0"):
        Configuration(**ONE_PASS, window_shift=0)
    with pytest.raises(ConfigurationError, match="suspects = 3"):
        Configuration(**ONE_PASS, suspects=3)
