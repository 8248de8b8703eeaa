"""Both dividers against Python's ``divmod``."""

from __future__ import annotations

import random
from functools import partial

import pytest

from l1bn.channels.quotient import IterativeDivider, PipelinedDivider
from l1bn.config import ConfigurationError
from l1bn_vectors.exercises import divider

from ..bench import FEW_PAUSES, PAUSES, Bench, exercise, periods

Make = partial[IterativeDivider | PipelinedDivider]

FORMS: list[Make] = [
    partial(IterativeDivider),
    partial(IterativeDivider, complement=True),
    partial(IterativeDivider, complement=True, ahead=1),
    partial(PipelinedDivider),
    partial(PipelinedDivider, stages=2),
]


def named(make: Make) -> str:
    return "-".join([make.func.__name__, *(f"{name}={value}" for name, value in make.keywords.items())])


def divided(make: Make, pairs: list[tuple[int, int]], seed: int) -> Bench:
    """Run pairs of dividend and divisor; where the quotient overflows nothing is expected but the flag."""
    built = make()
    widths = {name: getattr(built, name) for name in ("dividend_width", "divisor_width", "quotient_width")}
    traffic = divider(widths, *zip(*pairs, strict=True))
    pauses = FEW_PAUSES if make.func is IterativeDivider else PAUSES
    return exercise(make, traffic.inputs, traffic.outputs, seed, pauses)


def check(make: Make, seed: int) -> None:
    """Limits and random pairs, about half of them around a multiple of the divisor, and the time they take."""
    built = make()
    draw = random.Random(f"{seed}/{built.dividend_width}/{built.divisor_width}")
    largest = (1 << built.dividend_width) - 1, (1 << built.divisor_width) - 1
    pairs = [(largest[0], 1), largest, (0, 1), (0, largest[1]), (largest[0], 0), (1, largest[1])]
    for _ in range(24):
        divisor = draw.getrandbits(draw.randint(1, built.divisor_width))
        quotient = draw.getrandbits(draw.randint(1, built.quotient_width + 1))
        multiple = quotient * divisor + draw.choice((-1, 0, 0, divisor // 2))
        pairs.append((min(max(0, multiple), largest[0]), divisor))
    bench = divided(make, pairs, seed)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == built.latency
    assert periods(bench.sources["i"].accepted) == {
        built.interval if isinstance(built, IterativeDivider) else 1
    }


@pytest.mark.parametrize("make", FORMS, ids=named)
@pytest.mark.parametrize(
    ("dividend_width", "divisor_width", "quotient_width"),
    [
        (2, 2, None),
        (8, 8, None),
        (12, 5, None),
        (5, 12, None),
        (16, 8, 8),
        (9, 6, 3),
        (40, 20, 33),
        (2, 2, 1),
    ],
)
def test_divider(
    make: Make, dividend_width: int, divisor_width: int, quotient_width: int | None, seed: int
) -> None:
    check(partial(make, dividend_width, divisor_width, quotient_width), seed)


@pytest.mark.parametrize("ahead", [3, 7])
def test_ahead(ahead: int, seed: int) -> None:
    check(partial(IterativeDivider, 12, 8, ahead=ahead), seed)


@pytest.mark.parametrize("make", FORMS, ids=named)
def test_every_pair(make: Make, seed: int) -> None:
    pairs = [(dividend, divisor) for dividend in range(32) for divisor in range(8)]
    divided(partial(make, 5, 3, 3), pairs, seed)


@pytest.mark.parametrize("form", [IterativeDivider, PipelinedDivider])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("dividend_width", (1, 8)),
        ("divisor_width", (8, 129)),
        ("quotient_width", (8, 8, 0)),
        ("quotient_width", (16, 8, 7)),
        ("quotient_width", (8, 8, 9)),
    ],
)
def test_impossible_width(
    form: type[IterativeDivider | PipelinedDivider], name: str, arguments: tuple[int, ...]
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} = "):
        form(*arguments)


@pytest.mark.parametrize("ahead", [-1, 8])
def test_impossible_ahead(ahead: int) -> None:
    with pytest.raises(ConfigurationError, match=f"^ahead = {ahead} .* 0 to 7"):
        IterativeDivider(12, 8, ahead=ahead)


@pytest.mark.parametrize("stages", [0, 3])
def test_impossible_stages(stages: int) -> None:
    with pytest.raises(ConfigurationError, match=f"^stages = {stages} "):
        PipelinedDivider(8, 8, stages=stages)
