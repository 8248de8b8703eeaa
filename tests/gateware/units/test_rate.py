"""A unit takes a beat a cycle, channel after channel, down to the shortest channels that it is to keep up with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from l1bn.channels.turns import Turns
from l1bn.config import LEAST_INTERVAL, Configuration
from l1bn.units import parts, unit
from l1bn_golden import Contract, backward, forward

from ..bench import Bench, UnitBench
from .test_backward import BackwardBench, any_elements
from .test_forward import ForwardBench, any_samples

MAPS: dict[str, Any] = {"width": 16, "counts": (49,)}
FORWARD: dict[str, dict[str, Any]] = {
    "l1, maps of 7 x 7": {"norm": "l1", **MAPS},
    "l1, of 8 x 8": {"norm": "l1", "width": 8, "counts": (64,)},
    "l1, 14 x 14 on 4 lanes": {"norm": "l1", "width": 16, "counts": (196,), "lanes": 4},
    "l1, 1,024 samples on 16 lanes": {"norm": "l1", "width": 8, "counts": (1024,), "lanes": 16},
    "l1, several counts": {"norm": "l1", "width": 8, "counts": (56, 49)},
    "l2 in one pass, maps of 7 x 7": {"norm": "l2", "form": "one-pass", **MAPS},
    "l2 in one pass, 1,024 samples on 16 lanes": {"norm": "l2", "width": 16, "counts": (1024,), "lanes": 16},
    "l2 in two passes, maps of 7 x 7": {"norm": "l2", "form": "two-pass", **MAPS},
    "range, maps of 7 x 7": {"norm": "range", **MAPS},
    "rms, maps of 7 x 7": {"norm": "rms", **MAPS},
    "mean-absolute, maps of 7 x 7": {"norm": "mean-absolute", **MAPS},
}
BACKWARD: dict[str, dict[str, Any]] = {
    "l1, maps of 7 x 7": {"norm": "l1", **MAPS},
    "l1, of 8 x 8": {"norm": "l1", "width": 8, "counts": (64,)},
    "l1, 1,024 samples on 16 lanes": {"norm": "l1", "width": 8, "counts": (1024,), "lanes": 16},
    "l2, maps of 7 x 7": {"norm": "l2", **MAPS},
    "range, maps of 7 x 7": {"norm": "range", **MAPS},
    "rms, maps of 7 x 7": {"norm": "rms", **MAPS},
    "mean-absolute, maps of 7 x 7": {"norm": "mean-absolute", **MAPS},
}
CHANNELS = 14
"""In a row: more than wait anywhere in a unit at once."""


def assert_a_beat_a_cycle(bench: UnitBench, into: str) -> None:
    accepted, taken = (np.array(cycles) for cycles in (bench.sources[into].accepted, bench.sinks["o"].taken))
    assert set(np.diff(accepted).tolist()) == set(np.diff(taken).tolist()) == {1}


@pytest.mark.parametrize("name", FORWARD)
def test_forward(name: str, seed: int) -> None:
    device = unit(Configuration(**FORWARD[name]))
    count = device.config.counts[-1]
    select = len(device.config.counts) - 1
    assert device.cycles_per_channel(count) == count // device.config.lanes
    bench = ForwardBench(device, seed=seed)
    bench.pass_through(any_samples(device.config, seed, count, CHANNELS, select))
    bench.run()
    assert_a_beat_a_cycle(bench, "i")


@pytest.mark.parametrize("name", BACKWARD)
def test_backward(name: str, seed: int) -> None:
    device = unit(Configuration(direction="backward", **BACKWARD[name]))
    count = device.config.counts[-1]
    assert device.cycles_per_channel(count) == count // device.config.lanes
    bench = BackwardBench(device, patience=4000, seed=seed)
    # Until the first statistics are there.
    bench.pause("i_x", 9)
    bench.pass_through(any_elements(device.config, seed, (count, count), CHANNELS, 0))
    bench.run()
    assert_a_beat_a_cycle(bench, "i_x")


def test_training(seed: int) -> None:
    """Forward with the running statistics, and backward as soon as the statistics are there."""
    count = 49
    config = Configuration(direction="training", width=8, counts=(count,), channels=CHANNELS)
    device = unit(config)
    assert device.cycles_per_channel(count) == count
    golden = Contract.from_parameters(config.to_mapping())
    rng = np.random.default_rng(seed)
    x, dy = (rng.integers(-128, 128, (CHANNELS, count)) for _ in range(2))
    gamma, beta = (rng.integers(-99, 99, CHANNELS) for _ in range(2))
    found = forward(golden, x, gamma, beta)
    result = backward(golden, x, dy, gamma, found)
    last = np.tile(np.arange(count) == count - 1, CHANNELS)
    bench = Bench(device, seed=seed, patience=4000)
    for stream, values in ("i", x), ("i_x", x), ("i_dy", dy):
        bench.send(stream, data=values.reshape(-1, 1), last=last)
    bench.send("i_affine", gamma=gamma, beta=beta)
    for stream, values in ("o", found.y), ("o_dx", result.dx):
        flags = np.ma.masked_array(np.zeros(last.size), mask=~last)
        bench.expect(stream, data=values.reshape(-1, 1), last=last, error=flags)
    bench.expect("o_gradients", dgamma=result.dgamma, dbeta=result.dbeta, error=[0] * CHANNELS)
    anything = np.ma.masked_all(CHANNELS, dtype=np.int64)
    bench.expect("o_averages", mean=anything, spread=anything)
    bench.run()
    for stream in ("o", "o_dx"):
        assert set(np.diff(bench.sinks[stream].taken).tolist()) == {1}


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_channels_shorter_than_that_wait(direction: str, seed: int) -> None:
    """By default a unit keeps up with as many cycles as a map of 7 x 7 takes, and is told what less costs."""
    config = Configuration(direction=direction, width=8, counts=(8,))
    assert config.interval == LEAST_INTERVAL
    device = unit(config)
    assert 8 < device.cycles_per_channel(8) <= LEAST_INTERVAL
    bench: UnitBench
    if direction == "forward":
        bench = ForwardBench(device, seed=seed)
        bench.pass_through(any_samples(config, seed, 8, 2 * CHANNELS, 0))
    else:
        bench = BackwardBench(device, patience=4000, seed=seed)
        bench.pass_through(any_elements(config, seed, (8, 8), 2 * CHANNELS, 0))
    bench.run()
    begins = np.array(bench.sinks["o"].taken)[::8]
    # A multiple of 2, 3, 4 and 6, because so many channels come out of operators in turns at equal distances.
    periods = np.diff(begins)[-12:]
    assert device.cycles_per_channel(8) - 1 < periods.mean() <= device.cycles_per_channel(8)


def test_long_channels_need_no_second_operator() -> None:
    for direction in ("forward", "backward"):
        device = unit(Configuration(direction=direction, counts=(1024,)))
        assert not any(isinstance(part, Turns) for part in parts(device))
