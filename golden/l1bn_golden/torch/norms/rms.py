"""The root of the mean square: running_var is M[x^2], which is a variance about 0."""

from __future__ import annotations

from torch import Tensor

from ..floating import channel_dimensions
from ..modules import BatchNorm, SpreadBatchNorm

__all__ = ["RMSBatchNorm1d", "RMSBatchNorm2d", "RMSBatchNorm3d"]


class _RMSBatchNorm(SpreadBatchNorm):
    norm = "rms"

    @staticmethod
    def spread(centred: Tensor) -> Tensor:
        return centred.square().mean(channel_dimensions(centred), keepdim=True)


class RMSBatchNorm1d(_RMSBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (2, 3)


class RMSBatchNorm2d(_RMSBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (4,)


class RMSBatchNorm3d(_RMSBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (5,)
