"""Forward units under Verilator, see ``l1bn_sim.bench_forward``: a small sample that tells, and the long matrix."""

from __future__ import annotations

import itertools

import pytest

from l1bn.norms import NORMS

from .unit_runs import name, simulate, slow

EVERY_RUN = {
    "constant channel",
    "idle",
    "idle and stall",
    "long packet",
    "negative gamma",
    "negative mean",
    "saturated high",
    "saturated low",
    "short packet",
    "stall",
    "ties at the mean",
    "zero gamma",
}
"""What a run has to hit."""

ONE_BEAT = {"short packet", "idle and stall"}
"""What a channel of one beat cannot hit."""

LONG = {"norm": "l1", "width": 8, "lanes": 4, "count": 1024}
"""Beats enough for all that happens once per channel."""

SAMPLE = [
    LONG,
    {"norm": "l1", "width": 12, "lanes": 4, "counts": [64, 36, 4], "storage": "outside"},
    {"norm": "l1", "width": 8, "lanes": 16, "count": 16, "y_width": 6, "beta_width": 12, "gamma_width": 8},
    {"norm": "l1", "form": "one-pass", "width": 8, "lanes": 1, "count": 256, "channels": 1},
    {"norm": "l1", "form": "one-pass", "width": 8, "lanes": 2, "counts": [50, 64], "channels": 1, "storage": "outside"},
    {"norm": "l2", "form": "one-pass", "width": 16, "lanes": 4, "count": 512},
    {"norm": "l2", "form": "one-pass", "width": 8, "lanes": 2, "counts": [50, 64]},
    {"norm": "l2", "form": "two-pass", "width": 32, "lanes": 2, "count": 144, "scale_width": 24},
    {"norm": "range", "width": 16, "lanes": 1, "count": 64},
    {"norm": "rms", "width": 8, "lanes": 4, "counts": [48, 64]},
    {"norm": "mean-absolute", "width": 16, "lanes": 1, "counts": [50, 64], "storage": "outside"},
]

MORE = [
    {"norm": "l1", "width": 16, "lanes": 1, "count": 48},
    {"norm": "l1", "width": 4, "lanes": 2, "count": 64},
    {"norm": "l1", "width": 8, "lanes": 1, "count": 64, "guard_bits": 2, "epsilon": 0.5},
    {"norm": "l2", "form": "one-pass", "width": 8, "lanes": 1, "count": 64, "storage": "outside"},
    {"norm": "l2", "form": "two-pass", "width": 8, "lanes": 1, "count": 128},
]
"""Of the same kinds: these wait to be asked for."""

MATRIX = [
    {
        **{"norm": norm, "form": form, "width": width, "lanes": lanes, "counts": counts, "storage": storage},
        "channels": 1,  # where means are guessed, so that guesses are good
    }
    for (norm, form), width, (lanes, counts), storage in itertools.product(
        [(norm.name, form) for norm in NORMS.values() for form in norm.forms],
        [4, 8, 12, 16, 24, 32],
        [(1, [2]), (1, [7, 64, 500]), (2, [256]), (4, [36, 1000]), (16, [16, 2048]), (64, [192])],
        ["inside", "outside"],
    )
]


@pytest.mark.parametrize("parameters", [*SAMPLE, *slow(MORE)], ids=name)
def test_unit(parameters, store, tmp_path, seed):
    covered = simulate(parameters, store, tmp_path, seed)
    counts = parameters.get("counts", [parameters.get("count")])
    impossible = ONE_BEAT if counts == [parameters["lanes"]] else set()
    impossible |= set() if NORMS[parameters["norm"]].centred else {"negative mean"}
    assert covered >= EVERY_RUN - impossible
    if parameters is LONG:
        assert "full throughput" in covered


@pytest.mark.slow
@pytest.mark.parametrize("parameters", MATRIX, ids=name)
def test_matrix(parameters, store, tmp_path, seed):
    simulate(parameters, store, tmp_path, seed)
