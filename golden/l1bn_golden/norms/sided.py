"""What the gradients share that scale dy alone and subtract one of three numbers from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..samples import Integers, floored_product, saturate
from .base import ChannelGradient, Gradient, Reals

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["SidedGradient"]


class SidedGradient(Gradient):
    """One product an element."""

    scales_x = False

    def x_scale(
        self, contract: Contract, k: int, sh: int, a: int, r_mantissa: int, r_exponent: int
    ) -> tuple[int, int]:
        return 0, 0

    def apply(
        self,
        contract: Contract,
        x: Integers,
        dy: Integers,
        sides: Integers,
        channels: Sequence[ChannelGradient],
    ) -> Integers:
        """``floor(c * (dy - (m0 + s * a) / 2**Gm) * 2**-sh + 1/2)`` with s the side of a sample."""
        halves = floored_product(
            dy,
            contract.dy_width,
            [channel.c for channel in channels],
            [[channel.m0 + s * channel.a for s in (-1, 0, 1)] for channel in channels],
            contract.Gm,
            [channel.sh - 1 for channel in channels],
            choice=sides.astype(np.intp) + 1,
        )
        return saturate((halves + 1) >> 1, contract.dx_width)

    def bound_terms(
        self,
        contract: Contract,
        A: Reals | float,
        K: Reals | float,
        a: Reals | float,
        distance: Reals | float,
        rho: Reals | float,
    ) -> tuple[Reals | float, ...]:
        return ()
