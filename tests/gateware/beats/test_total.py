"""The running total: the sum of any channel, exactly on time, and held until the next one."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from amaranth.hdl import Shape, signed, unsigned
from amaranth.sim import Simulator

from l1bn.beats.total import ChannelTotal
from l1bn.logic.settle import SEGMENT

CASES = [
    (signed(4), 7),
    (unsigned(3), 4),
    (signed(16), SEGMENT),
    (signed(17), SEGMENT + 1),
    (unsigned(1), 3 * SEGMENT),
    (signed(33), 3 * SEGMENT + 5),
]


@pytest.mark.parametrize(("shape", "width"), CASES)
@pytest.mark.parametrize("idle", [0.0, 0.4])
def test_total(shape: Shape, width: int, idle: float, seed: int) -> None:
    draw = random.Random(seed)
    low, high = (-(1 << (shape.width - 1)), 1 << (shape.width - 1)) if shape.signed else (0, 1 << shape.width)
    channels = [[low] * 9, [high - 1] * 9, [low], [high - 1], [low]]
    channels += [[draw.randrange(low, high) for _ in range(draw.randint(1, 12))] for _ in range(30)]
    device = ChannelTotal(shape, width)
    ends: list[int] = []
    done: list[int] = []
    totals: list[int] = []

    async def feed(ctx: Any) -> None:
        cycle = 0
        for channel in channels:
            for index, addend in enumerate(channel):
                while draw.random() < idle:
                    ctx.set(device.valid, 0)
                    ctx.set(device.last, draw.getrandbits(1))
                    ctx.set(device.addend, draw.randrange(low, high))
                    await ctx.tick()
                    cycle += 1
                ctx.set(device.valid, 1)
                ctx.set(device.addend, addend)
                ctx.set(device.last, index == len(channel) - 1)
                await ctx.tick()
                cycle += 1
            ends.append(cycle)
        ctx.set(device.valid, 0)
        await ctx.tick().repeat(10)

    async def watch(ctx: Any) -> None:
        async for _, _, is_done, total in ctx.tick().sample(device.done, device.total):
            totals.append(total)
            if is_done:
                done.append(len(totals))

    simulator = Simulator(device)
    simulator.add_clock(1e-6)
    simulator.add_testbench(feed)
    simulator.add_testbench(watch, background=True)
    simulator.run()

    assert [late - end for late, end in zip(done, ends, strict=True)] == [device.latency] * len(channels)
    checked = 0
    for channel, (since, until) in zip(channels, pairwise([*done, len(totals)]), strict=True):
        # The lowest segment takes the next sum so many cycles before that one's `done`.
        held = {*totals[since - 1 : until - device.segments]}
        assert held <= {sum(channel) % (1 << width)}
        checked += bool(held)
    assert checked > len(channels) / 2
