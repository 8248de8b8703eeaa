"""cocotb bench of a backward unit.

Parameters: ``configuration`` (``Configuration.to_mapping``), ``latency`` and ``cycles_per_channel`` (what the
unit states, one number for each of its counts).
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import cycle, repeat
from typing import Any

import cocotb
import numpy as np

from l1bn_vectors.backward import BackwardChannel
from l1bn_vectors.edges import channels, integers

from .backward_bench import BackwardBench
from .bench import parameters
from .unit_checks import CHANNELS, PAUSES, check_latency, check_throughput, in_turns


def _channels(unit: BackwardBench, select: int = 0) -> list[BackwardChannel]:
    """x of every kind with dy of another kind, gammas of every size."""
    contract = unit.contract
    rng = np.random.default_rng(cocotb.RANDOM_SEED + select)
    count = contract.counts[select]
    xs = list(channels(rng, contract.width, count).values())
    dys = list(channels(rng, contract.dy_width, count).values())
    draw = random.Random(cocotb.RANDOM_SEED + select)
    gammas = integers(draw, contract.gamma_width, True, len(xs))
    draw.shuffle(gammas)
    draw.shuffle(dys)
    rows = zip(xs, dys, gammas, strict=True)
    return [unit.channel(x, dy, gamma, select) for x, dy, gamma in rows]


def _uniform(
    unit: BackwardBench, lengths: tuple[int, int], number: int, select: int = 0
) -> list[BackwardChannel]:
    """Channels of so many random x and dy."""
    contract = unit.contract
    draw = np.random.default_rng([cocotb.RANDOM_SEED, *lengths])

    def samples(width: int, count: int) -> np.ndarray:
        return draw.integers(-(1 << (width - 1)), 1 << (width - 1), count)

    gamma = 1 << (contract.gamma_width - 2)
    return [
        unit.channel(
            samples(contract.width, lengths[0]),
            samples(contract.dy_width, lengths[1]),
            (-gamma, gamma)[k % 2],
            select,
        )
        for k in range(number)
    ]


def _plain(unit: BackwardBench, number: int, select: int = 0) -> list[BackwardChannel]:
    count = unit.contract.counts[select]
    return _uniform(unit, (count, count), number, select)


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), PAUSES))
async def values(dut: Any, idle: float, stall: float) -> None:
    """dx, dgamma and dbeta are the golden model's, whatever the pauses; counts take turns."""
    unit = await BackwardBench.start(dut, idle=idle, stall=stall)
    unit.pass_through(in_turns([_channels(unit, select) for select in range(len(unit.contract.counts))]))
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize(slow=["i_x", "i_dy", "i_stats", "i_gamma", "o", "o_gradients"])
async def one_slow_stream(dut: Any, slow: str) -> None:
    """One stream that hardly moves holds the others up and loses nothing."""
    unit = await BackwardBench.start(dut, idle={slow: 0.9}, stall={slow: 0.9})
    unit.pass_through(_channels(unit)[:8])
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize(late=["i_stats", "i_gamma", "i_x", "i_dy"])
async def one_stream_comes_late(dut: Any, late: str) -> None:
    """The others run in until the unit is full, then wait; no dx comes, and none is lost."""
    unit = await BackwardBench.start(dut)
    bench = unit.bench
    bench.sources[late].idle = repeat(True)
    unit.pass_through(_channels(unit)[:6])
    await bench.run(8 * unit.longest + 512)
    assert not bench.sinks["o"].taken, f"dx came without {late}"
    bench.sources[late].idle = None
    bench.cover(**{f"late_{late}": 1})
    await bench.finish()


@cocotb.test()
async def gradients_are_read_late(dut: Any) -> None:
    """A reader of the gradients that waits holds the unit up at some channel, and no gradient is lost."""
    unit = await BackwardBench.start(dut)
    bench = unit.bench
    schedule = bench.sinks["o_gradients"].stall
    bench.sinks["o_gradients"].stall = repeat(True)
    unit.pass_through(_channels(unit)[:8])
    await bench.run(16 * unit.longest + 1024)
    assert not bench.sinks["o_gradients"].taken
    bench.sinks["o_gradients"].stall = schedule
    await bench.finish()


@cocotb.test()
async def latency(dut: Any) -> None:
    """The first dx of a channel comes exactly as late as the unit says, for each of its counts."""
    for select, stated in enumerate(parameters()["latency"]):
        unit = await BackwardBench.start(dut)
        # The statistics and gamma wait at the ports before the first beat does.
        unit.bench.sources["i_x"].idle = iter([True] * 8 + [False] * (1 << 20))
        unit.pass_through(_plain(unit, 1, select))
        await unit.bench.finish()
        check_latency(unit, "i_x", stated)


@cocotb.test()
async def throughput(dut: Any) -> None:
    """In the steady state channels follow each other exactly as fast as the unit says, for every count.

    Where that is one beat a cycle, neither side ever waits.
    """
    for select, stated in enumerate(parameters()["cycles_per_channel"]):
        unit = await BackwardBench.start(dut)
        count = unit.contract.counts[select]
        unit.pass_through(_plain(unit, CHANNELS, select))
        await unit.bench.finish()
        # The first channel waits for its statistics, which come no sooner than its first beat.
        accepted = unit.bench.sources["i_x"].accepted[count // unit.lanes :]
        check_throughput(unit, accepted, count, stated)
    unit.bench.report()


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), [(0.0, 0.0), (0.4, 0.4)]))
async def packets_of_wrong_length(dut: Any, idle: float, stall: float) -> None:
    """x or dy too short or too long: each is filled up or cut, the channel flagged; the next one is right."""
    unit = await BackwardBench.start(dut, idle=idle, stall=stall)
    lanes = unit.lanes
    work = []
    for select, count in enumerate(unit.contract.counts):
        short = max(lanes, count - lanes)
        pairs = [(short, count), (count, short), (count + lanes, count), (count, count + lanes)]
        pairs += [(lanes, 3 * count), (3 * count, lanes), (lanes, lanes), (2 * count, 2 * count)]
        for lengths in pairs:
            work += _uniform(unit, lengths, 1, select) + _plain(unit, 1, select)
        work += _uniform(unit, (lanes, count), 3, select) + _uniform(unit, (count, count + lanes), 3, select)
    unit.pass_through([*work, *_channels(unit)[-2:]])
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), [(0.0, 0.0), (0.4, 0.4)]))
async def statistics_that_are_none(dut: Any, idle: float, stall: float) -> None:
    """r of zero, without its top bit or beyond its exponents: flagged, dx as the contract says, no hang.

    So are statistics that their own unit flagged. Those of another channel are taken as they are.
    """
    unit = await BackwardBench.start(dut, idle=idle, stall=stall)
    contract = unit.contract
    top, exponents = 1 << (contract.T - 1), contract.r_exponents
    port = unit.bench.sources["i_stats"].port.payload
    bits = next(field for field in port.fields if field.name == "r_exponent").width
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    broken: list[dict[str, Any]] = [
        {"r_mantissa": [0]},
        {"r_mantissa": [top - 1]},
        {"r_mantissa": [0], "r_exponent": [lowest]},
        {"r_mantissa": [1], "r_exponent": [highest]},
        {"r_exponent": [lowest]},
        {"r_exponent": [highest]},
        {"r_mantissa": [top], "r_exponent": [exponents[-1]]},
        {"r_mantissa": [2 * top - 1], "r_exponent": [exponents[0]]},
        {"error": True},
    ]
    wide = 1 << (contract.width + contract.G - 1)
    norm = contract.traits
    ends = {name: norm.statistic_range(contract, name) for name in norm.statistics}
    wrong = {name: cycle(values) for name, values in {"mean": (-wide, wide - 1), **ends}.items()}
    work = []
    for index, change in enumerate(broken):
        select = index % len(contract.counts)
        [channel, after] = _plain(unit, 2, select)
        other = {name: [next(values)] for name, values in wrong.items()}
        for changes in (change, other, {**other, **change}):
            values = {name: value for name, value in changes.items() if name != "error"}
            statistics = channel.statistics.but(values, error="error" in changes)
            work.append(replace(channel, statistics=statistics))
        work.append(after)
    unit.pass_through(work)
    await unit.bench.finish()


@cocotb.test()
@cocotb.parametrize(share=[0.3, 1.0, 1.7, 2.2, 3.1])
async def reset_at_work(dut: Any, share: float) -> None:
    """A reset at any moment leaves nothing behind."""
    unit = await BackwardBench.start(dut)
    unit.send(_plain(unit, 4, int(np.argmax(unit.contract.counts))))
    await unit.bench.run(max(1, round(share * unit.longest)))
    after = await BackwardBench.start(dut)
    after.pass_through(_channels(after)[-4:])
    await after.bench.finish()
