"""The layers, one file a norm."""

from __future__ import annotations

from ..modules import BatchNorm
from .l1 import L1BatchNorm1d, L1BatchNorm2d, L1BatchNorm3d
from .l2 import L2BatchNorm1d, L2BatchNorm2d, L2BatchNorm3d
from .mean_absolute import MeanAbsoluteBatchNorm1d, MeanAbsoluteBatchNorm2d, MeanAbsoluteBatchNorm3d
from .range import RangeBatchNorm1d, RangeBatchNorm2d, RangeBatchNorm3d
from .rms import RMSBatchNorm1d, RMSBatchNorm2d, RMSBatchNorm3d

__all__ = [
    "LAYERS",
    "L1BatchNorm1d",
    "L1BatchNorm2d",
    "L1BatchNorm3d",
    "L2BatchNorm1d",
    "L2BatchNorm2d",
    "L2BatchNorm3d",
    "MeanAbsoluteBatchNorm1d",
    "MeanAbsoluteBatchNorm2d",
    "MeanAbsoluteBatchNorm3d",
    "RMSBatchNorm1d",
    "RMSBatchNorm2d",
    "RMSBatchNorm3d",
    "RangeBatchNorm1d",
    "RangeBatchNorm2d",
    "RangeBatchNorm3d",
]

LAYERS: dict[tuple[str, int], type[BatchNorm]] = {
    (layer.norm, max(layer.dimensions) - 2): layer
    for layer in (
        *(L1BatchNorm1d, L1BatchNorm2d, L1BatchNorm3d),
        *(L2BatchNorm1d, L2BatchNorm2d, L2BatchNorm3d),
        *(RangeBatchNorm1d, RangeBatchNorm2d, RangeBatchNorm3d),
        *(RMSBatchNorm1d, RMSBatchNorm2d, RMSBatchNorm3d),
        *(MeanAbsoluteBatchNorm1d, MeanAbsoluteBatchNorm2d, MeanAbsoluteBatchNorm3d),
    )
}
"""The layers by norm and by the 1, 2 or 3 dimensions that a channel of a sample can have."""
