"""The gate: beats go on once and in order, a first one when it may begin, a final one when nothing is busy."""

from __future__ import annotations

import random
from typing import Any

import pytest

from l1bn.beats.gate import PacketGate
from l1bn.streams.layouts import packet

from ..bench import run_testbench

PATIENCE = 100


class Run:
    """Packets through a gate whose user lets packets begin, and is busy with them, for as long as it likes."""

    def __init__(self, packets: list[list[int]], seed: str, idle: float, hold: float):
        self.gate = PacketGate(packet(8, 1))
        self.draw, self.idle, self.hold = random.Random(seed), idle, hold
        self.beats = [(beat, at == 0, at == len(each) - 1) for each in packets for at, beat in enumerate(each)]
        self.sent = 0
        self.passed: list[int] = []  # cycles
        self.offering = False
        self.begin, self.busy = True, False
        self.free = False  # the beat in the register has nothing to wait for

    def cycle(self, ctx: Any, now: int) -> None:
        gate, beats = self.gate, self.beats
        self.offering = self.offering or (self.sent < len(beats) and self.draw.random() >= self.idle)
        data, _, last = beats[self.sent] if self.offering else (self.draw.getrandbits(8), 0, self.draw.getrandbits(1))
        ctx.set(gate.i.valid, self.offering)
        ctx.set(gate.i.payload.data[0], data - 128)
        ctx.set(gate.i.payload.last, last)
        ctx.set(gate.begin, self.begin)
        ctx.set(gate.busy, self.busy)
        passes = bool(ctx.get(gate.passes))
        assert passes or not self.free, "waits for nothing"
        empty = self.sent == len(self.passed)
        ready = bool(ctx.get(gate.i.ready))
        assert ready or not empty or now == 0, "no beat is taken by an empty register"
        self.free = False
        if self.offering and ready:
            _, first, last = beats[self.sent]
            self.free = empty and (self.begin or not first) and not (self.busy and last)
            self.sent += 1
            self.offering = False
        began = ended = False
        if passes:
            data, first, last = beats[len(self.passed)]
            assert ctx.get(gate.beat.data[0]) == data - 128
            assert (ctx.get(gate.first), ctx.get(gate.beat.last)) == (first, last)
            assert self.begin or not first, "began too early"
            assert not (self.busy and last), "ended too early"
            began, ended = first, last
            self.passed.append(now)
        # A beat that went on takes both away in the cycle after; they come back when the user likes.
        self.begin = not began and (self.begin or self.draw.random() >= self.hold)
        self.busy = ended or (self.busy and self.draw.random() < self.hold)

    def go(self) -> None:
        async def testbench(ctx: Any) -> None:
            now = 0
            while len(self.passed) < len(self.beats):
                self.cycle(ctx, now)
                await ctx.tick()
                now += 1
                assert now - (self.passed[-1] if self.passed else 0) < PATIENCE, "hangs"
            assert not ctx.get(self.gate.passes)

        run_testbench(self.gate, testbench)


def draw_packets(seed: str, lengths: list[int], number: int) -> list[list[int]]:
    draw = random.Random(seed)
    return [[draw.getrandbits(8) for _ in range(draw.choice(lengths))] for _ in range(number)]


@pytest.mark.parametrize("hold", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_order_and_waits(idle: float, hold: float, seed: int) -> None:
    name = f"{seed}/{idle}/{hold}"
    Run(draw_packets(name, [1, 1, 2, 3, 7], 80), name, idle, hold).go()


def test_a_beat_a_cycle(seed: int) -> None:
    """Where nothing has to wait for longer than it must, packets of three beats and more follow each other."""
    run = Run(draw_packets(f"{seed}", [3, 4, 9], 40), f"{seed}", 0.0, 0.0)
    run.go()
    assert run.passed == [*range(run.passed[0], run.passed[0] + len(run.beats))]
    assert run.passed[0] == PacketGate.latency + 1, "ready is 0 in the cycle after a reset"
