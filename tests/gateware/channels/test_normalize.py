"""Leading-zero normalisation against shifting in Python."""

from __future__ import annotations

from functools import partial

import pytest

from l1bn.channels.normalize import Normalizer

from ..bench import FEW_PAUSES, exercise, periods, shuffled


@pytest.mark.parametrize(
    ("width", "radix_bits", "fraction"),
    [(2, 1, 0), (9, 1, 0), (33, 1, 0), (4, 2, 0), (26, 2, 0), (12, 3, 0), (9, 1, 7), (26, 1, 9), (20, 2, 6)],
)
def test_normalizer(width: int, radix_bits: int, fraction: int, seed: int) -> None:
    ends = [1 << bit for bit in range(width)]
    values = [value for value in shuffled(seed, width, False, 30) + ends if value >> fraction]
    values += [(1 << (fraction + 1)) - 1, 1 << fraction]
    zeros = [(width - value.bit_length()) // radix_bits for value in values]
    mantissas = [value << (radix_bits * places) for value, places in zip(values, zeros, strict=True)]
    make = partial(Normalizer, width, radix_bits, fraction)
    bench = exercise(
        make, {"i": {"value": values}}, {"o": {"mantissa": mantissas, "zeros": zeros}}, seed, FEW_PAUSES
    )
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == make().latency
    assert periods(bench.sources["i"].accepted) == {make().interval}


@pytest.mark.parametrize(("width", "radix_bits", "fraction"), [(1, 1, 0), (7, 2, 0), (2, 2, 0), (9, 1, 8)])
def test_impossible_width(width: int, radix_bits: int, fraction: int) -> None:
    with pytest.raises(ValueError, match=f"^width - fraction = {width - fraction} is not possible; allowed: "):
        Normalizer(width, radix_bits, fraction)


@pytest.mark.parametrize(("radix_bits", "fraction"), [(1, -1), (2, 3)])
def test_impossible_fraction(radix_bits: int, fraction: int) -> None:
    with pytest.raises(ValueError, match=f"^fraction = {fraction} is not possible; allowed: "):
        Normalizer(12 + fraction, radix_bits, fraction)
