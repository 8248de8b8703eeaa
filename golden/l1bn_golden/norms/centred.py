"""What all norms share that subtract the mean of the channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..channel import divide_by_count
from .base import Norm, Reals

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Centred"]


class Centred(Norm):
    """A norm whose centre is the mean; s is 0 only where all samples are equal."""

    centred = True

    def mean(self, contract: Contract, total: int, count: int) -> int:
        return divide_by_count(total, contract.G, count)

    def centre_sum(self, total: int) -> int:
        return total

    def centre(self, values: Reals) -> Reals:
        means: Reals = values.mean(axis=1, keepdims=True)
        return means

    def varies(self, x: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        varying: npt.NDArray[np.bool_] = x.max(axis=1, keepdims=True) > x.min(axis=1, keepdims=True)
        return varying
