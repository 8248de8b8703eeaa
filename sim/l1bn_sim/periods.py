"""How far channels are apart in the steady state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEADY", "steady_period"]

STEADY = 6
"""Channels whose distance is measured, after those that fill the buffers."""


def steady_period(periods: NDArray[np.int64]) -> Fraction | None:
    """Cycles from channel to channel in the end, exactly, or ``None`` where there is no steady state yet.

    The channels of operators that take turns come in rounds of as many channels, which repeat.
    """
    for length in range(1, len(periods) // 2 + 1):
        last = periods[-max(2 * length, STEADY) :]
        if (last[length:] == last[:-length]).all():
            return Fraction(int(last[-length:].sum()), length)
    return None
