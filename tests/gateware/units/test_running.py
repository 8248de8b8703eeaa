"""Running statistics and inference against the golden model: every average, every output bit, every fold."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from l1bn.channels.turns import ALONE
from l1bn.config import Configuration, ConfigurationError
from l1bn.numbers.running_formats import InferenceFormats
from l1bn.units.inference import InferenceBatchNorm
from l1bn.units.running import RunningStatistics
from l1bn_golden import Contract, forward
from l1bn_golden.running import Running, fold, inference, running_start, running_update

from ..bench import FEW_PAUSES, Bench, exercise, periods, shuffled
from ..edge_channels import channels

CASES: dict[str, dict[str, Any]] = {
    "l1": {"width": 8, "counts": (16,)},
    "l2": {"norm": "l2", "width": 8, "counts": (12, 16), "momentum_shift": 1},
    "coarse spread": {"width": 6, "counts": (8,), "lanes": 4, "running_fraction": 0, "momentum_shift": 15},
    "fine spread": {"width": 16, "counts": (4,), "running_fraction": 20, "scale_width": 12, "beta_width": 9},
    "without epsilon": {
        "norm": "l2",
        "width": 6,
        "counts": (8,),
        "lanes": 2,
        "epsilon": 0.0,
        "x_fraction": 0,
    },
}
CHANNELS = 3


def contract(config: Configuration) -> Contract:
    return Contract.from_parameters(config.to_mapping())


def accesses(config: Configuration, seed: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Accesses to the averages of some channels, from real statistics and the largest, and what they read."""
    golden = contract(config)
    rng = np.random.default_rng(seed)
    rows = channels(seed, config.width, config.counts[:1])
    running = running_start(CHANNELS)
    sent: dict[str, list[int]] = {}
    read: dict[str, list[int]] = {"mean": [], "spread": []}
    half = 1 << (golden.momentum_shift - 1)
    for index, row in enumerate(rows * 2):
        channel, update, error = index % CHANNELS, index % 5 != 3, index % 7 == 6
        found = forward(golden, row[None], 0, 0)
        given = {name: int(getattr(found, name)[0]) for name in ("mean", "r_mantissa", "r_exponent")}
        if index % 6 == 5:
            given["r_exponent"] = int(rng.integers(golden.r_exponents[0], golden.r_exponents[-1] + 1))
            given["mean"] = -(1 << (golden.width + golden.G - 1))
        for name, value in {"channel": channel, "update": update, "error": error, **given}.items():
            sent.setdefault(name, []).append(int(value))
        if update and not error:
            one = Running(running.mean[channel : channel + 1], running.spread[channel : channel + 1])
            statistics = SimpleNamespace(
                **{name: np.array([value], dtype=object) for name, value in given.items()}
            )
            moved = running_update(golden, one, statistics)
            running.mean[channel], running.spread[channel] = moved.mean[0], moved.spread[0]
        read["mean"].append((running.mean[channel] + half) >> golden.momentum_shift)
        read["spread"].append((running.spread[channel] + half) >> golden.momentum_shift)
    return sent, read


@pytest.mark.parametrize("name", CASES)
def test_running_statistics(name: str, seed: int) -> None:
    config = Configuration(**CASES[name])
    sent, read = accesses(config, seed)
    device = RunningStatistics(config, CHANNELS)
    bench = exercise(lambda: RunningStatistics(config, CHANNELS), {"i": sent}, {"o": read}, seed, FEW_PAUSES)
    accepted, taken = bench.sources["i"].accepted, bench.sinks["o"].taken
    assert {after - before for before, after in zip(accepted, taken, strict=True)} == {device.latency}
    assert periods(accepted) == {device.interval}


@pytest.mark.parametrize("number", [0, (1 << 16) + 1])
def test_channels_out_of_range(number: int) -> None:
    with pytest.raises(ConfigurationError, match=f"channels = {number} is not possible; allowed: 1 to 65536"):
        RunningStatistics(Configuration(), number)


def some_averages(config: Configuration, seed: int, number: int) -> dict[str, list[int]]:
    """Averages at the ends of their ranges and between them."""
    formats = InferenceFormats(config)
    largest = 1 << (formats.config.width + formats.running_fraction)
    spreads = [min(value, largest) for value in shuffled(seed, formats.running_spread_width, False, number)]
    return {"mean": shuffled(seed, formats.mean_width, True, number), "spread": spreads}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("paused", [False, True])
def test_inference(name: str, paused: bool, seed: int) -> None:
    """Every y and every fold; packets of wrong length are marked; latency and throughput are as stated.

    With pauses there are several of what works once a channel, as many as the default asks for; without, one of each.
    """
    config = Configuration(**CASES[name] if paused else {**CASES[name], "interval": ALONE})
    golden, device = contract(config), InferenceBatchNorm(config)
    rate = 0.3 if paused else 0.0
    bench = Bench(device, idle=rate, stall=rate, seed=seed)
    rows = channels(seed, config.width, config.counts)
    found = some_averages(config, seed, len(rows))
    gammas = shuffled(seed, config.gamma_width, True, len(rows))
    betas = shuffled(seed, config.beta_width, True, len(rows))
    bench.send("i_averages", **found)
    bench.send("i_affine", gamma=gammas, beta=betas)
    bench.pause("i", device.wait + 5)
    for index, row in enumerate(rows):
        select = index % len(config.counts)
        wrong = paused and index % 4 == 3
        sent = row[: -config.lanes] if wrong and len(row) > config.lanes else row
        averages = [
            np.array([found[key][index] << golden.momentum_shift], dtype=object) for key in ("mean", "spread")
        ]
        running = Running(*averages)
        error = len(sent) != len(row)
        filled = np.where(np.arange(len(row)) < len(sent), row, 0)
        result = inference(golden, filled[None], running, gammas[index], betas[index])
        bench.send_packet("i", sent.reshape(-1, config.lanes), select)
        bench.expect_packet("o", result.y.reshape(-1, config.lanes), error)
        folded = fold(golden, running, gammas[index], betas[index])
        bench.expect(
            "o_fold",
            scale=np.abs(folded.scale),
            negative=result.negative,
            shift=folded.shift,
            b=folded.bias,
        )
    bench.run()
    if not paused:
        taken, accepted = bench.sinks["o"].taken, bench.sources["i"].accepted
        assert taken[0] - accepted[0] == device.latency(config.counts[0])
        ends = np.cumsum([len(row) // config.lanes for row in rows])
        starts = [taken[end] for end in ends[:-1]]
        if len(config.counts) == 1:
            assert {after - before for before, after in pairwise(starts[-4:])} == {
                device.cycles_per_channel(config.counts[0])
            }
