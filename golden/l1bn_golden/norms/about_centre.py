"""What gradients share in which every sample pulls at r from its side of the centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..samples import Integers, sign
from .base import Gradient, Reals

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["AboutCentre"]


class AboutCentre(Gradient):
    """q is of the size of 1 for every sample, and a is a mean."""

    averaged = True

    def correlation_error(self, q: Reals | float) -> Reals | float:
        """Of the floor of H and of the rounding of a."""
        return 1.5 * q

    def sides(
        self, contract: Contract, x: Integers, means: Sequence[int], statistics: Sequence[Mapping[str, int]]
    ) -> Integers:
        return sign(x, means, contract.G)
