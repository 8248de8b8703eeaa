"""cocotb bench that measures a unit on given channels and compares it with the golden model.

Mismatches are counted for the report and fail nothing here; a unit that hangs or breaks the protocol does.
Parameters: ``configuration``, and ``channels``, the name of an ``.npz`` file beside the description with what
:func:`l1bn_sim.real_channels.real_channels` gives.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from l1bn_golden import Contract
from l1bn_golden.exact import max_error
from l1bn_golden.exact_gradients import max_dx_error
from l1bn_golden.one_pass import Pivots
from l1bn_vectors.forward import visits

from .backward_bench import BackwardBench
from .bench import parameters
from .forward_bench import ForwardBench
from .unit_bench import UnitBench

PAUSED = 6
"""Channels of each count in the phase with idle cycles and stalls."""


def _max_error(contract: Contract, x: Any, gamma: Any, beta: Any, y: Any) -> float:
    return max_error(contract, x, gamma, beta, y, x.shape[1])


DIRECTIONS: dict[str, tuple[type[UnitBench[Any]], Callable[..., float]]] = {
    "forward": (ForwardBench, _max_error),
    "backward": (BackwardBench, max_dx_error),
}
"""The unit of a direction, and how far what it gives for the same arrays is from the exact result."""

Channel = tuple[int, tuple[Any, ...]]
"""Which count a channel has, and what it is made of: samples first."""


def _load() -> list[list[Channel]]:
    """The channels of each count."""
    path = Path(os.environ["L1BN_BENCH"]).with_name(parameters()["channels"])
    found = []
    with np.load(path) as arrays:
        for select in range(len(parameters()["configuration"]["counts"])):
            mine = [array for name, array in arrays.items() if name.endswith(f"_{select}")]
            columns = [array if array.ndim > 1 else array.tolist() for array in mine]
            found.append([(select, row) for row in zip(*columns, strict=True)])
    return found


async def _pass_through(
    dut: Any, channels: list[Channel], **options: Any
) -> tuple[UnitBench[Any], dict[int, dict[str, Any]]]:
    """Send channels through the unit; returns it with what is to be reported of each count."""
    kind, largest_error = DIRECTIONS[parameters()["configuration"]["direction"]]
    unit = await kind.start(dut, **options)
    work = [unit.channel(*row, select=select) for select, row in channels]
    unit.pass_through(work)
    await unit.bench.drain()
    comparison = unit.bench.compare()
    for line in comparison.lines:
        cocotb.log.error(line)
    ends = np.cumsum([len(row[0]) for _, row in channels])
    given = np.split(unit.bench.sinks["o"].columns["data"].reshape(-1), ends[:-1])
    visited = visits(Pivots(unit.contract), work) if unit.contract.guesses else []
    found = {}
    for select in {select for select, _ in channels}:
        places = [place for place, (mine, _) in enumerate(channels) if mine == select]
        arrays = [np.array(column) for column in zip(*(channels[place][1] for place in places), strict=True)]
        outputs = np.stack([given[place][: arrays[0].shape[1]] for place in places])
        stats = unit.bench.sinks["o_stats"].columns if unit.contract.guesses else {}
        missed = int(np.take(stats["missed"], places).sum()) if stats else 0
        mine = [visited[place] for place in places if visited]
        found[select] = {
            "hits": len(mine) - missed,
            "misses": missed,
            "suspects": sum(visit.suspects for visit in mine),
            "samples": outputs.size,
            "mismatches": sum(comparison.batches[place] for place in places),
            "max_error_lsb": largest_error(unit.contract, *arrays, outputs),
        }
    return unit, found


@cocotb.test()
async def steady_state(dut: Any) -> None:
    """No pauses: how many cycles the unit needs for a channel, with the channels of one count after the other's."""
    results = []
    for select, channels in enumerate(_load()):
        unit, found = await _pass_through(dut, channels)
        periods = unit.periods(unit.contract.counts[select])
        results.append({**found[select], "periods": periods.tolist()})
    unit.bench.report(steady=results)


@cocotb.test()
async def with_pauses(dut: Any) -> None:
    """The first channels again, those of all counts mixed, with idle cycles and stalls at random on all streams."""
    channels = [channel for mixed in zip(*(each[:PAUSED] for each in _load()), strict=True) for channel in mixed]
    unit, found = await _pass_through(dut, channels, idle=0.3, stall=0.3)
    unit.bench.report(paused=[found[select] for select in sorted(found)])
