"""Sign-abs accumulation against the definition of the mean absolute deviation."""

from __future__ import annotations

from functools import partial
from itertools import cycle

import numpy as np
import pytest

from l1bn.beats.deviation import SignAbsAccumulator
from l1bn_golden.integer import channel_sum, divide_by_count, sign_abs
from l1bn_vectors.packets import packets

from ..bench import exercise
from ..edge_channels import channels
from .closing import check_closing

CASES = [
    # width, lanes, counts, guard bits, epsilons
    (4, 1, (8,), 3, None),
    (16, 2, (32, 8, 4), 5, (3, 2, 1)),
    (8, 4, (12, 20, 4), 21, (7, 1 << 25, 0)),
    (32, 1, (6, 7), 45, None),
    (12, 8, (48,), 0, (5,)),
    (6, 1, (2,), 1, (1 << 7,)),
    (7, 1, (9, 3), 64, (1, 1)),
]


@pytest.mark.parametrize(("width", "lanes", "counts", "guard_bits", "epsilons"), CASES)
def test_sign_abs(
    width: int,
    lanes: int,
    counts: tuple[int, ...],
    guard_bits: int,
    epsilons: tuple[int, ...] | None,
    seed: int,
) -> None:
    rows = channels(seed, width, counts)
    selects = [select for select, _ in zip(cycle(range(len(counts))), rows, strict=False)]
    sums = [channel_sum(row[None])[0] for row in rows]
    means = [divide_by_count(total, guard_bits, len(row)) for total, row in zip(sums, rows, strict=True)]
    # The identity holds for any mean; some are anywhere in the range, some equal a sample.
    draw = np.random.default_rng(seed)
    for index in range(0, len(rows), 3):
        sample = int(draw.choice(rows[index]))
        below = int(draw.integers(0, 1 << min(guard_bits, 62)))
        means[index] = (sample << guard_bits) + (below if index % 2 else 0)
    offsets = epsilons or [0] * len(counts)
    found = [sign_abs(row[None], [mean], guard_bits) for row, mean in zip(rows, means, strict=True)]
    expected = {
        "deviation": [
            deviation[0] + offsets[select] for (deviation, _), select in zip(found, selects, strict=True)
        ],
        "sign_count": [signs[0] for _, signs in found],
        "select": selects,
    }
    make = partial(SignAbsAccumulator, width, lanes, counts, guard_bits, epsilons)
    inputs = {"i": packets(rows, lanes), "i_mean": {"mean": means, "select": selects}}
    bench = exercise(make, inputs, {"o": expected}, seed)
    check_closing(bench, rows, lanes, make().latency, takes_mean=True)
