"""A forward unit on a bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from l1bn_golden.one_pass import Pivots
from l1bn_vectors.forward import ForwardChannel, forward_inputs, forward_outputs, guessed
from l1bn_vectors.packets import Integers
from l1bn_vectors.traffic import Columns

from .bench import Bench
from .unit_bench import UnitBench

__all__ = ["ForwardBench"]


class ForwardBench(UnitBench[ForwardChannel]):
    """A forward unit on a bench.

    A producer that holds the samples and is told what to send next follows the model's guesses, which the unit must
    share: what it says is compared.
    """

    def __init__(self, bench: Bench, configuration: Mapping[str, Any]):
        super().__init__(bench, configuration)
        self.pivots = Pivots(self.contract)

    def send(self, channels: Sequence[ForwardChannel]) -> None:
        super().send(self._guessed(channels))

    def pass_through(self, channels: Sequence[ForwardChannel]) -> None:
        super().pass_through(self._guessed(channels))

    def _guessed(self, channels: Sequence[ForwardChannel]) -> Sequence[ForwardChannel]:
        unknown = self.contract.answers and channels[0].visit is None
        return guessed(self.pivots, channels) if unknown else channels

    def channel(self, x: Integers, gamma: int, beta: int, select: int = 0) -> ForwardChannel:
        return ForwardChannel(self.contract, x, gamma, beta, select)

    def _inputs(self, channels: Sequence[ForwardChannel]) -> Mapping[str, Columns]:
        return forward_inputs(channels, self.sendings)

    def _outputs(self, channels: Sequence[ForwardChannel]) -> Mapping[str, Columns]:
        return forward_outputs(channels)

    def _cover(self, channel: ForwardChannel) -> None:
        contract, count, result = self.contract, channel.count, channel.result
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
