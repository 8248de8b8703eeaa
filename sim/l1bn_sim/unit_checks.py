"""What the benches of units have in common: mixes of pauses, and units held to the cycles that they state."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, TypeVar

import numpy as np

from .periods import STEADY, steady_period
from .unit_bench import UnitBench

__all__ = ["CHANNELS", "PAUSES", "check_latency", "check_throughput", "in_turns"]

PAUSES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.5, 0.5)]
"""Shares of idle and of stalled cycles."""

CHANNELS = 3 * STEADY
"""So that rounds of up to eight channels come twice."""

Channel = TypeVar("Channel")


def in_turns(lists: Sequence[Sequence[Channel]]) -> list[Channel]:
    """The first of each list, then the second of each, and so on; the lists have one length."""
    return [channel for turn in zip(*lists, strict=True) for channel in turn]


def check_latency(unit: UnitBench[Any], stream: str, stated: int) -> None:
    """The first item of ``o`` came exactly so many cycles after the first one of ``stream``."""
    measured = unit.bench.sinks["o"].taken[0] - unit.bench.sources[stream].accepted[0]
    assert measured == stated, f"latency is {measured} cycles, stated {stated}"


def check_throughput(unit: UnitBench[Any], accepted: Sequence[int], count: int, stated: int) -> None:
    """The last :data:`STEADY` channels of ``count`` samples are exactly so many cycles apart.

    Where several operators take turns and limit the unit, they are that on average over a round, rounded up.
    Where that is one beat a cycle, the producer never waited: ``accepted`` are the cycles of its beats.
    """
    periods = unit.periods(count)
    period = steady_period(periods)
    found = period is not None and ceil(period)
    assert found == stated, f"channels are {periods.tolist()} cycles apart, stated {stated}"
    if stated == unit.sendings * count // unit.lanes:
        assert (np.diff(accepted) == 1).all(), "the unit held its producer up"
        unit.bench.cover(full_throughput=1)
    else:
        unit.bench.cover(held_up_by_the_channel=1)
