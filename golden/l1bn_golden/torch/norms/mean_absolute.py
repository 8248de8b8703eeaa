"""The mean of the absolute values: running_var is M[abs x]."""

from __future__ import annotations

from torch import Tensor

from ..floating import channel_dimensions
from ..modules import BatchNorm, SpreadBatchNorm
from ..spreads import Spread

__all__ = ["MeanAbsoluteBatchNorm1d", "MeanAbsoluteBatchNorm2d", "MeanAbsoluteBatchNorm3d"]


class MeanOfAbsolutes(Spread):
    __doc__ = Spread.__doc__
    layer, about = "a MeanAbsolute", "a mean of absolute values"


class _MeanAbsoluteBatchNorm(SpreadBatchNorm):
    norm = "mean-absolute"
    kept = MeanOfAbsolutes

    @staticmethod
    def spread(centred: Tensor) -> Tensor:
        return centred.abs().mean(channel_dimensions(centred), keepdim=True)


class MeanAbsoluteBatchNorm1d(_MeanAbsoluteBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (2, 3)


class MeanAbsoluteBatchNorm2d(_MeanAbsoluteBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (4,)


class MeanAbsoluteBatchNorm3d(_MeanAbsoluteBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (5,)
