"""A component that cannot be built says so in one line, where it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import signed

from l1bn.beats.deviation import SignAbsAccumulator
from l1bn.beats.extremes import ExtremesAccumulator
from l1bn.beats.gradient_sums import GradientSums
from l1bn.beats.squares import CentredSquareAccumulator, SquareAccumulator
from l1bn.beats.sums import DeviationSums, SumAccumulator
from l1bn.channels.divide import DivideByConstant, DivideByCount
from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot
from l1bn.errors import ConfigurationError
from l1bn.primitives import primitives
from l1bn.streams.guard import PacketGuard
from l1bn.streams.registers import SampleBuffer

LANES = "lanes = 3 is not possible; allowed: a power of two"
COUNT = "count = 9 is not possible; allowed: a multiple of lanes = 2"
TARGET = "target = 'xilinx' is not possible; allowed: portable, logic, ecp5, ecp5-logic, ice40"


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (SumAccumulator, (8, 3, 9), LANES),
        (SumAccumulator, (8, 2, 9), COUNT),
        (SumAccumulator, (0, 1, 8), "width = 0 is not possible; allowed: a whole number from 1 to 128"),
        (SumAccumulator, (8, 1, 0), "count = 0 is not possible; allowed: a whole number from 1 to 1048576"),
        (SumAccumulator, (8, True, 8), "lanes = True is not possible; allowed: a whole number from 1 to 64"),
        (DeviationSums, (8, 3, 9), LANES),
        (ExtremesAccumulator, (8, 3, 9), LANES),
        (ExtremesAccumulator, (8, 2, 9), COUNT),
        (SquareAccumulator, (8, 2, 9), COUNT),
        (SquareAccumulator, (8, 1, 8, "xilinx"), TARGET),
        (CentredSquareAccumulator, (8, 3, 9), LANES),
        (GradientSums, (8, 8, 2, 9), COUNT),
        (GradientSums, (8, -1, 1, 8), "gradient_width = -1 is not possible; allowed: a whole number from 1 to 128"),
        (SignAbsAccumulator, (8, 2, [9], 4), COUNT),
        (SignAbsAccumulator, (8, 1, [], 4), "counts = () is not possible; allowed: one or more whole numbers"),
        (SignAbsAccumulator, (8, 1, [8], -1), "guard_bits = -1 is not possible; allowed: a whole number from 0 to 64"),
        (SignAbsAccumulator, (8, 1, [8], 3, [1, 2]), "offsets = (1, 2) is not possible; allowed: one for each"),
        (DivideByConstant, (1, 0, 3), "width = 1 is not possible; allowed: a whole number from 2 to 128"),
        (DivideByConstant, (8, 0, 0), "count = 0 is not possible; allowed: a whole number from 1 to 1048576"),
        (DivideByCount, (8, 0, ()), "counts = () is not possible; allowed: one or more whole numbers"),
        (IterativeSquareRoot, (1,), "width = 1 is not possible; allowed: a whole number from 2 to 128"),
        (IterativeSquareRoot, (8, 9), "cycles = 9 is not possible; allowed: a whole number from 1 to 8"),
        (PipelinedSquareRoot, (999,), "width = 999 is not possible; allowed: a whole number from 2 to 128"),
        (SampleBuffer, (signed(8), -3), "beats = -3 is not possible; allowed: a whole number from 1 to 2097152"),
        (PacketGuard, (8, 3, [4]), LANES),
        (PacketGuard, (8, 1, []), "counts = () is not possible; allowed: one or more whole numbers"),
        (PacketGuard, (8, 1, [4], 0), "sendings = 0 is not possible; allowed: a whole number from 1 to 3"),
        (primitives, ("xilinx",), TARGET),
    ],
)
def test_what_cannot_be_built_is_refused(make: Callable[..., Any], arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make(*arguments)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
