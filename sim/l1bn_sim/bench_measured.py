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

from l1bn_golden.exact import max_error
from l1bn_golden.exact_gradients import max_dx_error

from .backward_traffic import BackwardUnit
from .bench import parameters
from .forward_traffic import ForwardUnit
from .traffic import Unit

PAUSED = 6
"""Channels of the phase with idle cycles and stalls."""

DIRECTIONS: dict[str, tuple[type[Unit[Any, Any]], Callable[..., float]]] = {
    "forward": (ForwardUnit, max_error),
    "backward": (BackwardUnit, max_dx_error),
}
"""The unit of a direction, and how far what it gives for the same arrays is from the exact result."""


def _load() -> list[np.ndarray]:
    """The arrays, with a row for each channel."""
    path = Path(os.environ["L1BN_BENCH"]).with_name(parameters()["channels"])
    with np.load(path) as arrays:
        return list(arrays.values())


async def _pass_through(
    dut: Any, arrays: list[np.ndarray], **options: Any
) -> tuple[Unit[Any, Any], dict[str, Any]]:
    """Send channels through the unit; returns it with what is to be reported."""
    kind, largest_error = DIRECTIONS[parameters()["configuration"]["direction"]]
    unit = await kind.start(dut, **options)
    columns = [array if array.ndim > 1 else array.tolist() for array in arrays]
    unit.pass_through([unit.channel(*row) for row in zip(*columns, strict=True)])
    await unit.bench.drain()
    comparison = unit.bench.compare()
    for line in comparison.lines:
        cocotb.log.error(line)
    given = unit.bench.sinks["o"].columns["data"].reshape(-1, arrays[0].shape[1])
    error = largest_error(unit.contract, *(array[: len(given)] for array in arrays), given)
    return unit, {"samples": given.size, "mismatches": comparison.wrong, "max_error_lsb": error}


@cocotb.test()
async def steady_state(dut: Any) -> None:
    """No pauses: how many cycles the unit needs for a channel."""
    unit, result = await _pass_through(dut, _load())
    periods = unit.periods(unit.contract.counts[0])
    result["periods"] = periods[len(periods) // 2 :].tolist()
    unit.bench.report(steady=result)


@cocotb.test()
async def with_pauses(dut: Any) -> None:
    """The first channels again with idle cycles and stalls at random on all streams."""
    unit, result = await _pass_through(dut, [array[:PAUSED] for array in _load()], idle=0.3, stall=0.3)
    unit.bench.report(paused=result)
