"""Sums of squares against NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from l1bn.beats.squares import CentredSquareAccumulator, SquareAccumulator
from l1bn_golden.integer import centred_square_sum, square_sum
from l1bn_vectors.packets import packets

from ..bench import exercise
from ..edge_channels import channels
from .closing import check_closing

CASES = [
    # width, lanes, count, samples of the channels in turn
    (4, 1, 8, (8,)),
    (16, 4, 32, (32, 4, 8, 4)),
    (32, 2, 10, (10, 2, 2, 6)),
    (9, 8, 48, (48, 8)),
    (5, 1, 3, (3, 1, 1, 2)),
]


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_squares(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    rows = channels(seed, width, counts)
    make = partial(SquareAccumulator, width, lanes, count)
    expected = {"square_sum": [square_sum(row[None])[0] for row in rows]}
    bench = exercise(make, {"i": packets(rows, lanes)}, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency)


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_centred_squares(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    rows = channels(seed, width, counts)
    floors = [int(np.floor_divide(row.sum(), len(row))) for row in rows]
    pairs = list(zip(rows, floors, strict=True))
    make = partial(CentredSquareAccumulator, width, lanes, count)
    expected = {
        "square_sum": [centred_square_sum(row[None], [floor])[0] for row, floor in pairs],
        "centred_sum": [int(row.sum()) - floor * len(row) for row, floor in pairs],
    }
    inputs = {"i": packets(rows, lanes), "i_floor": {"value": floors}}
    bench = exercise(make, inputs, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency, takes_mean=True)
