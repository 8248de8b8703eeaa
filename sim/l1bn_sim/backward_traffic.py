"""Channels on their way through a backward unit: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from l1bn_golden import Backward, Contract, backward, forward

from .traffic import Integers, Unit

__all__ = ["BackwardChannel", "BackwardUnit", "Statistics"]


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
class BackwardChannel:
    """One channel: x, dy and gamma, which of the unit's counts it has, and the statistics that are sent with it.

    A number of elements other than that count is a packet of the wrong length.
    """

    x: Integers
    dy: Integers
    gamma: int
    select: int
    statistics: Statistics


class BackwardUnit(Unit[BackwardChannel, Backward]):
    """A backward unit on a bench."""

    @staticmethod
    def passes_outside(configuration: Mapping[str, Any]) -> int:
        return 2

    def channel(self, x: Integers, dy: Integers, gamma: int, select: int = 0) -> BackwardChannel:
        """A channel with the statistics that belong to x."""
        statistics = Statistics.of(self.contract, x, self.contract.counts[select])
        return BackwardChannel(x, dy, gamma, select, statistics)

    def send(self, channels: Sequence[BackwardChannel]) -> None:
        for channel in channels:
            for _ in range(self.passes):
                self._send_packet("i_x", channel.x, channel.select)
                self._send_packet("i_dy", channel.dy)
            given = channel.statistics
            fields = {field.name for field in self.bench.sources["i_stats"].port.payload.fields} - {"error"}
            statistics = {name: getattr(given, name) for name in fields}
            self.bench.send("i_stats", **statistics, error=[given.error])
        self.bench.send("i_gamma", gamma=[channel.gamma for channel in channels])

    def _golden(self, channel: BackwardChannel) -> Backward:
        count = self.contract.counts[channel.select]
        x, dy = channel.x[None], channel.dy[None]
        return backward(self.contract, x, dy, [channel.gamma], channel.statistics, count)

    def _expect(self, channel: BackwardChannel, result: Backward) -> None:
        count = self.contract.counts[channel.select]
        wrong_length = len(channel.x) != count or len(channel.dy) != count
        error = wrong_length or bool(result.flagged[0]) or channel.statistics.error
        self._expect_packet(result.dx, error)
        self.bench.expect("o_gradients", dgamma=result.dgamma, dbeta=result.dbeta, error=[error])

    def _cover(self, channel: BackwardChannel, result: Backward) -> None:
        contract = self.contract
        count = contract.counts[channel.select]
        end = 1 << (contract.dx_width - 1)
        mean = channel.statistics.mean[0]
        flat = bool(result.flat[0])
        at_the_mean = int(((channel.x[:count].astype(object) << contract.G) == mean).sum())
        a = result.correlation[0]
        self.bench.cover(
            samples=count,
            channels=1,
            constant_channel=flat,
            ties_at_the_mean=0 if flat else at_the_mean,
            negative_mean=mean < 0,
            negative_gamma=channel.gamma < 0,
            zero_gamma=channel.gamma == 0,
            positive_correlation=a > 0,
            negative_correlation=a < 0,
            saturated_high=int((result.dx == end - 1).sum()),
            saturated_low=int((result.dx == -end).sum()),
            short_x=len(channel.x) < count,
            long_x=len(channel.x) > count,
            short_dy=len(channel.dy) < count,
            long_dy=len(channel.dy) > count,
            r_that_is_none=bool(result.flagged[0]),
            statistics_in_error=channel.statistics.error,
        )
