"""The packet guard against its contract, told in Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from l1bn.streams.guard import PacketGuard
from l1bn_vectors.packets import packets

from ..bench import exercise, periods
from ..edge_channels import Samples

CASES = [
    # width, lanes, beats of a packet, passes
    (8, 1, (5,), 1),
    (8, 2, (1,), 1),
    (4, 4, (2,), 3),
    (16, 1, (1, 7, 2), 1),
    (6, 2, (4, 1, 3, 2, 6), 2),
    (5, 1, (8, 3), 3),
]


def guarded(rows: Sequence[Samples], beats: Sequence[int], lanes: int) -> tuple[list[Samples], list[bool]]:
    """Each packet cut or filled up with zeros, and whether it had to be."""
    right, errors = [], []
    for row, count in zip(rows, beats, strict=True):
        samples = count * lanes
        right.append(np.concatenate([row[:samples], np.zeros(max(0, samples - len(row)), dtype=row.dtype)]))
        errors.append(len(row) != samples)
    return right, errors


def traffic(
    seed: int, lanes: int, beats: Sequence[int], passes: int, exact: bool
) -> tuple[list[int], list[int]]:
    """The index of each packet's length, and the length that it really has."""
    draw = random.Random(seed)
    selects, lengths = [], []
    orders = [
        *product(range(len(beats)), ("right", "short", "right", "long", "right", "one beat", "very long"))
    ]
    for select, kind in orders * 2 if len(beats) < 4 else orders:
        for _ in range(passes):
            count = beats[select]
            wrong = not exact and (kind != "right") and draw.random() < 0.8
            choices = {
                "short": draw.randint(1, max(1, count - 1)),
                "long": count + draw.randint(1, count + 2),
                "one beat": 1,
                "very long": 3 * count + 1,
            }
            selects.append(select)
            lengths.append(choices[kind] if wrong else count)
    return selects, lengths


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("width", "lanes", "beats", "passes"), CASES)
def test_guard(width: int, lanes: int, beats: tuple[int, ...], passes: int, exact: bool, seed: int) -> None:
    selects, lengths = traffic(seed, lanes, beats, passes, exact)
    rng = np.random.default_rng(seed)
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    rows = [rng.integers(low, high, length * lanes) for length in lengths]
    right, errors = guarded(rows, [beats[select] for select in selects], lanes)
    # What the producer says after the first beat of a channel is of no interest.
    told = [rng.integers(0, len(beats), length) for length in lengths]
    for index in range(0, len(told), passes):
        told[index][0] = selects[index]
    expected: dict[str, Any] = packets(right, lanes)
    last, of_packet = expected["last"], np.repeat(np.arange(len(right)), [len(row) // lanes for row in right])
    expected["data"] = expected["data"] & ((1 << width) - 1)
    expected["error"] = np.ma.masked_array(np.array(errors)[of_packet], mask=~last)
    expected["select"] = np.array(selects)[of_packet]
    expected["number"] = of_packet % passes
    bench = exercise(
        partial(PacketGuard, width, lanes, beats, passes),
        {"i": {**packets(rows, lanes), "select": np.concatenate(told)}},
        {"o": expected},
        seed,
    )
    if exact:
        assert periods(bench.sources["i"].accepted) == {1}
        assert set(np.subtract(bench.sinks["o"].taken, bench.sources["i"].accepted)) == {PacketGuard.latency}
