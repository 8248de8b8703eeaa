"""Channels on their way through a forward unit: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from l1bn_golden import Forward, forward

from .traffic import Integers, Unit

__all__ = ["ForwardChannel", "ForwardUnit"]


@dataclass(frozen=True)
class ForwardChannel:
    """One channel: samples and parameters, and which of the unit's counts it has.

    A number of samples other than that count is a packet of the wrong length.
    """

    x: Integers
    gamma: int
    beta: int
    select: int


class ForwardUnit(Unit[ForwardChannel, Forward]):
    """A forward unit on a bench."""

    @staticmethod
    def passes_outside(configuration: Mapping[str, Any]) -> int:
        return 3 if configuration["form"] == "two-pass" else 2

    def channel(self, x: Integers, gamma: int, beta: int, select: int = 0) -> ForwardChannel:
        return ForwardChannel(x, gamma, beta, select)

    def send(self, channels: Sequence[ForwardChannel]) -> None:
        for channel in channels:
            for _ in range(self.passes):
                self._send_packet("i", channel.x, channel.select)
        parameters = {"gamma": [c.gamma for c in channels], "beta": [c.beta for c in channels]}
        self.bench.send("i_affine", **parameters)

    def _golden(self, channel: ForwardChannel) -> Forward:
        count = self.contract.counts[channel.select]
        return forward(self.contract, channel.x[None], [channel.gamma], [channel.beta], count)

    def _expect(self, channel: ForwardChannel, result: Forward) -> None:
        error = len(channel.x) != self.contract.counts[channel.select]
        self._expect_packet(result.y, error)
        self.bench.expect("o_stats", **result.statistics, error=[error])

    def _cover(self, channel: ForwardChannel, result: Forward) -> None:
        contract = self.contract
        count = contract.counts[channel.select]
        x = channel.x[:count].astype(object)
        constant = len(x) == count and bool((x == x[0]).all())
        self.bench.cover(
            samples=count,
            channels=1,
            constant_channel=constant,
            ties_at_the_mean=0 if constant else int(((x << contract.G) == result.mean[0]).sum()),
            negative_mean=result.mean[0] < 0,
            negative_gamma=channel.gamma < 0,
            zero_gamma=channel.gamma == 0,
            saturated_high=int((result.y == contract.y_max).sum()),
            saturated_low=int((result.y == contract.y_min).sum()),
            short_packet=len(channel.x) < count,
            long_packet=len(channel.x) > count,
        )
