"""cocotb bench that measures a backward unit on given channels and compares it with the golden model.

Mismatches are counted for the report and fail nothing here; a unit that hangs or breaks the protocol does.
Parameters: ``configuration``, and ``channels``, the name of an ``.npz`` file beside the description with the
arrays ``x``, ``dy`` (channels, count) and ``gamma``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from l1bn_golden.exact_gradients import max_dx_error

from .backward_traffic import BackwardChannel, BackwardUnit
from .bench import Bench, parameters

PAUSED = 6
"""Channels of the phase with idle cycles and stalls."""


def _load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    path = Path(os.environ["L1BN_BENCH"]).with_name(parameters()["channels"])
    with np.load(path) as arrays:
        return arrays["x"], arrays["dy"], arrays["gamma"]


async def _pass_through(dut: Any, number: int, **options: Any) -> tuple[BackwardUnit, dict[str, Any]]:
    """Send the first channels through the unit; returns it with what is to be reported."""
    configuration = parameters()["configuration"]
    x, dy, gamma = (array[:number] for array in _load())
    beats = x.shape[1] // configuration["lanes"]
    unit = BackwardUnit(await Bench.start(dut, patience=1024 + 4 * beats, **options), configuration)
    unit.pass_through([BackwardChannel(*row) for row in zip(x, dy, gamma.tolist(), strict=True)])
    await unit.bench.drain()
    comparison = unit.bench.compare()
    for line in comparison.lines:
        cocotb.log.error(line)
    dx = unit.bench.sinks["o"].columns["data"].reshape(-1, x.shape[1])
    rows = len(dx)
    error = max_dx_error(unit.contract, x[:rows], dy[:rows], gamma[:rows], dx)
    return unit, {"samples": dx.size, "mismatches": comparison.wrong, "max_error_lsb": error}


@cocotb.test()
async def steady_state(dut: Any) -> None:
    """No pauses: how many cycles the unit needs for a channel."""
    unit, result = await _pass_through(dut, len(_load()[0]))
    beats = unit.contract.counts[0] // unit.lanes
    periods = np.diff(unit.bench.sinks["o"].taken[beats - 1 :: beats])
    result["periods"] = periods[len(periods) // 2 :].tolist()
    unit.bench.report(steady=result)


@cocotb.test()
async def with_pauses(dut: Any) -> None:
    """The same channels with idle cycles and stalls at random on all streams."""
    unit, result = await _pass_through(dut, PAUSED, idle=0.3, stall=0.3)
    unit.bench.report(paused=result)
