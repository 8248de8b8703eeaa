"""Both dividers against Python's ``divmod``."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import pytest

from l1bn.config import ConfigurationError
from l1bn.operators.quotient import IterativeDivider, PipelinedDivider

from ..bench import FEW_PAUSES, PAUSES, Bench, exercise, periods

FORMS = [IterativeDivider, PipelinedDivider]
Form = type[IterativeDivider | PipelinedDivider]


def divided(
    make: partial[IterativeDivider | PipelinedDivider], pairs: list[tuple[int, int]], seed: int
) -> Bench:
    """Run pairs of dividend and divisor; where the quotient overflows nothing is expected but the flag."""
    bits = make().quotient_width
    overflows = [not divisor or dividend // divisor >> bits > 0 for dividend, divisor in pairs]
    results = [(0, 0) if over else divmod(*pair) for pair, over in zip(pairs, overflows, strict=True)]
    quotients, remainders = zip(*results, strict=True)
    outputs = {
        "quotient": np.ma.masked_array(np.array(quotients, dtype=object), mask=overflows),
        "remainder": np.ma.masked_array(np.array(remainders, dtype=object), mask=overflows),
        "overflow": [int(over) for over in overflows],
    }
    dividends, divisors = zip(*pairs, strict=True)
    pauses = FEW_PAUSES if make.func is IterativeDivider else PAUSES
    return exercise(make, {"i": {"dividend": dividends, "divisor": divisors}}, {"o": outputs}, seed, pauses)


@pytest.mark.parametrize("form", FORMS)
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
@pytest.mark.parametrize("complement", [False, True])
def test_divider(
    form: Form,
    dividend_width: int,
    divisor_width: int,
    quotient_width: int | None,
    complement: bool,
    seed: int,
) -> None:
    draw = random.Random(f"{seed}/{dividend_width}/{divisor_width}")
    make = partial(form, dividend_width, divisor_width, quotient_width, complement)
    largest = (1 << dividend_width) - 1, (1 << divisor_width) - 1
    pairs = [(largest[0], 1), largest, (0, 1), (0, largest[1]), (largest[0], 0), (1, largest[1])]
    for _ in range(24):
        divisor = draw.getrandbits(draw.randint(1, divisor_width))
        quotient = draw.getrandbits(draw.randint(1, make().quotient_width + 1))
        multiple = quotient * divisor + draw.choice((-1, 0, 0, divisor // 2))
        pairs.append((min(max(0, multiple), largest[0]), divisor))
    bench = divided(make, pairs, seed)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval if form is IterativeDivider else 1}


@pytest.mark.parametrize("form", FORMS)
def test_every_pair(form: Form, seed: int) -> None:
    pairs = [(dividend, divisor) for dividend in range(32) for divisor in range(8)]
    divided(partial(form, 5, 3, 3), pairs, seed)


@pytest.mark.parametrize("form", FORMS)
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
def test_impossible(form: Form, name: str, arguments: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} = "):
        form(*arguments)
