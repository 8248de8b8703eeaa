"""The bench of a unit of any direction: channels go in, what comes out is compared, and what they cover is counted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from l1bn.config import Configuration
from l1bn_golden import Contract
from l1bn_vectors.traffic import Columns

from .bench import Bench, parameters

__all__ = ["UnitBench"]

Channel = TypeVar("Channel")


class UnitBench(ABC, Generic[Channel]):
    """A unit on a bench.

    Parameters
    ----------
    bench : the running bench
    configuration : the unit's parameters, as ``Configuration.to_mapping`` gives them

    Attributes
    ----------
    contract : what the golden model computes with
    lanes : samples in a beat
    sendings : how often the packet of a channel is sent in a row
    """

    def __init__(self, bench: Bench, configuration: Mapping[str, Any]):
        self.bench = bench
        self.contract = Contract.from_parameters(configuration)
        self.lanes: int = configuration["lanes"]
        self.sendings = Configuration.from_mapping(configuration).sendings

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

    def send(self, channels: Sequence[Channel]) -> None:
        """Queue the packets of channels, each as often as the unit reads it, and what belongs to each channel."""
        for stream, columns in self._inputs(channels).items():
            self.bench.send(stream, **columns)

    def pass_through(self, channels: Sequence[Channel]) -> None:
        """Queue channels, expect what the golden model makes of them, and count what they cover.

        Each channel is a batch of its own for the comparison.
        """
        self.send(channels)
        for channel in channels:
            for stream, columns in self._outputs([channel]).items():
                self.bench.expect(stream, **columns)
            self._cover(channel)

    def periods(self, count: int) -> NDArray[np.int64]:
        """Cycles between the final beats of consecutive channels of ``count`` samples."""
        beats = count // self.lanes
        return np.diff(self.bench.sinks["o"].taken[beats - 1 :: beats])

    @abstractmethod
    def channel(self, *row: Any, **options: Any) -> Channel:
        """A channel from what it is made of: for each direction something else."""

    @abstractmethod
    def _inputs(self, channels: Sequence[Channel]) -> Mapping[str, Columns]: ...

    @abstractmethod
    def _outputs(self, channels: Sequence[Channel]) -> Mapping[str, Columns]: ...

    @abstractmethod
    def _cover(self, channel: Channel) -> None: ...
