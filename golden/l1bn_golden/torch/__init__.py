"""Batch normalisation for PyTorch with any of the norms, in floating point or in the hardware's integers.

Optional: needs the extra ``train``. The classes take the place of :class:`torch.nn.BatchNorm1d`,
:class:`torch.nn.BatchNorm2d` and :class:`torch.nn.BatchNorm3d`::

    from l1bn_golden import Contract
    from l1bn_golden.torch import L1BatchNorm2d

    layer = L1BatchNorm2d(16)                                                  # floating point
    layer = L1BatchNorm2d(16, formats=Contract(norm="l1", width=8, y_fraction=5))   # integers of 8 bits
"""

from . import norms
from .conversion import convert
from .modules import BatchNorm
from .norms import *  # noqa: F403 (the layers of every norm)

__all__ = ["BatchNorm", "convert", *norms.__all__]
