"""From the integer of a spread to the mantissa of r, against the golden model."""

from __future__ import annotations

import random
from functools import partial
from math import isqrt

import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from l1bn.channels.magnitude import DividedMagnitude, Magnitude, RootMagnitude
from l1bn_golden.integer import divide_by_count, normalize
from l1bn_golden.rounding import odd_part, shift_floor

from ..bench import FEW_PAUSES, Bench, exercise, periods, shuffled

TAG = data.StructLayout({"note": signed(5), "select": unsigned(2)})


def values(seed: int, width: int) -> list[int]:
    return [value for value in shuffled(seed, width, False, 24) if value] + [1 << bit for bit in range(width)]


def notes(seed: int, length: int) -> list[int]:
    draw = random.Random(seed)
    return [draw.randint(-16, 15) for _ in range(length)]


def check_held(bench: Bench, device: Magnitude | RootMagnitude) -> None:
    """The integer leaves with its result, ``latency`` cycles after it was first offered."""
    taken = bench.sinks["o"].taken
    assert taken == bench.sources["i"].accepted
    assert taken[0] == 1 + device.latency
    assert periods(taken) == {device.interval}


@pytest.mark.parametrize(("width", "mantissa_width"), [(9, 4), (6, 11), (30, 22), (8, 8)])
def test_magnitude(width: int, mantissa_width: int, seed: int) -> None:
    items = values(seed, width)
    tags = {"tag_note": notes(seed, len(items)), "tag_select": [index % 4 for index in range(len(items))]}
    make = partial(Magnitude, width, mantissa_width, TAG)
    expected = {
        "mantissa": [normalize(value, 0, mantissa_width)[0] for value in items],
        "zeros": [width - value.bit_length() for value in items],
        **tags,
    }
    bench = exercise(make, {"i": {"value": items, **tags}}, {"o": expected}, seed, FEW_PAUSES)
    check_held(bench, make())


@pytest.mark.parametrize(("width", "mantissa_width"), [(8, 4), (6, 14), (34, 22), (14, 7)])
def test_root(width: int, mantissa_width: int, seed: int) -> None:
    items = values(seed, width)
    tags = {"tag_note": notes(seed, len(items)), "tag_select": [index % 4 for index in range(len(items))]}
    zeros = [(width - value.bit_length()) // 2 for value in items]
    make = partial(RootMagnitude, width, mantissa_width, TAG)
    expected = {
        "mantissa": [
            isqrt(shift_floor(value, 2 * pairs + 2 * mantissa_width - width))
            for value, pairs in zip(items, zeros, strict=True)
        ],
        "zeros": zeros,
        **tags,
    }
    bench = exercise(make, {"i": {"value": items, **tags}}, {"o": expected}, seed, FEW_PAUSES)
    check_held(bench, make())


@pytest.mark.parametrize(
    ("width", "fraction", "counts", "mantissa_width"),
    [(9, 4, (12, 16, 7, 5), 8), (24, 7, (96, 100, 64), 22), (20, 3, (6, 6, 6, 6), 24)],
)
def test_divided(width: int, fraction: int, counts: tuple[int, ...], mantissa_width: int, seed: int) -> None:
    # A quotient that is not 0 is the caller's promise.
    items = [value for value in values(seed, width) if value << fraction >= max(counts)]
    selects = [index % len(counts) for index in range(len(items))]
    tags = {"tag_note": notes(seed, len(items)), "tag_select": selects}
    quotients = [
        divide_by_count(value, fraction, odd_part(counts[select])[0])
        for value, select in zip(items, selects, strict=True)
    ]
    make = partial(DividedMagnitude, width, fraction, counts, mantissa_width, TAG)
    expected = {
        "mantissa": [normalize(value, 0, mantissa_width)[0] for value in quotients],
        "zeros": [width + fraction - value.bit_length() for value in quotients],
        **tags,
    }
    bench = exercise(make, {"i": {"value": items, **tags}}, {"o": expected}, seed, FEW_PAUSES)
    device, taken = make(), bench.sinks["o"].taken
    assert taken[0] == 1 + device.latency
    assert periods(taken[1:]) == {device.interval}
