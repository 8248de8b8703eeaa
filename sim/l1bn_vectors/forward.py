"""Channels on their way through a forward unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from l1bn_golden import Contract, Forward, forward

from .packets import Integers, expected_packets, packets
from .traffic import Columns, Traffic

__all__ = ["ForwardChannel", "forward_inputs", "forward_traffic", "selects"]


@dataclass(frozen=True)
class ForwardChannel:
    """One channel: samples and parameters, and which of the unit's counts it has.

    A number of samples other than that count is a packet of the wrong length.
    """

    contract: Contract
    x: Integers
    gamma: int
    beta: int
    select: int = 0

    @property
    def count(self) -> int:
        """Samples that the channel should have."""
        return self.contract.counts[self.select]

    @property
    def error(self) -> bool:
        """Whether the unit has to flag the channel."""
        return len(self.x) != self.count

    @cached_property
    def result(self) -> Forward:
        """The golden model's."""
        return forward(self.contract, self.x[None], [self.gamma], [self.beta], self.count)


class Selecting(Protocol):
    """A channel of one of the unit's counts."""

    @property
    def contract(self) -> Contract: ...
    @property
    def select(self) -> int: ...


def selects(channels: Sequence[Selecting], repeats: Sequence[int] | None = None) -> dict[str, list[int]]:
    """The column ``select``, where the unit has several counts: one a channel, or as many as it ``repeats``."""
    if len(channels[0].contract.counts) == 1:
        return {}
    times = repeats or [1] * len(channels)
    return {
        "select": [channel.select for channel, number in zip(channels, times, strict=True) for _ in range(number)]
    }


def forward_inputs(channels: Sequence[ForwardChannel], sendings: int) -> Mapping[str, Columns]:
    """What the producer sends: each packet as often in a row as the unit needs, and the parameters."""
    lanes = channels[0].contract.lanes
    beats = [sendings * len(channel.x) // lanes for channel in channels]
    return {
        "i": {**packets([channel.x for channel in channels], lanes, sendings), **selects(channels, beats)},
        "i_affine": {
            "gamma": [channel.gamma for channel in channels],
            "beta": [channel.beta for channel in channels],
        },
    }


def forward_traffic(channels: Sequence[ForwardChannel], sendings: int) -> Traffic:
    """The streams of a forward unit; ``sendings`` as :attr:`l1bn.config.Configuration.sendings`."""
    results = [channel.result for channel in channels]
    errors = [channel.error for channel in channels]
    statistics = {name: [result.statistics[name][0] for result in results] for name in results[0].statistics}
    outputs = {
        "o": expected_packets([result.y[0] for result in results], channels[0].contract.lanes, errors),
        "o_stats": {**statistics, **selects(channels), "error": errors},
    }
    return Traffic(forward_inputs(channels, sendings), outputs)
