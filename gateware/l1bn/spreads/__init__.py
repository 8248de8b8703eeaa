"""The spreads: what a norm adds per element and how it finishes a channel. All else is common to the norms.

A spread is a component with

- ``i``: packets of one pass over the samples, the first one or, if ``after_mean``, the second one,
- ``i_mean``: :func:`l1bn.layouts.channel_mean` of each channel,
- ``o``: :func:`l1bn.layouts.spread_result` of each channel,

all in the order of the channels, the attribute ``held``, the most channels that have given their mean and
not yet left, and the closed forms, both for a mean that comes ``mean_latency`` cycles after the final beat
of the first pass,

- ``latency(mean_latency)``: cycles from the final beat of its pass until ``o`` is valid,
- ``interval(mean_latency)``: cycles that a channel keeps the slowest of its steps busy.
"""

from __future__ import annotations

from collections.abc import Callable

from amaranth.lib import wiring

from ..formats import Formats
from .l1 import L1Spread
from .l2 import L2OnePassSpread, L2TwoPassSpread

__all__ = ["SPREADS"]

SPREADS: dict[tuple[str, str], Callable[[Formats], wiring.Component]] = {
    ("l1", "two-pass"): L1Spread,
    ("l2", "two-pass"): L2TwoPassSpread,
    ("l2", "one-pass"): L2OnePassSpread,
}
"""The spread of each norm and form."""
