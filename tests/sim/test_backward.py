"""Backward units under Verilator, see ``l1bn_sim.bench_backward``: a small sample that tells, and the long matrix."""

from __future__ import annotations

import itertools
import json

import pytest

from l1bn import generate
from l1bn.config import Configuration
from l1bn.units import unit
from l1bn_sim import cli
from l1bn_sim.design import Design, stream_ports
from l1bn_sim.runner import run_bench

EVERY_RUN = {
    "constant channel",
    "idle",
    "idle and stall",
    "late i stats",
    "long dy",
    "long x",
    "negative correlation",
    "negative gamma",
    "negative mean",
    "positive correlation",
    "r that is none",
    "saturated high",
    "saturated low",
    "short dy",
    "short x",
    "stall",
    "statistics in error",
    "ties at the mean",
    "zero gamma",
}
"""What a run has to hit."""

LONG = {"norm": "l1", "width": 8, "lanes": 4, "count": 1024}
"""Beats enough for all that happens once per channel."""

SAMPLE = [
    LONG,
    {"norm": "l1", "width": 12, "lanes": 4, "counts": [64, 36], "dy_width": 16, "storage": "outside"},
    {"norm": "l2", "width": 16, "lanes": 4, "count": 64, "storage": "outside"},
    {"norm": "l2", "width": 8, "lanes": 1, "counts": [50, 64], "dy_width": 10, "dx_width": 6},
]

MATRIX = [
    {"norm": norm, "width": width, "lanes": lanes, "counts": counts, "storage": storage}
    for norm, width, (lanes, counts), storage in itertools.product(
        ["l1", "l2"],
        [4, 8, 16, 32],
        [(1, [2]), (1, [7, 64, 500]), (2, [256]), (4, [36, 1000]), (16, [2048]), (64, [192])],
        ["inside", "outside"],
    )
]


def simulate(parameters, store, folder, seed):
    config = Configuration.from_mapping({"direction": "backward", **parameters})
    device = unit(config)
    outcome = run_bench(
        Design("unit", generate.verilog(device, "unit"), stream_ports(device)),
        "l1bn_sim.bench_backward",
        folder,
        store=store,
        seed=seed,
        parameters={
            "configuration": config.to_mapping(),
            "latency": [device.latency(count) for count in config.counts],
            "cycles_per_channel": [device.cycles_per_channel(count) for count in config.counts],
        },
    )
    return {name for name, times in outcome.result["coverage"].items() if times}


def name(parameters):
    values = (value if isinstance(value, list) else [value] for value in parameters.values())
    return "-".join("_".join(map(str, value)) for value in values)


@pytest.mark.parametrize("parameters", SAMPLE, ids=name)
def test_unit(parameters, store, tmp_path, seed):
    covered = simulate(parameters, store, tmp_path, seed)
    assert covered >= EVERY_RUN
    if parameters is LONG:
        assert "full throughput" in covered


@pytest.mark.slow
@pytest.mark.parametrize("parameters", MATRIX, ids=name)
def test_matrix(parameters, store, tmp_path, seed):
    simulate(parameters, store, tmp_path, seed)


def test_a_backward_run(output, capfd):
    unit = {"--direction": "backward", "--norm": "l2", "--width": "8", "--lanes": "4", "--count": "128"}
    options = [word for option in unit.items() for word in option] + ["--channels", "8"]
    assert cli.main(["run", "--output", str(output), *options]) == 0
    [row] = json.loads((output / "report.json").read_text())
    assert (row["norm"], row["direction"], row["width"], row["lanes"]) == ("l2", "backward", 8, 4)
    assert row["samples"] == (8 + 6) * 128
    assert row["mismatches"] == 0
    assert 0 < row["max_error_lsb"] < 0.62
    assert row["cycles_per_channel"] == row["predicted_cycles_per_channel"]
    assert "on the gradients of a training step" in capfd.readouterr().out
