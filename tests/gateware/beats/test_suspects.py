"""The lists of suspects: one channel fills them while those of the last one are read; none is lost, none doubled."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from l1bn.beats.suspects import SMALL, SuspectLists

from ..bench import run_testbench
from ..strict_memory import be_strict

CHANNELS = 60
CASES = [(4, 1, 1), (6, 2, 4), (9, 4, 8), (5, 1, SMALL)]
"""Bits of an entry, lanes, entries of a list; the last one in a memory of its own."""


class Run:
    """Channels of random entries through the lists, and a reader that takes its time."""

    def __init__(self, lists: SuspectLists, seed: str, read_rate: float):
        self.lists, self.draw, self.read_rate = lists, random.Random(seed), read_rate
        self.filled: list[list[int]] = [[] for _ in range(lists.lanes)]
        self.due: list[Counter[int]] = [Counter() for _ in range(lists.lanes)]
        self.overflow = False
        self.pending: list[int] = []  # cycles until what a step brings
        self.seen: set[str] = set()

    def drive_beat(self, ctx: Any, listed_rate: float, final: bool) -> None:
        """A beat; one that is final closes the lists."""
        lists, lanes = self.lists, range(self.lists.lanes)
        half = 1 << (lists.width - 1)
        entries = [self.draw.randrange(-half, half) for _ in lanes]
        listed = [self.draw.random() < listed_rate for _ in lanes]
        ctx.set(lists.beat, 1)
        ctx.set(lists.final, final)
        ctx.set(lists.listed, sum(bit << lane for lane, bit in enumerate(listed)))
        for lane in lanes:
            ctx.set(lists.entries[lane], entries[lane])
            if listed[lane]:
                self.filled[lane].append(entries[lane])

    def drive_nothing(self, ctx: Any) -> None:
        ctx.set(self.lists.beat, 0)
        ctx.set(self.lists.final, self.draw.getrandbits(1))
        ctx.set(self.lists.listed, self.draw.getrandbits(self.lists.lanes))

    def close(self) -> None:
        """What is left of the lists is what there is to read from now on."""
        depth = self.lists.depth
        self.overflow = any(len(entries) > depth for entries in self.filled)
        assert not any(due.total() for due in self.due), "the lists of the channel before were not read"
        self.due = [Counter(entries[:depth]) for entries in self.filled]
        lengths = {len(entries) for entries in self.filled}
        kinds = {0: "empty", depth: "full"}
        self.seen |= {kinds.get(length, "too long" if length > depth else "some") for length in lengths}
        self.filled = [[] for _ in self.filled]

    def read(self, ctx: Any) -> None:
        """Step if the lists and the reader allow it, and look at what earlier steps have brought."""
        lists = self.lists
        more = bool(ctx.get(lists.more))
        step = more and self.draw.random() < self.read_rate
        ctx.set(lists.step, step)
        present = ctx.get(lists.present)
        if 0 in self.pending:
            assert present, "a step that brought nothing"
        else:
            assert not present, "what no step has asked for"
        for lane in range(lists.lanes):
            if present >> lane & 1:
                entry = ctx.get(lists.read[lane])
                assert self.due[lane][entry] > 0, f"lane {lane}: {entry} is not in the list"
                self.due[lane][entry] -= 1
        self.pending = [left - 1 for left in self.pending if left]
        if step:
            self.pending.append(lists.latency - 1)


@pytest.mark.parametrize(("width", "lanes", "depth"), CASES)
@pytest.mark.parametrize("read_rate", [1.0, 0.4])
def test_lists(
    width: int, lanes: int, depth: int, read_rate: float, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_strict(monkeypatch, f"{seed}/memories")
    lists = SuspectLists(width, lanes, depth)
    run = Run(lists, f"{seed}/{width}/{read_rate}", read_rate)

    async def testbench(ctx: Any) -> None:
        for channel in range(CHANNELS):
            length = run.draw.choice([1, 2, depth, depth + 1, 2 * depth + 3])
            rate = run.draw.choice([0.0, 0.3, 1.0])
            for index in range(length):
                final = index == length - 1
                # The final beat waits until all of the channel before has been read.
                while run.draw.random() < 0.2 or (final and (ctx.get(lists.more) or run.pending)):
                    run.drive_nothing(ctx)
                    run.read(ctx)
                    await ctx.tick()
                run.drive_beat(ctx, rate, final)
                run.read(ctx)
                await ctx.tick()
                if final:
                    run.close()
                    run.drive_nothing(ctx)
                    run.read(ctx)
                    await ctx.tick()
                    assert ctx.get(lists.overflow) == run.overflow, f"channel {channel}"
                    assert ctx.get(lists.more) == any(due.total() for due in run.due)

    run_testbench(lists, testbench)
    assert run.seen == {"empty", "some", "full", "too long"} - ({"some"} if depth == 1 else set())
