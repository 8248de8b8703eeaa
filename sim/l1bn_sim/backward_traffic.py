"""Channels on their way through a backward unit: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import Backward, Contract, backward, forward

from .bench import Bench

__all__ = ["BackwardChannel", "BackwardUnit", "Statistics"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Statistics:
    """What a forward unit said of one channel, as arrays of one number each; ``sign_count`` is for L1."""

    mean: Any
    r_mantissa: Any
    r_exponent: Any
    sign_count: Any
    error: bool = False

    @classmethod
    def of(cls, contract: Contract, x: Integers, count: int) -> Statistics:
        """Those that belong to x."""
        found = forward(contract, x[None], 0, 0, count)
        signs = np.zeros(1, dtype=np.int64) if found.sign_count is None else found.sign_count
        return cls(found.mean, found.r_mantissa, found.r_exponent, signs)


@dataclass(frozen=True)
class BackwardChannel:
    """One channel: x, dy and gamma, and which of the unit's counts it has.

    A number of elements other than that count is a packet of the wrong length. Without ``statistics`` those that
    belong to x are sent.
    """

    x: Integers
    dy: Integers
    gamma: int
    select: int = 0
    statistics: Statistics | None = None


class BackwardUnit:
    """A backward unit on a bench.

    Parameters
    ----------
    bench : the running bench
    configuration : the unit's parameters, as ``Configuration.to_mapping`` gives them
    """

    def __init__(self, bench: Bench, configuration: Mapping[str, Any]):
        self.bench = bench
        self.contract = Contract.from_parameters(configuration)
        self.lanes: int = configuration["lanes"]
        self.passes = 2 if configuration["storage"] == "outside" else 1

    def pass_through(self, channels: Sequence[BackwardChannel]) -> list[Backward]:
        """Queue channels, expect dx and the gradients of gamma and beta, and count what they cover."""
        self.send(channels)
        results = [self._golden(channel) for channel in channels]
        for channel, result in zip(channels, results, strict=True):
            self._expect(channel, result)
            self._cover(channel, result)
        return results

    def send(self, channels: Sequence[BackwardChannel]) -> None:
        """Queue the packets of channels, each as often as the unit reads it, their statistics and gammas."""
        for channel in channels:
            for _ in range(self.passes):
                self._packet("i_x", channel.x, channel.select)
                self._packet("i_dy", channel.dy)
            given = self._statistics(channel)
            statistics = {"mean": given.mean, "r_mantissa": given.r_mantissa, "r_exponent": given.r_exponent}
            if self.contract.norm == "l1":
                statistics["sign_count"] = given.sign_count
            self.bench.send("i_stats", **statistics, error=[given.error])
        self.bench.send("i_gamma", gamma=[channel.gamma for channel in channels])

    def _packet(self, stream: str, samples: Integers, select: int | None = None) -> None:
        beats, rest = divmod(len(samples), self.lanes)
        if rest or not beats:
            raise ValueError(f"{len(samples)} samples are no whole number of beats of {self.lanes}")
        fields: dict[str, Any] = {"last": np.arange(beats) == beats - 1}
        if select is not None and len(self.contract.counts) > 1:
            fields["select"] = np.full(beats, select)
        self.bench.send(stream, data=samples.reshape(beats, self.lanes), **fields)

    def _statistics(self, channel: BackwardChannel) -> Statistics:
        if channel.statistics is not None:
            return channel.statistics
        return Statistics.of(self.contract, channel.x, self.contract.counts[channel.select])

    def _golden(self, channel: BackwardChannel) -> Backward:
        count = self.contract.counts[channel.select]
        x, dy = channel.x[None], channel.dy[None]
        return backward(self.contract, x, dy, [channel.gamma], self._statistics(channel), count)

    def _expect(self, channel: BackwardChannel, result: Backward) -> None:
        count = self.contract.counts[channel.select]
        beats = count // self.lanes
        wrong_length = len(channel.x) != count or len(channel.dy) != count
        error = wrong_length or bool(result.flagged[0]) or self._statistics(channel).error
        last = np.arange(beats) == beats - 1
        # `error` means something with the final beat only.
        flags = np.ma.masked_array(np.full(beats, error), mask=~last)
        self.bench.expect("o", data=result.dx.reshape(beats, self.lanes), last=last, error=flags)
        self.bench.expect("o_gradients", dgamma=result.dgamma, dbeta=result.dbeta, error=[error])

    def _cover(self, channel: BackwardChannel, result: Backward) -> None:
        contract = self.contract
        count = contract.counts[channel.select]
        end = 1 << (contract.dx_width - 1)
        mean = self._statistics(channel).mean[0]
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
            statistics_in_error=self._statistics(channel).error,
        )
