"""What all norms share that subtract no mean."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .base import Norm, Reals

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Uncentred"]


class Uncentred(Norm):
    """A norm whose centre is 0; s is 0 only where all samples are 0."""

    centred = False

    def mean(self, contract: Contract, total: int, count: int) -> int:
        return 0

    def centre_sum(self, total: int) -> int:
        return 0

    def centre(self, values: Reals) -> Reals:
        return np.zeros((len(values), 1))

    def varies(self, x: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
        varying: npt.NDArray[np.bool_] = (x != 0).any(axis=1, keepdims=True)
        return varying

    def mean_error(self, contract: Contract) -> Fraction:
        return Fraction(0)
