"""A backward unit on a bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from l1bn_vectors.backward import BackwardChannel, backward_inputs, backward_outputs
from l1bn_vectors.packets import Integers
from l1bn_vectors.traffic import Columns

from .unit_bench import UnitBench

__all__ = ["BackwardBench"]


class BackwardBench(UnitBench[BackwardChannel]):
    """A backward unit on a bench."""

    def channel(self, x: Integers, dy: Integers, gamma: int, select: int = 0) -> BackwardChannel:
        """A channel with the statistics that belong to x."""
        return BackwardChannel.of(self.contract, x, dy, gamma, select)

    def _inputs(self, channels: Sequence[BackwardChannel]) -> Mapping[str, Columns]:
        return backward_inputs(channels, self.sendings)

    def _outputs(self, channels: Sequence[BackwardChannel]) -> Mapping[str, Columns]:
        return backward_outputs(channels)

    def _cover(self, channel: BackwardChannel) -> None:
        contract, count, result = self.contract, channel.count, channel.result
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
