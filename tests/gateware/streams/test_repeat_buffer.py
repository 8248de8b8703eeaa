"""A buffer whose words can be read again: against a list."""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import unsigned

from l1bn.streams.repeat_buffer import RepeatBuffer

from ..bench import run_testbench

PHASES = 80


@pytest.mark.parametrize("beats", [4, 9, 28, 60])
def test_words_come_again_until_they_are_released(beats: int, seed: int) -> None:
    """Words written, read for good or to be read again, and rewinds at any time; full and empty on the way."""
    device = RepeatBuffer(unsigned(8), beats)
    draw = random.Random(f"{seed}/{beats}")
    words: list[int] = []
    fullest = 0

    async def run(ctx: Any) -> None:
        nonlocal fullest
        read = kept = 0
        for _ in range(PHASES):
            # What leaves can only be done with where nothing before it stays.
            release = kept == read and draw.random() < 0.5
            putting, taking = draw.choice([(0.9, 0.1), (0.1, 0.9), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
            ctx.set(device.release, release)
            for _ in range(draw.randint(1, 2 * beats)):
                put, take, word = draw.random() < putting, draw.random() < taking, draw.getrandbits(8)
                ctx.set(device.i.valid, put)
                ctx.set(device.i.payload, word)
                ctx.set(device.o.ready, take)
                _, _, room, offered, given = await ctx.tick().sample(device.i.ready, device.o.valid, device.o.payload)
                if put and room:
                    words.append(word)
                if offered and take:
                    assert read < len(words) and given == words[read]
                    read += 1
                    kept += release
                fullest = max(fullest, len(words) - kept)
            ctx.set(device.i.valid, 0)
            ctx.set(device.o.ready, 0)
            if draw.random() < 0.7 or read > kept:
                ctx.set(device.rewind, 1)
                await ctx.tick()
                ctx.set(device.rewind, 0)
                while ctx.get(device.busy):
                    await ctx.tick()
                read = kept
        ctx.set(device.o.ready, 1)
        for _ in range(len(words) - read + 40):
            _, _, offered, given = await ctx.tick().sample(device.o.valid, device.o.payload)
            if offered:
                assert given == words[read]
                read += 1
        assert read == len(words) and ctx.get(device.spent)

    run_testbench(device, run)
    assert beats <= fullest <= device.depth
