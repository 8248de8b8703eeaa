"""cocotb bench of a forward unit.

Parameters: ``configuration`` (``Configuration.to_mapping``), ``latency`` and ``cycles_per_channel`` (what the
unit states, one number for each of its counts).
"""

from __future__ import annotations

import random
from itertools import repeat
from typing import Any

import cocotb
import numpy as np

from l1bn_vectors.edges import channels, integers
from l1bn_vectors.forward import ForwardChannel

from .bench import parameters
from .forward_bench import ForwardBench
from .periods import STEADY
from .unit_checks import CHANNELS, PAUSES, check_latency, check_throughput, in_turns


def _channels(unit: ForwardBench, select: int = 0) -> list[ForwardChannel]:
    """A channel of every kind, with gammas and betas of every size."""
    contract = unit.contract
    samples = channels(
        np.random.default_rng(cocotb.RANDOM_SEED + select), contract.width, contract.counts[select]
    )
    draw = random.Random(cocotb.RANDOM_SEED + select)
    gammas = integers(draw, contract.gamma_width, True, len(samples))
    betas = integers(draw, contract.beta_width, True, len(samples))
    draw.shuffle(gammas)
    draw.shuffle(betas)
    rows = zip(samples.values(), gammas, betas, strict=True)
    return [unit.channel(row, gamma, beta, select) for row, gamma, beta in rows]


def _uniform(unit: ForwardBench, count: int, number: int, select: int = 0) -> list[ForwardChannel]:
    """Channels of ``count`` random samples, gamma and beta such that y shows what went wrong."""
    contract = unit.contract
    draw = np.random.default_rng(cocotb.RANDOM_SEED + count)
    low, high = -(1 << (contract.width - 1)), 1 << (contract.width - 1)
    gamma = 1 << (contract.gamma_width - 2)
    return [
        unit.channel(draw.integers(low, high, count), (-gamma, gamma)[k % 2], k % 4, select)
        for k in range(number)
    ]


def _timed(unit: ForwardBench, count: int, number: int, select: int = 0) -> list[ForwardChannel]:
    """Channels whose cycles are to be counted.

    Where the mean is guessed they are all the same, with no sample near the mean: there is nothing to repair.
    """
    if not unit.contract.guesses:
        return _uniform(unit, count, number, select)
    high = (1 << (unit.contract.width - 1)) - 1
    return [unit.channel(np.resize([~high, high], count), 1 << 5, 3, select) for _ in range(number)]


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), PAUSES))
async def values(dut: Any, idle: float, stall: float) -> None:
    """y and the statistics are the golden model's, whatever the pauses; counts take turns."""
    unit = await ForwardBench.start(dut, idle=idle, stall=stall)
    unit.pass_through(in_turns([_channels(unit, select) for select in range(len(unit.contract.counts))]))
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize(slow=["i", "i_affine", "o", "o_stats"])
async def one_slow_stream(dut: Any, slow: str) -> None:
    """One stream that hardly moves holds the others up and loses nothing."""
    unit = await ForwardBench.start(dut, idle={slow: 0.9}, stall={slow: 0.9})
    unit.pass_through(_channels(unit)[:8])
    await unit.bench.finish()


@cocotb.test()
async def late_parameters_and_statistics(dut: Any) -> None:
    """Samples run in until the unit is full; parameters and readers of the statistics come long after."""
    unit = await ForwardBench.start(dut)
    bench = unit.bench
    work = _channels(unit)[:6]
    parameters_later = bench.sources["i_affine"]
    schedule = bench.sinks["o_stats"].stall
    bench.sinks["o_stats"].stall = repeat(True)
    parameters_later.idle = repeat(True)
    unit.pass_through(work)
    await bench.run(8 * unit.longest)
    assert not bench.sinks["o"].taken, "y came without gamma and beta"
    parameters_later.idle = None
    await bench.run(8 * unit.longest)
    assert not bench.sinks["o_stats"].taken
    bench.sinks["o_stats"].stall = schedule
    await bench.finish()


@cocotb.test()
async def latency(dut: Any) -> None:
    """The first y of a channel comes exactly as late as the unit says, for each of its counts.

    Where its mean is guessed, nothing is known of it: that guess is bad.
    """
    for select, stated in enumerate(parameters()["latency"]):
        unit = await ForwardBench.start(dut)
        unit.pass_through(_timed(unit, unit.contract.counts[select], 1, select))
        await unit.bench.finish()
        check_latency(unit, "i", stated)


@cocotb.test()
async def throughput(dut: Any) -> None:
    """In the steady state channels follow each other exactly as fast as the unit says, for every count.

    Where that is one beat a cycle, neither side ever waits.
    """
    for select, stated in enumerate(parameters()["cycles_per_channel"]):
        unit = await ForwardBench.start(dut)
        count = unit.contract.counts[select]
        unit.pass_through(_timed(unit, count, CHANNELS, select))
        await unit.bench.finish()
        accepted = unit.bench.sources["i"].accepted
        if unit.contract.guesses:
            # The first guesses are bad, and hold the producer up.
            accepted = accepted[-STEADY * unit.sendings * count // unit.lanes :]
        check_throughput(unit, accepted, count, stated)
    unit.bench.report()


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), [(0.0, 0.0), (0.4, 0.4)]))
async def packets_of_wrong_length(dut: Any, idle: float, stall: float) -> None:
    """Too short or too long: y is that of the packet filled up or cut, and flagged; the next one is right."""
    unit = await ForwardBench.start(dut, idle=idle, stall=stall)
    lanes = unit.lanes
    work = []
    for select, count in enumerate(unit.contract.counts):
        for length in (count - lanes, count + lanes, lanes, 3 * count, count - lanes, lanes, 2 * count):
            if length:
                work += _uniform(unit, length, 1, select)
            work += _uniform(unit, count, 1, select)
        work += _uniform(unit, lanes, 1, select) * 3 + _uniform(unit, count + lanes, 1, select) * 3
    unit.pass_through([*work, *_channels(unit)[-2:]])
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize(share=[0.3, 1.0, 1.7, 2.2, 3.1])
async def reset_at_work(dut: Any, share: float) -> None:
    """A reset at any moment leaves nothing behind."""
    unit = await ForwardBench.start(dut)
    unit.send(_uniform(unit, max(unit.contract.counts), 4, int(np.argmax(unit.contract.counts))))
    await unit.bench.run(max(1, round(share * unit.longest)))
    after = await ForwardBench.start(dut)
    after.pass_through(_channels(after)[-4:])
    await after.bench.finish()
