"""What the norms share whose gradient subtracts one of three means from dy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..samples import Integers, floored_product, saturate
from .base import ChannelGradient

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["subtract_sides"]


def subtract_sides(
    contract: Contract, dy: Integers, sides: Integers, channels: Sequence[ChannelGradient]
) -> Integers:
    """dx = ``floor(c * (dy - (m0 + s * a) / 2**Gm) * 2**-sh + 1/2)`` with s the side of a sample: one product."""
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
