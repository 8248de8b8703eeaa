"""Leading-zero normalisation against shifting in Python."""

from __future__ import annotations

from functools import partial

import pytest

from l1bn.operators.normalize import Normalizer

from ..bench import FEW_PAUSES, exercise, periods, shuffled


@pytest.mark.parametrize(("width", "radix_bits"), [(2, 1), (9, 1), (33, 1), (4, 2), (26, 2), (12, 3)])
def test_normalizer(width: int, radix_bits: int, seed: int) -> None:
    values = [value for value in shuffled(seed, width, False, 30) if value] + [
        1 << bit for bit in range(width)
    ]
    zeros = [(width - value.bit_length()) // radix_bits for value in values]
    mantissas = [value << (radix_bits * places) for value, places in zip(values, zeros, strict=True)]
    make = partial(Normalizer, width, radix_bits)
    bench = exercise(
        make, {"i": {"value": values}}, {"o": {"mantissa": mantissas, "zeros": zeros}}, seed, FEW_PAUSES
    )
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}


@pytest.mark.parametrize(("width", "radix_bits"), [(1, 1), (7, 2), (2, 2), (0, 1)])
def test_impossible_width(width: int, radix_bits: int) -> None:
    with pytest.raises(ValueError, match=f"^width = {width} is not possible; allowed: "):
        Normalizer(width, radix_bits)
