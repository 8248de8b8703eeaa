"""Registers and buffers of streams: nothing is lost, doubled or reordered, exactly on time."""

from __future__ import annotations

from functools import partial
from itertools import chain, repeat

import pytest
from amaranth.hdl import Module, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from l1bn.streams.registers import ChannelRegister, Register, SampleBuffer, SkidRegister, fork, join

from ..bench import Bench, exercise, periods, shuffled

SHAPES = [
    unsigned(1),
    signed(9),
    data.StructLayout({"data": data.ArrayLayout(signed(5), 2), "last": 1}),
]


def items(shape: object, seed: int, length: int) -> dict[str, list]:
    if isinstance(shape, data.Layout):
        rows = shuffled(seed, 5, True, 2 * length)
        return {
            "data": [rows[2 * k : 2 * k + 2] for k in range(length)],
            "last": shuffled(seed, 1, False, length),
        }
    return {"value": shuffled(seed, shape.width, shape.signed, length)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("form", "interval"), [(Register, 1), (SkidRegister, 1), (ChannelRegister, 2)])
def test_register(form: type[Register], interval: int, shape: object, seed: int) -> None:
    columns = items(shape, seed, 150)
    bench = exercise(partial(form, shape), {"i": columns}, {"o": columns}, seed)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == form.latency
    assert periods(bench.sources["i"].accepted) == periods(bench.sinks["o"].taken) == {interval}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("beats", [1, 4, 5, 28, 29])
def test_buffer(beats: int, shape: object, seed: int) -> None:
    columns = items(shape, seed, 150)
    bench = exercise(partial(SampleBuffer, shape, beats), {"i": columns}, {"o": columns}, seed)
    assert bench.sinks["o"].taken[0] - bench.sources["i"].accepted[0] == SampleBuffer.latency
    assert periods(bench.sources["i"].accepted) == periods(bench.sinks["o"].taken) == {1}


@pytest.mark.parametrize("beats", [1, 2, 4, 5, 12, 13, 28, 29, 60])
def test_buffer_holds_its_beats(beats: int, seed: int) -> None:
    """A buffer that is not read takes what it promises, and gives all of it back."""
    bench = Bench(SampleBuffer(unsigned(8), beats), seed=seed)
    columns = items(unsigned(8), seed, 3 * beats + 20)
    bench.send("i", **columns)
    bench.expect("o", **columns)
    waits = 2 * beats + 30
    bench.sinks["o"].stall = chain(repeat(True, waits), repeat(False))
    bench.run()
    held = sum(cycle <= waits for cycle in bench.sources["i"].accepted)
    assert beats <= held < len(columns["value"])


class Diamond(wiring.Component):
    """A stream that is forked to registers of unequal depth and joined again."""

    def __init__(self) -> None:
        pair = data.StructLayout({"left": 8, "right": 8})
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(pair))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.left = left = Register(8)
        m.submodules.skid = skid = SkidRegister(8)
        m.submodules.right = right = SampleBuffer(8, 4)
        fork(m, self.i, left.i, skid.i)
        wiring.connect(m, skid.o, right.i)
        join(m, self.o, left.o, right.o)
        m.d.comb += [
            left.i.payload.eq(self.i.payload),
            skid.i.payload.eq(self.i.payload),
            self.o.payload.left.eq(left.o.payload),
            self.o.payload.right.eq(right.o.payload),
        ]
        return m


def test_fork_and_join(seed: int) -> None:
    values = shuffled(seed, 8, False, 120)
    exercise(Diamond, {"i": {"value": values}}, {"o": {"left": values, "right": values}}, seed)
