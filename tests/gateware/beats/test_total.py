"""The running totals and the adder tree: any sum, exactly on time, and held until the next one."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from amaranth.hdl import Module, Shape, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from l1bn.beats.total import ChannelCount, ChannelTotal, add_lanes_and_carries, tree_latency
from l1bn.logic.settle import SEGMENT

from ..bench import run_testbench

CASES = [
    (signed(4), 7),
    (unsigned(3), 4),
    (signed(16), SEGMENT),
    (signed(17), SEGMENT + 1),
    (unsigned(1), 3 * SEGMENT),
    (signed(33), 3 * SEGMENT + 5),
]


def sums_of(
    device: ChannelTotal | ChannelCount,
    channels: list[list[int]],
    limits: tuple[int, int],
    idle: float,
    draw: random.Random,
) -> tuple[list[int], list[int]]:
    """The totals cycle by cycle, and the cycle of each ``done``, which has to be on time; garbage in the pauses."""
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
                    ctx.set(device.addend, draw.randint(*limits))
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

    run_testbench(device, feed, watch)
    assert [late - end for late, end in zip(done, ends, strict=True)] == [device.latency] * len(channels)
    return totals, done


@pytest.mark.parametrize(("shape", "width"), CASES)
@pytest.mark.parametrize("idle", [0.0, 0.4])
def test_total(shape: Shape, width: int, idle: float, seed: int) -> None:
    draw = random.Random(seed)
    low, high = (-(1 << (shape.width - 1)), 1 << (shape.width - 1)) if shape.signed else (0, 1 << shape.width)
    channels = [[low] * 9, [high - 1] * 9, [low], [high - 1], [low]]
    channels += [[draw.randrange(low, high) for _ in range(draw.randint(1, 12))] for _ in range(30)]
    device = ChannelTotal(shape, width)
    totals, done = sums_of(device, channels, (low, high - 1), idle, draw)
    checked = 0
    for channel, (since, until) in zip(channels, pairwise([*done, len(totals)]), strict=True):
        # The lowest segment takes the next sum so many cycles before that one's `done`.
        held = {*totals[since - 1 : until - device.segments]}
        assert held <= {sum(channel) % (1 << width)}
        checked += bool(held)
    assert checked > len(channels) / 2


COUNTS = [(1, 1), (1, 11), (3, 3), (3, 4), (5, 9), (7, 16)]
"""Bits of an addend, and of the sum."""


@pytest.mark.parametrize(("addend_width", "width"), COUNTS)
@pytest.mark.parametrize("idle", [0.0, 0.4])
def test_count(addend_width: int, width: int, idle: float, seed: int) -> None:
    """Sums up to the greatest that fits, with channels of two addends next to each other."""
    draw = random.Random(f"{seed}/{addend_width}/{width}/{idle}")
    device = ChannelCount(addend_width, width)
    most = (1 << addend_width) - 1
    channels = [[most] * ((1 << min(width, 7)) // most or 1), [0, 0], [most, 0], [0, most]]
    channels += [[draw.choice([0, most, draw.randint(0, most)]) for _ in range(draw.randint(2, 12))] for _ in range(40)]
    channels = [channel for channel in channels if sum(channel) < 1 << width and len(channel) > 1]
    totals, done = sums_of(device, channels, (0, most), idle, draw)
    # The next total is there two cycles before the next `done`.
    for channel, (since, until) in zip(channels, pairwise([*done, len(totals) + 2]), strict=True):
        assert {*totals[since - 1 : until - 2]} <= {sum(channel)}
        assert totals[since - 1] == sum(channel)


class Tree(wiring.Component):
    """The adder tree over so many terms, each with a bit to be added."""

    def __init__(self, shape: Shape, lanes: int):
        self.lanes = lanes
        shapes = data.StructLayout({"terms": data.ArrayLayout(shape, lanes), "carries": lanes})
        super().__init__({"i": In(shapes), "o": Out(signed(40))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        terms, carries = [*self.i.terms], [*self.i.carries]
        total, left = add_lanes_and_carries(m, terms, carries)
        m.d.comb += self.o.eq(total + left)
        return m


@pytest.mark.parametrize("lanes", [2, 4, 16, 64])
@pytest.mark.parametrize("shape", [unsigned(1), unsigned(9), signed(8), signed(32)], ids=str)
def test_adder_tree(shape: Shape, lanes: int, seed: int) -> None:
    """Every term and every carry, a sum a cycle; the extremes need the widest sum."""
    draw = random.Random(f"{seed}/{lanes}/{shape}")
    low, high = (-(1 << (shape.width - 1)), 1 << (shape.width - 1)) if shape.signed else (0, 1 << shape.width)
    rows = [([value] * lanes, [carry] * lanes) for value in (low, high - 1) for carry in (0, 1)]
    rows += [
        ([draw.randrange(low, high) for _ in range(lanes)], [draw.getrandbits(1) for _ in range(lanes)])
        for _ in range(40)
    ]
    device = Tree(shape, lanes)
    found = []

    async def testbench(ctx: Any) -> None:
        for terms, carries in [*rows, *[rows[-1]] * tree_latency(lanes)]:
            for lane, (term, carry) in enumerate(zip(terms, carries, strict=True)):
                ctx.set(device.i.terms[lane], term)
                ctx.set(device.i.carries[lane], carry)
            found.append(ctx.get(device.o))
            await ctx.tick()

    run_testbench(device, testbench)
    assert found[tree_latency(lanes) :] == [sum(terms) + sum(carries) for terms, carries in rows]
