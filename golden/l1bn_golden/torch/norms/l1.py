"""The L1 norm: running_var is the mean absolute deviation, divided by n."""

from __future__ import annotations

from torch import Tensor

from ..floating import channel_dimensions
from ..modules import BatchNorm, SpreadBatchNorm
from ..spreads import Spread

__all__ = ["L1BatchNorm1d", "L1BatchNorm2d", "L1BatchNorm3d"]


class MeanAbsoluteDeviation(Spread):
    __doc__ = Spread.__doc__
    layer, about = "an L1", "a mean absolute deviation"


class _L1BatchNorm(SpreadBatchNorm):
    norm = "l1"
    kept = MeanAbsoluteDeviation

    @staticmethod
    def spread(centred: Tensor) -> Tensor:
        return centred.abs().mean(channel_dimensions(centred), keepdim=True)


class L1BatchNorm1d(_L1BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (2, 3)


class L1BatchNorm2d(_L1BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (4,)


class L1BatchNorm3d(_L1BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (5,)
