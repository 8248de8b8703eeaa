"""The scale of a channel and its offset, against the golden model."""

from __future__ import annotations

import random
from functools import partial

import pytest

from l1bn.channels.scale import Offset, Scale
from l1bn.numbers.formats import Formats
from l1bn_golden.integer import bias, scale

from ..bench import FEW_PAUSES, exercise, periods, shuffled
from ..contracts import CONFIGURATIONS, contract, spreads

ITEMS = 24


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_scale(name: str, seed: int) -> None:
    configuration = CONFIGURATIONS[name]
    golden = contract(configuration)
    draw = random.Random(seed)
    found = spreads(golden, draw, ITEMS)
    gammas = shuffled(seed, golden.gamma_width, True, ITEMS)
    # The smallest and the largest spread meet the extreme gammas, too.
    low = -(1 << (golden.gamma_width - 1))
    found += [found[index] for index in (0, 0, 0, 0, 1, 1, 1, 1)]
    gammas += [low, ~low, 0, 1] * 2
    # Quotients just below a power of two, which they are rounded up to.
    half = 1 << (golden.T - 1)
    found += [(half + step, found[0][1]) for step in range(4)]
    gammas += [1] * 4
    mantissas, exponents = zip(*found, strict=True)
    expected = [scale(golden, gamma, *spread) for gamma, spread in zip(gammas, found, strict=True)]
    k, shifts, negatives = zip(*expected, strict=True)
    make = partial(Scale, Formats(configuration).scale)
    bench = exercise(
        make,
        {"i": {"gamma": gammas, "r_mantissa": mantissas, "r_exponent": exponents}},
        {"o": {"scale": k, "shift": shifts, "negative": negatives}},
        seed,
        FEW_PAUSES,
    )
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_offset(name: str, seed: int) -> None:
    configuration = CONFIGURATIONS[name]
    golden = contract(configuration)
    draw = random.Random(seed)
    means = shuffled(seed, golden.width + golden.G, True, ITEMS)
    scales = shuffled(seed + 1, golden.scale_width, False, ITEMS)
    negatives = [draw.random() < 0.5 for _ in means]
    # Where the result is not complemented later, what is subtracted is the complement of the constant.
    expected = [
        constant if negative else ~constant
        for negative, constant in (
            (negative, bias(golden, k, negative, mean))
            for k, negative, mean in zip(scales, negatives, means, strict=True)
        )
    ]
    make = partial(Offset, Formats(configuration).scale)
    inputs = {"i": {"mean": means, "scale": scales, "negative": negatives}}
    bench = exercise(make, inputs, {"o": {"value": expected}}, seed, FEW_PAUSES)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}
