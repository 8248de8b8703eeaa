"""What channels of every direction have in common: one of the unit's counts, and packets that may say which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from l1bn_golden import Contract

from .packets import Integers, packets

__all__ = ["Channel", "channel_packets", "selects"]


class Channel:
    """One channel of a unit. Of the unit's counts it has the one with the index ``select``."""

    contract: Contract
    select: int

    @property
    def count(self) -> int:
        """Elements that the channel should have."""
        return self.contract.counts[self.select]


def selects(channels: Sequence[Channel], repeats: Sequence[int]) -> dict[str, list[int]]:
    """The column ``select``, where the unit has several counts: each channel's as often as it ``repeats``."""
    if len(channels[0].contract.counts) == 1:
        return {}
    return {
        "select": [channel.select for channel, times in zip(channels, repeats, strict=True) for _ in range(times)]
    }


def channel_packets(channels: Sequence[Channel], rows: Sequence[Integers], sendings: int) -> dict[str, Any]:
    """:func:`l1bn_vectors.packets.packets` of a row a channel, which say which count each channel has."""
    lanes = channels[0].contract.lanes
    beats = [sendings * len(row) // lanes for row in rows]
    return {**packets(rows, lanes, sendings), **selects(channels, beats)}
