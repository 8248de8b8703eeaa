"""Sums about a guessed mean against the golden model: what a channel gives, and what each of its beats lists."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import data, wiring

from l1bn.beats.excess import ExcessSums
from l1bn.streams.layouts import copied, extended, fields, outlet
from l1bn_golden.one_pass import Guess, attempt, is_inside
from l1bn_vectors.packets import packets

from ..bench import exercise
from ..edge_channels import Samples, channels
from .closing import check_closing
from .test_sums import CASES

LEVELS = {4: 3, 5: 1, 8: 4, 16: 12, 32: 20}
"""The highest level of the window by width."""
PAUSES = ((0.0, 0.0), (0.0, {"o": 0.6}), (0.4, {"o": 0.4}))
"""What is said of a beat is never held up."""


class Watched(wiring.Component):
    """The sums; what they say of the closing channel is part of ``o``, what they say of a beat a stream."""

    def __init__(self, *arguments: int):
        self.sums = sums = ExcessSums(*arguments)
        members = sums.signature.members
        found = members["o"].signature.members["payload"].shape
        beat = data.StructLayout({"final": 1, "entries": members["entries"].shape, "listed": sums.lanes})
        super().__init__(
            {
                "i": members["i"],
                "i_guess": members["i_guess"],
                "o": outlet(extended(found, **fields(members["closing"].shape))),
                "o_beats": outlet(beat),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums = sums = self.sums
        wiring.connect(m, wiring.flipped(self.i), sums.i)
        wiring.connect(m, wiring.flipped(self.i_guess), sums.i_guess)
        m.d.comb += [
            self.o.valid.eq(sums.o.valid),
            sums.o.ready.eq(self.o.ready),
            *copied(sums.o.payload, self.o.payload),
            *copied(sums.closing, self.o.payload),
            self.o_beats.valid.eq(sums.beat),
            self.o_beats.payload.final.eq(sums.final),
            self.o_beats.payload.entries.eq(sums.entries),
            self.o_beats.payload.listed.eq(sums.listed),
        ]
        return m


def guesses(rows: Sequence[Samples], width: int, greatest: int, seed: int) -> list[Guess]:
    """Near the mean and far from it, at the ends of the range, with windows of every level."""
    draw = random.Random(f"{seed}/{width}")
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    levels = [index % (greatest + 1) for index in range(len(rows))]
    draw.shuffle(levels)
    found = []
    for level, row in zip(levels, rows, strict=True):
        near = int(np.clip(int(row.mean()) + draw.randint(-2, 2), low, high))
        pivot = draw.choice([near, near, low, high, draw.randint(low, high), int(row[-1])])
        found.append(Guess(pivot, level))
    return found


def beats_of(row: Samples, guess: Guess, lanes: int) -> dict[str, Any]:
    """What is said of the beats of a channel; an entry that is not listed may be anything."""
    excess = row.astype(np.int64).reshape(-1, lanes) - guess.pivot - 1
    listed = [[guess.level > 0 and e != -1 and is_inside(e, guess.level) for e in beat] for beat in excess.tolist()]
    weights = 1 << np.arange(lanes, dtype=object)
    return {
        "final": np.arange(len(excess)) == len(excess) - 1,
        "entries": np.ma.masked_array(np.where(listed, excess, 0), mask=~np.array(listed)),
        "listed": (np.array(listed, dtype=object) * weights).sum(axis=1),
    }


@pytest.mark.parametrize(("width", "lanes", "count", "counts"), CASES)
def test_excess(width: int, lanes: int, count: int, counts: tuple[int, ...], seed: int) -> None:
    greatest = LEVELS[width]
    rows = 2 * channels(seed, width, counts)
    chosen = guesses(rows, width, greatest, seed)
    found = [attempt(row, guess, lanes) for row, guess in zip(rows, chosen, strict=True)]
    assert {guess.level for guess in chosen} == set(range(greatest + 1)), "a level is not met"
    beats = [beats_of(row, guess, lanes) for row, guess in zip(rows, chosen, strict=True)]
    guess = {name: [getattr(each, name) for each in chosen] for name in ("pivot", "level")}
    inputs = {"i": packets(rows, lanes), "i_guess": guess}
    outputs = {
        "o": {name: [getattr(each, name) for each in found] for name in ("excess", "above", "equal")} | guess,
        "o_beats": {name: np.ma.concatenate([each[name] for each in beats]) for name in beats[0]},
    }
    make = partial(Watched, width, lanes, count, greatest)
    bench = exercise(make, inputs, outputs, seed, PAUSES)
    check_closing(bench, rows, lanes, make().sums.latency)
