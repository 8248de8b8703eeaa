"""Shift registers that count: every state but 0, once."""

from __future__ import annotations

from itertools import islice

import pytest
from amaranth.hdl import Module, Signal

from l1bn.logic.lfsr import bits_for, code_at, codes, following

from ..bench import run_testbench


@pytest.mark.parametrize("bits", range(2, 17))
def test_all_states(bits: int) -> None:
    states = list(islice(codes(bits), (1 << bits) - 1))
    assert sorted(states) == list(range(1, 1 << bits))


@pytest.mark.parametrize(("states", "bits"), [(1, 2), (3, 2), (4, 3), (1023, 10), (1024, 11), (1 << 20, 21)])
def test_bits(states: int, bits: int) -> None:
    assert bits_for(states) == bits


@pytest.mark.parametrize("bits", [2, 5, 11, 21])
def test_hardware_follows_the_codes(bits: int) -> None:
    m = Module()
    code = Signal(bits, init=code_at(bits, 0))
    m.d.sync += code.eq(following(code))
    found = []

    async def watch(ctx) -> None:
        for _ in range(200):
            found.append(ctx.get(code))
            await ctx.tick()

    run_testbench(m, watch)
    assert found == list(islice(codes(bits), 200))
