"""Both square roots against ``math.isqrt``."""

from __future__ import annotations

from functools import partial
from math import isqrt

import pytest

from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot

from ..bench import FEW_PAUSES, PAUSES, exercise, periods, shuffled

FORMS = [IterativeSquareRoot, PipelinedSquareRoot]


def radicands(seed: int, width: int) -> list[int]:
    """Squares, their lower neighbours, and anything else."""
    squares = [root * root for root in shuffled(seed, max(1, width // 2), False, 8)]
    around = [value for square in squares for value in (square - 1, square) if 0 <= value < 1 << width]
    return around + shuffled(seed, width, False, 14)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", [2, 3, 8, 15, 48, 64, 128])
def test_root(form: type[IterativeSquareRoot | PipelinedSquareRoot], width: int, seed: int) -> None:
    values = radicands(seed, width)
    make = partial(form, width)
    roots = [isqrt(value) for value in values]
    pauses = FEW_PAUSES if form is IterativeSquareRoot else PAUSES
    bench = exercise(make, {"i": {"value": values}}, {"o": {"value": roots}}, seed, pauses)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval if form is IterativeSquareRoot else 1}


@pytest.mark.parametrize(("width", "cycles"), [(2, 2), (3, 5), (16, 2), (21, 3), (48, 4), (128, 8)])
def test_more_cycles_a_digit(width: int, cycles: int, seed: int) -> None:
    """The time of a result is that of its digits, however many cycles each of them takes."""
    values = radicands(seed, width)[:12]
    make = partial(IterativeSquareRoot, width, cycles)
    outputs = {"o": {"value": [*map(isqrt, values)]}}
    bench = exercise(make, {"i": {"value": values}}, outputs, seed, FEW_PAUSES)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval} == {(width + 1) // 2 * cycles + 1}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", range(2, 8))
def test_every_radicand(form: type[IterativeSquareRoot | PipelinedSquareRoot], width: int, seed: int) -> None:
    values = list(range(1 << width))
    bench = exercise(
        partial(form, width), {"i": {"value": values}}, {"o": {"value": [*map(isqrt, values)]}}, seed
    )
    assert len(bench.sinks["o"].taken) == 1 << width


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", [0, 1, 129])
def test_impossible_width(form: type[IterativeSquareRoot | PipelinedSquareRoot], width: int) -> None:
    with pytest.raises(ValueError, match=f"^width = {width} is not possible; allowed: a whole number from 2 to 128$"):
        form(width)


@pytest.mark.parametrize("cycles", [0, 9])
def test_impossible_cycles(cycles: int) -> None:
    with pytest.raises(ValueError, match=f"^cycles = {cycles} is not possible; allowed: a whole number from 1 to 8$"):
        IterativeSquareRoot(16, cycles)
