"""n^2 times the variance against its definition."""

from __future__ import annotations

from functools import partial
from itertools import cycle

import numpy as np
import pytest

from l1bn.channels.variance import Variance
from l1bn.config import Configuration
from l1bn.norms.l2 import square_sum_width
from l1bn.numbers.formats import Formats
from l1bn_golden.integer import centred_square_sum, square_sum

from ..bench import FEW_PAUSES, exercise, periods
from ..edge_channels import channels

CASES = [
    (4, (8,)),
    (16, (32, 8, 4)),
    (8, (12, 20, 4)),
    (32, (6, 7)),
    (12, (48,)),
    (6, (2,)),
    (32, (1 << 20,)),
]


@pytest.mark.parametrize("form", ["one-pass", "two-pass"])
@pytest.mark.parametrize(("width", "counts"), CASES)
@pytest.mark.parametrize("epsilon", [0.0, 1.0])
def test_variance(form: str, width: int, counts: tuple[int, ...], epsilon: float, seed: int) -> None:
    formats = Formats(Configuration(norm="l2", form=form, width=width, counts=counts, epsilon=epsilon))
    rows = channels(seed, width, counts if max(counts) < 1000 else [64])
    selects = [select for select, _ in zip(cycle(range(len(counts))), rows, strict=False)]
    squares, sums, expected = [], [], []
    for row, select in zip(rows, selects, strict=True):
        # A long channel repeats a short one, so its sums are multiples.
        times = counts[select] // len(row)
        floor = int(row.sum() // len(row)) if form == "two-pass" else 0
        squares.append(
            (centred_square_sum(row[None], [floor]) if floor else square_sum(row[None]))[0] * times
        )
        sums.append((int(row.sum()) - floor * len(row)) * times)
        centred = len(row) * row.astype(object) - int(row.sum())
        expected.append(int((centred**2).sum()) // len(row) * times**2 + formats.epsilon_wholes[select])
    sum_width = formats.sum_width if form == "one-pass" else formats.count_bits + 2
    make = partial(
        Variance, square_sum_width(formats), sum_width, counts, formats.epsilon_wholes, formats.spread_width
    )
    inputs = {"i": {"square_sum": squares, "sum": sums, "select": selects}}
    bench = exercise(make, inputs, {"o": {"variance": expected, "select": selects}}, seed, FEW_PAUSES)
    device = make()
    taken, accepted = bench.sinks["o"].taken, bench.sources["i"].accepted
    # The operands are held until the result leaves: both sides move in the same cycle.
    assert taken == accepted
    assert periods(taken) == {device.latency + 1}
    assert np.all(np.array(expected) >= (epsilon > 0))
