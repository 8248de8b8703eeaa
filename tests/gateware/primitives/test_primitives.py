"""The primitives that any tool understands; those of a device are simulated after synthesis."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import Shape, signed, unsigned

from l1bn.primitives import logic, portable
from l1bn.primitives.portable import Multiplier, SampleMemory

from ..bench import run_testbench


@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [
        (signed(5), unsigned(4)),
        (signed(9), signed(9)),
        (unsigned(3), unsigned(6)),
        (signed(33), unsigned(24)),
    ],
)
@pytest.mark.parametrize("form", [portable.Multiplier, logic.Multiplier])
def test_multiplier(form: type[Multiplier], a_shape: Shape, b_shape: Shape, seed: int) -> None:
    draw = random.Random(seed)
    device = form(a_shape, b_shape)

    def factor(shape: Shape) -> int:
        low, high = (
            (-(1 << (shape.width - 1)), 1 << (shape.width - 1)) if shape.signed else (0, 1 << shape.width)
        )
        return draw.choice([low, high - 1, 0, draw.randrange(low, high), draw.randrange(low, high)])

    async def testbench(ctx: Any) -> None:
        entered: list[int] = []
        for _ in range(300):
            a, b, enable = factor(a_shape), factor(b_shape), draw.random() < 0.7
            ctx.set(device.a, a)
            ctx.set(device.b, b)
            ctx.set(device.enable, enable)
            if len(entered) >= device.latency:
                assert ctx.get(device.product) == entered[-device.latency]
            await ctx.tick()
            if enable:
                entered.append(a * b)

    run(device, testbench)


@pytest.mark.parametrize(("width", "depth"), [(1, 2), (9, 8), (40, 16)])
def test_memory(width: int, depth: int, seed: int) -> None:
    draw = random.Random(seed)
    device = SampleMemory(width, depth)

    async def testbench(ctx: Any) -> None:
        words: dict[int, int] = {}
        fetched: int | None = None
        out: int | None = None
        for _ in range(400):
            write, read, move = (draw.random() < 0.6 for _ in range(3))
            written, address = draw.randrange(depth), draw.randrange(depth)
            if write and read and written == address:
                read = False  # undefined, so nobody does it
            word = draw.getrandbits(width)
            ctx.set(device.w_enable, write)
            ctx.set(device.w_address, written)
            ctx.set(device.w_data, word)
            ctx.set(device.r_enable, read)
            ctx.set(device.r_address, address)
            ctx.set(device.o_enable, move)
            if out is not None:
                assert ctx.get(device.o_data) == out
            await ctx.tick()
            if move:
                out = fetched
            if read:
                fetched = words.get(address)
            if write:
                words[written] = word

    run(device, testbench)


def run(device: Multiplier | SampleMemory, testbench: Any) -> None:
    run_testbench(device, testbench)
