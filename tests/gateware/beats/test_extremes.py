"""The extremes of a channel against NumPy, at every width and number of lanes, in short channels too."""

from __future__ import annotations

from functools import partial

import pytest

from l1bn.beats.extremes import ExtremesAccumulator
from l1bn_vectors.packets import packets

from ..bench import exercise
from ..edge_channels import channels
from .closing import check_closing
from .test_sums import CASES


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_extremes(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    rows = channels(seed, width, counts)
    make = partial(ExtremesAccumulator, width, lanes, count)
    expected = {"maximum": [row.max() for row in rows], "minimum": [row.min() for row in rows]}
    bench = exercise(make, {"i": packets(rows, lanes)}, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency)
