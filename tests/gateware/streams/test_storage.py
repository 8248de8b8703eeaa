"""Where samples wait between the passes: every pass sees each channel once, cut or filled up, whoever holds it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.numbers.formats import Formats
from l1bn.streams.storage import ChannelBuffers, ReplayedChannels
from l1bn_vectors.packets import expected_packets, packets

from ..bench import FEW_PAUSES, Bench
from .test_guard import guarded, traffic

CASES = {
    "a beat": (Configuration(width=4, lanes=4, counts=(4,)), [3, 2]),
    "one count": (Configuration(width=8, counts=(6,)), [16]),
    "counts": (Configuration(width=12, lanes=2, counts=(8, 2, 10)), [7, 1]),
}
"""Configurations, and the cycles that each buffer goes on filling for."""


def channels(config: Configuration, seed: int, sendings: int) -> tuple[list[int], list[np.ndarray], list[int]]:
    """What is sent: of each packet the index of its length, its samples, and the samples that it should have."""
    beats = Formats(config).beats
    selects, lengths = traffic(seed, config.lanes, beats, sendings, exact=False)
    draw, half = np.random.default_rng(seed), 1 << (config.width - 1)
    rows = [draw.integers(-half, half, length * config.lanes) for length in lengths]
    return selects, rows, [beats[select] for select in selects]


def send(bench: Bench, config: Configuration, selects: Sequence[int], rows: Sequence[np.ndarray]) -> None:
    for select, row in zip(selects, rows, strict=True):
        bench.send_packet("i", row.reshape(-1, config.lanes), select)


@pytest.mark.parametrize(("idle", "stall"), FEW_PAUSES)
@pytest.mark.parametrize("case", CASES)
def test_buffers(case: str, idle: float, stall: float, seed: int) -> None:
    """The first pass says what a packet is and whether it was right, the others have its beats and nothing else."""
    config, waits = CASES[case]
    selects, rows, wanted = channels(config, seed, 1)
    right, errors = guarded(rows, wanted, config.lanes)
    bench = Bench(ChannelBuffers(Formats(config), waits), idle=idle, stall=stall, seed=seed)
    send(bench, config, selects, rows)
    beats = np.array(wanted)
    bench.expect("o_0", **expected_packets(right, config.lanes, errors), select=np.repeat(selects, beats))
    zeros = np.zeros(beats.sum(), dtype=int)
    for index in range(1, len(waits) + 1):
        bench.expect(f"o_{index}", **packets(right, config.lanes), error=zeros, select=zeros)
    bench.run()


@pytest.mark.parametrize("case", CASES)
def test_a_buffer_holds_a_channel_and_what_comes_while_it_waits(case: str, seed: int) -> None:
    """With all passes but the first held up, that one takes the longest channel and so many beats more at full rate."""
    config, waits = CASES[case]
    longest = max(config.counts)
    beats = longest // config.lanes
    draw, half = np.random.default_rng(seed), 1 << (config.width - 1)
    rows = [draw.integers(-half, half, longest) for _ in range(6 + max(waits))]
    select = config.counts.index(longest)
    bench = Bench(ChannelBuffers(Formats(config), waits), seed=seed)
    reach = beats + waits[0]
    bench.sinks["o_1"].stall = chain(repeat(True, reach + 12), repeat(False))
    send(bench, config, [select] * len(rows), rows)
    total = beats * len(rows)
    errors = [False] * len(rows)
    bench.expect("o_0", **expected_packets(rows, config.lanes, errors), select=np.full(total, select))
    zeros = np.zeros(total, dtype=int)
    for index in range(1, len(waits) + 1):
        bench.expect(f"o_{index}", **packets(rows, config.lanes), error=zeros, select=zeros)
    bench.run()
    taken = bench.sinks["o_0"].taken[:reach]
    assert taken == [*range(taken[0], taken[0] + reach)]


@pytest.mark.parametrize(("idle", "stall"), FEW_PAUSES)
@pytest.mark.parametrize("passes", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_replayed(case: str, passes: int, idle: float, stall: float, seed: int) -> None:
    """The packets of a channel go to one pass after the other, each with what it is and whether it was right."""
    config, _ = CASES[case]
    selects, rows, wanted = channels(config, seed, passes)
    right, errors = guarded(rows, wanted, config.lanes)
    bench = Bench(ReplayedChannels(Formats(config), passes), idle=idle, stall=stall, seed=seed)
    send(bench, config, selects, rows)
    for index in range(passes):
        mine = slice(index, None, passes)
        beats = np.repeat(selects[mine], wanted[mine])
        bench.expect(f"o_{index}", **expected_packets(right[mine], config.lanes, errors[mine]), select=beats)
    bench.run()
