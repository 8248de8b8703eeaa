"""Channels on their way through a forward unit: what goes in, and what the golden model says comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import Contract, Forward, forward

from .bench import Bench

__all__ = ["Channel", "Unit"]


@dataclass(frozen=True)
class Channel:
    """One channel: samples and parameters, and which of the unit's counts it has.

    A number of samples other than that count is a packet of the wrong length.
    """

    samples: NDArray[np.int64]
    gamma: int
    beta: int
    select: int = 0


class Unit:
    """A forward unit on a bench.

    Parameters
    ----------
    bench : the running bench
    configuration : the unit's parameters, as ``Configuration.to_mapping`` gives them
    """

    def __init__(self, bench: Bench, configuration: Mapping[str, Any]):
        self.bench = bench
        self.contract = Contract.from_parameters(configuration)
        self.lanes: int = configuration["lanes"]
        self.passes = 1
        if configuration["storage"] == "outside":
            self.passes = 3 if configuration["form"] == "two-pass" else 2

    def pass_through(self, channels: Sequence[Channel]) -> list[Forward]:
        """Queue channels with their parameters, expect y and the statistics, and count what they cover."""
        self.send(channels)
        results = [self._golden(channel) for channel in channels]
        for channel, result in zip(channels, results, strict=True):
            self._expect(channel, result)
            self._cover(channel, result)
        return results

    def send(self, channels: Sequence[Channel]) -> None:
        """Queue the packets of channels, each as often as the unit reads it, and their parameters."""
        for channel in channels:
            beats, rest = divmod(len(channel.samples), self.lanes)
            if rest or not beats:
                raise ValueError(
                    f"{len(channel.samples)} samples are no whole number of beats of {self.lanes}"
                )
            last = np.arange(beats) == beats - 1
            select = {"select": np.full(beats, channel.select)} if len(self.contract.counts) > 1 else {}
            for _ in range(self.passes):
                self.bench.send("i", data=channel.samples.reshape(beats, self.lanes), last=last, **select)
        parameters = {"gamma": [c.gamma for c in channels], "beta": [c.beta for c in channels]}
        self.bench.send("i_affine", **parameters)

    def _golden(self, channel: Channel) -> Forward:
        count = self.contract.counts[channel.select]
        return forward(self.contract, channel.samples[None], [channel.gamma], [channel.beta], count)

    def _expect(self, channel: Channel, result: Forward) -> None:
        count = self.contract.counts[channel.select]
        beats = count // self.lanes
        error = len(channel.samples) != count
        last = np.arange(beats) == beats - 1
        # `error` means something with the final beat only.
        flags = np.ma.masked_array(np.full(beats, error), mask=~last)
        self.bench.expect("o", data=result.y.reshape(beats, self.lanes), last=last, error=flags)
        statistics: dict[str, Any] = {
            "mean": result.mean,
            "r_mantissa": result.r_mantissa,
            "r_exponent": result.r_exponent,
            "scale": result.scale,
            "shift": result.shift,
            "negative": result.negative,
            "error": [error],
        }
        if result.sign_count is not None:
            statistics["sign_count"] = result.sign_count
        self.bench.expect("o_stats", **statistics)

    def _cover(self, channel: Channel, result: Forward) -> None:
        contract = self.contract
        count = contract.counts[channel.select]
        samples = channel.samples[:count].astype(object)
        constant = len(samples) == count and bool((samples == samples[0]).all())
        self.bench.cover(
            samples=count,
            channels=1,
            constant_channel=constant,
            ties_at_the_mean=0 if constant else int(((samples << contract.G) == result.mean[0]).sum()),
            negative_mean=result.mean[0] < 0,
            negative_gamma=channel.gamma < 0,
            zero_gamma=channel.gamma == 0,
            saturated_high=int((result.y == contract.y_max).sum()),
            saturated_low=int((result.y == contract.y_min).sum()),
            short_packet=len(channel.samples) < count,
            long_packet=len(channel.samples) > count,
        )
