"""The sequential multiply-add against Python's integers."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest
from amaranth.hdl import Shape, signed, unsigned

from l1bn.channels.multiply import SequentialMultiplier

from ..bench import FEW_PAUSES, exercise, periods, shuffled

CASES = [
    (signed(5), unsigned(4), signed(5)),
    (signed(9), signed(6), signed(2)),
    (unsigned(7), signed(5), unsigned(7)),
    (unsigned(4), unsigned(3), signed(1)),
    (signed(3), signed(3), unsigned(2)),
    (signed(2), unsigned(1), signed(2)),
    (unsigned(16), signed(2), signed(17)),
    (unsigned(70), signed(38), signed(71)),
]


def edges(shape: Shape) -> list[int]:
    values = (
        (-1 << (shape.width - 1), (1 << (shape.width - 1)) - 1)
        if shape.signed
        else (0, (1 << shape.width) - 1)
    )
    return [*values, 0, -1] if shape.signed else list(values)


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize(("a_shape", "b_shape", "c_shape"), CASES)
def test_multiply_add(a_shape: Shape, b_shape: Shape, c_shape: Shape, subtract: bool, seed: int) -> None:
    items = list(product(edges(a_shape), edges(b_shape), edges(c_shape)))
    random = [shuffled(seed, shape.width, shape.signed, 20) for shape in (a_shape, b_shape, c_shape)]
    items += list(zip(*random, strict=True))
    a, b, c = zip(*items, strict=True)
    make = partial(SequentialMultiplier, a_shape, b_shape, c_shape, subtract=subtract)
    expected = [z - x * y if subtract else x * y + z for x, y, z in items]
    bench = exercise(make, {"i": {"a": a, "b": b, "c": c}}, {"o": {"value": expected}}, seed, FEW_PAUSES)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}


def test_c_must_not_be_wider_than_a() -> None:
    with pytest.raises(ValueError, match=r"^c_shape = "):
        SequentialMultiplier(signed(4), signed(4), unsigned(4))
