"""Channels on their way through a forward unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from l1bn_golden import Contract, Forward, forward

from .channel import Channel, channel_packets, selects
from .packets import Integers, expected_packets
from .traffic import Columns, Traffic

__all__ = ["ForwardChannel", "forward_inputs", "forward_outputs", "forward_traffic"]


@dataclass(frozen=True)
class ForwardChannel(Channel):
    """One channel: samples and parameters, and which of the unit's counts it has.

    A number of samples other than that count is a packet of the wrong length.
    """

    contract: Contract
    x: Integers
    gamma: int
    beta: int
    select: int = 0

    @property
    def error(self) -> bool:
        """Whether the unit has to flag the channel."""
        return len(self.x) != self.count

    @cached_property
    def result(self) -> Forward:
        """The golden model's."""
        return forward(self.contract, self.x[None], [self.gamma], [self.beta], self.count)


def forward_inputs(channels: Sequence[ForwardChannel], sendings: int) -> Mapping[str, Columns]:
    """What the producer sends: each packet as often in a row as the unit needs, and the parameters."""
    return {
        "i": channel_packets(channels, [channel.x for channel in channels], sendings),
        "i_affine": {
            "gamma": [channel.gamma for channel in channels],
            "beta": [channel.beta for channel in channels],
        },
    }


def forward_outputs(channels: Sequence[ForwardChannel]) -> Mapping[str, Columns]:
    """What the unit has to deliver."""
    results = [channel.result for channel in channels]
    errors = [channel.error for channel in channels]
    statistics = {name: [result.statistics[name][0] for result in results] for name in results[0].statistics}
    # Whether the guess of a mean was bad depends on what came before, and on how far ahead it was made.
    guessed = {"missed": np.ma.masked_all(len(channels), dtype=np.int64)} if channels[0].contract.guesses else {}
    return {
        "o": expected_packets([result.y[0] for result in results], channels[0].contract.lanes, errors),
        "o_stats": {**statistics, **selects(channels, [1] * len(channels)), **guessed, "error": errors},
    }


def forward_traffic(channels: Sequence[ForwardChannel], sendings: int) -> Traffic:
    """The streams of a forward unit; ``sendings`` as :attr:`l1bn.config.Configuration.sendings`."""
    return Traffic(forward_inputs(channels, sendings), forward_outputs(channels))
