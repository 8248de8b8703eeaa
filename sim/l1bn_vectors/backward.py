"""Channels on their way through a backward unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from l1bn_golden import Backward, Contract, backward, forward

from .channel import Channel, channel_packets
from .packets import Integers, expected_packets, packets
from .traffic import Columns, Traffic

__all__ = ["BackwardChannel", "Statistics", "backward_inputs", "backward_outputs", "backward_traffic"]


@dataclass(frozen=True)
class Statistics:
    """What a forward unit said of one channel, as arrays of one number each; ``extra`` has the norm's own by name."""

    mean: Any
    r_mantissa: Any
    r_exponent: Any
    extra: Mapping[str, Any]
    error: bool = False

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["extra"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None

    @classmethod
    def of(cls, contract: Contract, x: Integers, count: int) -> Statistics:
        """Those that belong to x."""
        found = forward(contract, x[None], 0, 0, count)
        return cls(found.mean, found.r_mantissa, found.r_exponent, found.extra)

    def but(self, values: Mapping[str, Any], error: bool = False) -> Statistics:
        """These statistics with other values by name."""
        columns = {name: np.array(value, dtype=object) for name, value in values.items()}
        extra = {name: columns.pop(name, value) for name, value in self.extra.items()}
        return replace(self, **columns, extra=extra, error=error)


@dataclass(frozen=True)
class BackwardChannel(Channel):
    """One channel: x, dy and gamma, which of the unit's counts it has, and the statistics that are sent with it.

    A number of elements other than that count is a packet of the wrong length.
    """

    contract: Contract
    x: Integers
    dy: Integers
    gamma: int
    select: int
    statistics: Statistics

    @classmethod
    def of(cls, contract: Contract, x: Integers, dy: Integers, gamma: int, select: int = 0) -> BackwardChannel:
        """A channel with the statistics that belong to x."""
        return cls(contract, x, dy, gamma, select, Statistics.of(contract, x, contract.counts[select]))

    @property
    def error(self) -> bool:
        """Whether the unit has to flag the channel."""
        wrong_length = len(self.x) != self.count or len(self.dy) != self.count
        return wrong_length or bool(self.result.flagged[0]) or self.statistics.error

    @cached_property
    def result(self) -> Backward:
        """The golden model's."""
        x, dy = self.x[None], self.dy[None]
        return backward(self.contract, x, dy, [self.gamma], self.statistics, self.count)


def backward_inputs(channels: Sequence[BackwardChannel], sendings: int) -> Mapping[str, Columns]:
    """What the producer sends: both packets as often in a row as the unit needs, the statistics and gamma."""
    contract = channels[0].contract
    mean = ("mean",) if contract.traits.centred else ()
    statistics = {
        name: [getattr(channel.statistics, name)[0] for channel in channels]
        for name in (*mean, "r_mantissa", "r_exponent", *contract.traits.statistics)
    }
    return {
        "i_x": channel_packets(channels, [channel.x for channel in channels], sendings),
        "i_dy": packets([channel.dy for channel in channels], contract.lanes, sendings),
        "i_stats": {**statistics, "error": [channel.statistics.error for channel in channels]},
        "i_gamma": {"gamma": [channel.gamma for channel in channels]},
    }


def backward_outputs(channels: Sequence[BackwardChannel]) -> Mapping[str, Columns]:
    """What the unit has to deliver."""
    results = [channel.result for channel in channels]
    errors = [channel.error for channel in channels]
    return {
        "o": expected_packets([result.dx[0] for result in results], channels[0].contract.lanes, errors),
        "o_gradients": {
            "dgamma": [result.dgamma[0] for result in results],
            "dbeta": [result.dbeta[0] for result in results],
            "error": errors,
        },
    }


def backward_traffic(channels: Sequence[BackwardChannel], sendings: int) -> Traffic:
    """The streams of a backward unit; ``sendings`` as :attr:`l1bn.config.Configuration.sendings`."""
    return Traffic(backward_inputs(channels, sendings), backward_outputs(channels))
