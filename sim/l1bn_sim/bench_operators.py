"""cocotb bench of an operator: values under every mix of idle and stall, exact latency, exact throughput.

Parameters: ``operator`` (a key of :data:`l1bn_vectors.edge_exercises.EXERCISES`), ``arguments`` (of its constructor),
``latency`` and ``interval`` (as the operator states them).
"""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np

from l1bn_vectors.edge_exercises import EXERCISES
from l1bn_vectors.exercises import Exercise

from .bench import Bench, parameters

PAUSES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.5, 0.5)]


def _exercise() -> Exercise:
    settings = parameters()
    return EXERCISES[settings["operator"]](settings["arguments"], cocotb.RANDOM_SEED)


def _load(bench: Bench, exercise: Exercise) -> None:
    for stream, columns in exercise.inputs.items():
        bench.send(stream, **columns)
    for stream, columns in exercise.outputs.items():
        bench.expect(stream, **columns)


def _finals(exercise: Exercise) -> np.ndarray:
    """Indices of the beats that end a packet."""
    return np.flatnonzero(np.asarray(exercise.inputs["i"]["last"]))


@cocotb.test()
@cocotb.parametrize((("idle", "stall"), PAUSES))
async def values(dut: Any, idle: float, stall: float) -> None:
    """Every result is the golden model's, whatever the pauses."""
    bench = await Bench.start(dut, idle=idle, stall=stall)
    exercise = _exercise()
    _load(bench, exercise)
    await bench.finish()
    bench.cover(items=len(bench.sinks["o"].taken))
    bench.report()


@cocotb.test()
async def latency(dut: Any) -> None:
    """The first result comes exactly as late as the operator says."""
    bench = await Bench.start(dut)
    exercise = _exercise()
    _load(bench, exercise)
    await bench.finish()
    accepted, taken = bench.sources["i"].accepted, bench.sinks["o"].taken
    if exercise.flow == "held":
        # An item leaves with its result, and the next one is offered in the cycle after.
        assert accepted[0] == taken[0], "an item is not held until its result leaves"
        measured = taken[1] - taken[0] - 1
    else:
        asked = _finals(exercise)[0] if exercise.flow == "channel" else 0
        measured = taken[0] - accepted[asked]
    assert measured == parameters()["latency"], (
        f"latency is {measured} cycles, stated {parameters()['latency']}"
    )


@cocotb.test()
async def throughput(dut: Any) -> None:
    """Without pauses, items follow each other exactly as fast as the operator says."""
    bench = await Bench.start(dut)
    exercise = _exercise()
    _load(bench, exercise)
    await bench.finish()
    accepted = np.diff(bench.sources["i"].accepted)
    if exercise.flow == "channel":
        # The final beat waits for the sums of the channel before, which short channels feel.
        finals = _finals(exercise)
        gaps = np.delete(accepted, finals[1:] - 1)
        interval = parameters()["interval"]
        assert (gaps == interval).all(), f"beats of one channel are up to {gaps.max()} cycles apart, stated {interval}"
        periods = np.diff(np.asarray(bench.sources["i"].accepted)[finals])
        stated = max(finals[1] - finals[0], parameters()["latency"] + 1)
    else:
        periods, stated = accepted, parameters()["interval"]
    assert (periods == stated).all(), (
        f"items are {periods.min()} to {periods.max()} cycles apart, stated {stated}"
    )
