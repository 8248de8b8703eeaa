"""Accumulators against NumPy: sums, and the sums that a mean absolute deviation is made of."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from l1bn.beats.sums import DeviationSums, SumAccumulator
from l1bn_golden.integer import channel_sum
from l1bn_vectors.packets import packets

from ..bench import exercise
from ..edge_channels import channels
from .closing import check_closing

CASES = [
    # width, lanes, count, samples of the channels in turn
    (4, 1, 8, (8,)),
    (16, 1, 40, (40,)),
    (16, 4, 32, (32, 4, 16, 4, 4)),
    (32, 2, 24, (24, 2, 2, 2, 8)),
    (8, 8, 64, (8, 64)),
    (5, 1, 2, (2, 1, 1)),
]


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_sum(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    rows = channels(seed, width, counts)
    make = partial(SumAccumulator, width, lanes, count)
    expected = {"sum": [channel_sum(row[None])[0] for row in rows]}
    bench = exercise(make, {"i": packets(rows, lanes)}, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency)


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_deviation_sums(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    rows = channels(seed, width, counts)
    rng = np.random.default_rng(seed)
    # The floor of the mean, or any other floor.
    floors = [int(rng.choice([row.sum() // len(row), row.min(), row.max(), rng.choice(row)])) for row in rows]
    whole = [index % 3 != 0 for index in range(len(floors))]
    make = partial(DeviationSums, width, lanes, count)
    pairs = list(zip(rows, floors, strict=True))
    expected = {
        "absolute_sum": [np.abs(row - floor).sum() for row, floor in pairs],
        "score": [
            2 * (row > floor).sum() + is_whole * (row == floor).sum()
            for (row, floor), is_whole in zip(pairs, whole, strict=True)
        ],
    }
    inputs = {"i": packets(rows, lanes), "i_mean": {"floor": floors, "whole": whole}}
    bench = exercise(make, inputs, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency, takes_mean=True)
    # Means that are late: the first beat of a channel waits for its own.
    exercise(make, inputs, {"o": expected}, seed, pauses=[({"i_mean": 0.9}, 0.0)])
