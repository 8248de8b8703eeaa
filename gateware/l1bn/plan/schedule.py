"""How long a unit is busy with the layers of a network, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.lib import wiring

from .network import Layer, Network

__all__ = ["Schedule", "Turn", "schedule"]


@dataclass(frozen=True)
class Turn:
    """What one pass over the channels of a layer takes.

    Parameters
    ----------
    latency : cycles from the first beat in to the first beat out
    interval : cycles from one channel to the next
    beats : in which a channel leaves
    """

    layer: Layer
    latency: int
    interval: int
    beats: int

    @property
    def cycles(self) -> int:
        """From the first beat of the first channel in to the final beat of the last one out, without a pause."""
        return self.latency + (self.layer.channels - 1) * self.interval + self.beats


@dataclass(frozen=True)
class Schedule:
    """The turns of a batch: no layer begins before the one in front of it is done, on whose output it waits."""

    turns: tuple[Turn, ...]

    @property
    def cycles(self) -> int:
        return sum(turn.cycles for turn in self.turns)

    @property
    def samples(self) -> int:
        return sum(turn.layer.channels * turn.layer.count for turn in self.turns)

    def samples_per_second(self, mhz: float) -> float:
        """Samples x of all layers that pass in a second."""
        return self.samples / self.cycles * mhz * 1e6


def schedule(network: Network, passes: Sequence[wiring.Component]) -> Schedule:
    """The turns of all layers in each of ``passes``, units that state ``latency`` and ``cycles_per_channel``."""
    return Schedule(
        tuple(
            Turn(layer, one.latency(layer.count), one.cycles_per_channel(layer.count), layer.count // one.config.lanes)
            for one in passes
            for layer in network.layers
        )
    )
