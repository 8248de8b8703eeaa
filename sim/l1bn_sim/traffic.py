"""Channels on their way through a unit of any direction: what goes in, what has to come out, and how fast."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import Contract

from .bench import Bench, parameters

__all__ = ["Integers", "Unit"]

Integers = NDArray[np.int64]
Channel = TypeVar("Channel")
Result = TypeVar("Result")


class Unit(ABC, Generic[Channel, Result]):
    """A unit on a bench.

    Parameters
    ----------
    bench : the running bench
    configuration : the unit's parameters, as ``Configuration.to_mapping`` gives them

    Attributes
    ----------
    contract : what the golden model computes with
    lanes : samples in a beat
    passes : how often the packet of a channel is sent in a row
    """

    def __init__(self, bench: Bench, configuration: Mapping[str, Any]):
        self.bench = bench
        self.contract = Contract.from_parameters(configuration)
        self.lanes: int = configuration["lanes"]
        self.passes = self.passes_outside(configuration) if configuration["storage"] == "outside" else 1

    @classmethod
    async def start(cls, dut: Any, **options: Any) -> Self:
        """Start the unit of the bench's parameter ``configuration``; the options are those of :class:`Bench`."""
        configuration = parameters()["configuration"]
        beats = max(configuration["counts"]) // configuration["lanes"]
        return cls(await Bench.start(dut, patience=1024 + 4 * beats, **options), configuration)

    @property
    def longest(self) -> int:
        """Beats of the longest channel."""
        return max(self.contract.counts) // self.lanes

    def pass_through(self, channels: Sequence[Channel]) -> list[Result]:
        """Queue channels, expect what the golden model makes of them, and count what they cover."""
        self.send(channels)
        results = [self._golden(channel) for channel in channels]
        for channel, result in zip(channels, results, strict=True):
            self._expect(channel, result)
            self._cover(channel, result)
        return results

    def periods(self, count: int) -> NDArray[np.int64]:
        """Cycles between the final beats of consecutive channels of ``count`` samples."""
        beats = count // self.lanes
        return np.diff(self.bench.sinks["o"].taken[beats - 1 :: beats])

    @staticmethod
    @abstractmethod
    def passes_outside(configuration: Mapping[str, Any]) -> int:
        """How often a channel is sent with the storage outside."""

    @abstractmethod
    def channel(self, *row: Any, **options: Any) -> Channel:
        """A channel from what it is made of: for each direction something else."""

    @abstractmethod
    def send(self, channels: Sequence[Channel]) -> None:
        """Queue the packets of channels, each as often as the unit reads it, and what belongs to each channel."""

    @abstractmethod
    def _golden(self, channel: Channel) -> Result: ...

    @abstractmethod
    def _expect(self, channel: Channel, result: Result) -> None: ...

    @abstractmethod
    def _cover(self, channel: Channel, result: Result) -> None: ...

    def _send_packet(self, stream: str, samples: Integers, select: int | None = None) -> None:
        """Queue a packet; with ``select``, the stream says which count it has, where there are several."""
        beats, rest = divmod(len(samples), self.lanes)
        if rest or not beats:
            raise ValueError(f"{len(samples)} samples are no whole number of beats of {self.lanes}")
        fields: dict[str, Any] = {"last": np.arange(beats) == beats - 1}
        if select is not None and len(self.contract.counts) > 1:
            fields["select"] = np.full(beats, select)
        self.bench.send(stream, data=samples.reshape(beats, self.lanes), **fields)

    def _expect_packet(self, samples: Integers, error: bool) -> None:
        """Expect a packet on ``o``."""
        beats = samples.size // self.lanes
        last = np.arange(beats) == beats - 1
        # `error` means something with the final beat only.
        flags = np.ma.masked_array(np.full(beats, error), mask=~last)
        self.bench.expect("o", data=samples.reshape(beats, self.lanes), last=last, error=flags)
