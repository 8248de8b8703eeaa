"""Backward units under Verilator, see ``l1bn_sim.bench_backward``: a small sample that tells, and the long matrix."""

from __future__ import annotations

import itertools
import json
import math

import pytest

from l1bn.norms import NORMS
from l1bn_sim import cli

from .unit_runs import name, simulate, slow

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

BACKWARD = {"direction": "backward"}

LONG = {"norm": "l1", "width": 8, "lanes": 4, "count": 1024}
"""Beats enough for all that happens once per channel."""

SAMPLE = [
    LONG,
    {"norm": "l1", "width": 12, "lanes": 4, "counts": [64, 36], "dy_width": 16, "storage": "outside"},
    {"norm": "l2", "width": 8, "lanes": 1, "counts": [50, 64], "dy_width": 10, "dx_width": 6},
    {"norm": "range", "width": 8, "lanes": 4, "counts": [48, 64]},
    {"norm": "rms", "width": 8, "lanes": 1, "counts": [50, 64], "dy_width": 10, "dx_width": 6},
    {"norm": "mean-absolute", "width": 16, "lanes": 4, "count": 64, "storage": "outside"},
]

MORE = [
    {"norm": "l2", "width": 16, "lanes": 4, "count": 64, "storage": "outside"},
]
"""Of the same kinds: these wait to be asked for."""

MATRIX = [
    {"norm": norm, "width": width, "lanes": lanes, "counts": counts, "storage": storage}
    for norm, width, (lanes, counts), storage in itertools.product(
        sorted(NORMS),
        [4, 8, 16, 32],
        [(1, [2]), (1, [7, 64, 500]), (2, [256]), (4, [36, 1000]), (16, [2048]), (64, [192])],
        ["inside", "outside"],
    )
]


def impossible(norm: str) -> set[str]:
    """What no run of a norm can hit."""
    return set() if NORMS[norm].centred else {"negative mean"}


@pytest.mark.parametrize("parameters", [*SAMPLE, *slow(MORE)], ids=name)
def test_unit(parameters, store, tmp_path, seed):
    covered = simulate({**BACKWARD, **parameters}, store, tmp_path, seed)
    assert covered >= EVERY_RUN - impossible(parameters["norm"])
    if parameters is LONG:
        assert "full throughput" in covered


@pytest.mark.slow
@pytest.mark.parametrize("parameters", MATRIX, ids=name)
def test_matrix(parameters, store, tmp_path, seed):
    simulate({**BACKWARD, **parameters}, store, tmp_path, seed)


def test_a_backward_run(output, capfd):
    unit = {"--direction": "backward", "--norm": "l2", "--width": "8", "--lanes": "4", "--count": "128"}
    options = [word for option in unit.items() for word in option] + ["--channels", "24"]
    assert cli.main(["run", "--output", str(output), *options]) == 0
    [row] = json.loads((output / "report.json").read_text())
    assert (row["norm"], row["direction"], row["width"], row["lanes"]) == ("l2", "backward", 8, 4)
    assert row["samples"] == (24 + 6) * 128
    assert row["mismatches"] == 0
    assert 0 < row["max_error_lsb"] < 0.62
    # Operators in turns: on average over their rounds.
    assert math.ceil(row["cycles_per_channel"]) == row["predicted_cycles_per_channel"] < 64
    assert "on the gradients of a training step" in " ".join(capfd.readouterr().out.split())
