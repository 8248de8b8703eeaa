"""The range: running_var is max x - min x. Of equal samples the first one has the gradient, as in the hardware."""

from __future__ import annotations

import torch
from torch import Tensor

from ..floating import along_channels
from ..modules import BatchNorm, SpreadBatchNorm
from ..spreads import Spread

__all__ = ["RangeBatchNorm1d", "RangeBatchNorm2d", "RangeBatchNorm3d"]


class RangeOfSamples(Spread):
    __doc__ = Spread.__doc__
    layer, about = "a Range", "a range of samples"


class _RangeBatchNorm(SpreadBatchNorm):
    norm = "range"
    kept = RangeOfSamples

    @staticmethod
    def spread(centred: Tensor) -> Tensor:
        rows = centred.transpose(0, 1).flatten(1)
        # argmax and argmin tell the first of several; max and min over dimensions share the gradient among them.
        greatest, least = (
            rows.gather(1, found(rows.detach(), 1, keepdim=True)) for found in (torch.argmax, torch.argmin)
        )
        return along_channels(greatest - least, centred)


class RangeBatchNorm1d(_RangeBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (2, 3)


class RangeBatchNorm2d(_RangeBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (4,)


class RangeBatchNorm3d(_RangeBatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (5,)
