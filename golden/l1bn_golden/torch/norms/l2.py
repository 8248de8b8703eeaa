"""The L2 norm, which is that of torch: running_var is the unbiased variance."""

from __future__ import annotations

from torch import Tensor
from torch.nn.modules import batchnorm

from ..modules import BatchNorm

__all__ = ["L2BatchNorm1d", "L2BatchNorm2d", "L2BatchNorm3d"]


class _L2BatchNorm(BatchNorm):
    norm = "l2"

    def _floating(self, input: Tensor) -> Tensor:
        return batchnorm._BatchNorm.forward(self, input)


class L2BatchNorm1d(_L2BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (2, 3)


class L2BatchNorm2d(_L2BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (4,)


class L2BatchNorm3d(_L2BatchNorm):
    __doc__ = BatchNorm.__doc__
    dimensions = (5,)
