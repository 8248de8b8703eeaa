"""Channels on their way through a forward unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from l1bn_golden import Contract, Forward, forward
from l1bn_golden.one_pass import Pivots, Visit

from .channel import Channel, channel_packets, selects
from .packets import Integers, expected_packets
from .traffic import Columns, Traffic

__all__ = ["ForwardChannel", "forward_inputs", "forward_outputs", "forward_traffic", "guessed", "visits"]


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
    visit: Visit | None = None
    """Where means are guessed, what came of it, see :func:`guessed`; left open, it is not compared."""

    @property
    def error(self) -> bool:
        """Whether the unit has to flag the channel."""
        return len(self.x) != self.count

    @cached_property
    def result(self) -> Forward:
        """The golden model's."""
        return forward(self.contract, self.x[None], [self.gamma], [self.beta], self.count)


def guessed(pivots: Pivots, channels: Sequence[ForwardChannel]) -> list[ForwardChannel]:
    """The channels with what comes of the guesses of their means, if they come one after the other."""
    found = zip(channels, visits(pivots, channels), strict=True)
    return [dataclasses.replace(channel, visit=visit) for channel, visit in found]


def visits(pivots: Pivots, channels: Sequence[ForwardChannel]) -> list[Visit]:
    """What comes of the guesses of the channels' means."""
    found = []
    for channel in channels:
        x = np.zeros(channel.count, dtype=channel.x.dtype)
        x[: len(channel.x)] = channel.x[: channel.count]
        r_mantissa, r_exponent = (channel.result.statistics[name][0] for name in ("r_mantissa", "r_exponent"))
        found.append(pivots.visit(x, r_mantissa, r_exponent))
    return found


def _repeats(channel: ForwardChannel) -> int:
    """How often the producer has to send a channel more than after a good guess."""
    if not channel.contract.answers:
        return 0
    if channel.visit is None:
        raise ValueError("visit = None is not possible; allowed: what comes of the guess, where the producer is told")
    return int(not channel.visit.hit)


def forward_inputs(channels: Sequence[ForwardChannel], sendings: int) -> Mapping[str, Columns]:
    """What the producer sends: each packet as often in a row as the unit needs, and the parameters.

    ``sendings`` is how often that is where no guess is bad.
    """
    sent = [channel for channel in channels for _ in range(sendings + _repeats(channel))]
    return {
        "i": channel_packets(sent, [channel.x for channel in sent], 1),
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
    contract = channels[0].contract
    visits = [channel.visit for channel in channels]
    missed: Columns = {}
    if contract.guesses:
        unknown = [visit is None for visit in visits]
        values = [visit is not None and not visit.hit for visit in visits]
        missed = {"missed": np.ma.masked_array(values, mask=unknown, dtype=np.int64)}
    answers: dict[str, Columns] = {}
    if contract.answers:
        wanted = [again for channel in channels for again in [*[1] * _repeats(channel), 0]]
        answers = {"o_next": {"again": wanted}}
    return {
        **answers,
        "o": expected_packets([result.y[0] for result in results], channels[0].contract.lanes, errors),
        "o_stats": {**statistics, **selects(channels, [1] * len(channels)), **missed, "error": errors},
    }


def forward_traffic(channels: Sequence[ForwardChannel], sendings: int) -> Traffic:
    """The streams of a forward unit; ``sendings`` as :attr:`l1bn.config.Configuration.sendings`."""
    return Traffic(forward_inputs(channels, sendings), forward_outputs(channels))
