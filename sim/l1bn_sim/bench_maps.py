"""cocotb bench that measures a forward unit on given channels and compares it with the golden model.

Mismatches are counted for the report and fail nothing here; a unit that hangs or breaks the protocol does.
Parameters: ``configuration``, and ``channels``, the name of an ``.npz`` file beside the description with the
arrays ``x`` (channels, count), ``gamma`` and ``beta``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from l1bn_golden.exact import max_error

from .bench import Bench, parameters
from .traffic import Channel, Unit

PAUSED = 6
"""Channels of the phase with idle cycles and stalls."""


def _load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    path = Path(os.environ["L1BN_BENCH"]).with_name(parameters()["channels"])
    with np.load(path) as arrays:
        return arrays["x"], arrays["gamma"], arrays["beta"]


async def _pass_through(dut: Any, number: int, **options: Any) -> tuple[Unit, dict[str, Any]]:
    """Send the first channels through the unit; returns it with what is to be reported."""
    configuration = parameters()["configuration"]
    x, gamma, beta = (array[:number] for array in _load())
    beats = x.shape[1] // configuration["lanes"]
    unit = Unit(await Bench.start(dut, patience=1024 + 4 * beats, **options), configuration)
    rows = zip(x, gamma.tolist(), beta.tolist(), strict=True)
    unit.pass_through([Channel(*row) for row in rows])
    await unit.bench.drain()
    comparison = unit.bench.compare()
    for line in comparison.lines:
        cocotb.log.error(line)
    y = unit.bench.sinks["o"].columns["data"].reshape(-1, x.shape[1])
    errors = [
        max_error(
            unit.contract, x[row : row + 1], gamma[row : row + 1], beta[row : row + 1], y[row : row + 1]
        )
        for row in range(len(y))
    ]
    return unit, {"samples": y.size, "mismatches": comparison.wrong, "max_error_lsb": max(errors)}


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
    """The same samples with idle cycles and stalls at random on all streams."""
    unit, result = await _pass_through(dut, PAUSED, idle=0.3, stall=0.3)
    unit.bench.report(paused=result)
