"""The rounded difference of two signed numbers, also of the greatest."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction
from typing import Any

import pytest
from amaranth.hdl import Module, Shape, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from l1bn.logic.subtract import ROUNDED_STAGES, rounded_difference

from ..bench import run_testbench


class Device(wiring.Component):
    """The difference as a component."""

    def __init__(self, a_shape: Shape, b_shape: Shape, fraction: int):
        self.fraction = fraction
        super().__init__({"a": In(a_shape), "b": In(b_shape), "enable": In(1), "o": Out(signed(80))})

    def elaborate(self, platform: object) -> Module:
        m = Module()

        def stage(value: Value) -> Signal:
            held = Signal(value.shape(), reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(value)
            return held

        m.d.comb += self.o.eq(rounded_difference(stage, self.a, self.b, self.fraction))
        return m


@pytest.mark.parametrize(
    ("a_width", "b_width", "fraction"), [(8, 8, 1), (9, 16, 6), (35, 47, 6), (63, 20, 6), (14, 13, 3)]
)
def test_rounded_difference(a_width: int, b_width: int, fraction: int, seed: int) -> None:
    draw = random.Random(f"{seed}/{a_width}/{b_width}/{fraction}")
    device = Device(signed(a_width), signed(b_width), fraction)

    def numbers(width: int) -> list[int]:
        half = 1 << (width - 1)
        return [-half, half - 1, -1, 0, 1, *(draw.randrange(-half, half) >> draw.randrange(width) for _ in range(12))]

    rows = [*itertools.product(numbers(a_width), numbers(b_width))]
    found = []

    async def testbench(ctx: Any) -> None:
        for a, b in [*rows, *[rows[-1]] * ROUNDED_STAGES]:
            while draw.random() < 0.2:  # held
                ctx.set(device.enable, 0)
                ctx.set(device.a, -1 - a)
                await ctx.tick()
            ctx.set(device.enable, 1)
            ctx.set(device.a, a)
            ctx.set(device.b, b)
            found.append(ctx.get(device.o))
            await ctx.tick()

    run_testbench(device, testbench)
    half = Fraction(1, 2)
    assert found[ROUNDED_STAGES:] == [math.floor(Fraction(a - b, 1 << fraction) + half) for a, b in rows]
