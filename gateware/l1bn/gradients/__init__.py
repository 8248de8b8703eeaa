"""The gradients: how a norm makes dx of dy, and what it keeps for that. All else is common to the norms.

A gradient is a component with

- ``i``: :func:`l1bn.backward_layouts.scaled_record` of each channel,
- ``i_beats``: packets of the second pass, the layout that ``stored(formats)`` gives, with ``error``,
- ``o``: packets of dx with ``error``,

all in the order of the channels, and the closed forms

- ``latency``: cycles from a channel at ``i`` until its first beat at ``i_beats`` is taken,
- ``interval``: cycles that a channel keeps the slowest of its steps busy,
- ``apply_latency``: cycles from a beat at ``i_beats`` to its dx at ``o``.
"""

from __future__ import annotations

from typing import Any

from .l1 import L1Gradient
from .l2 import L2Gradient

__all__ = ["GRADIENTS"]

GRADIENTS: dict[str, Any] = {"l1": L1Gradient, "l2": L2Gradient}
"""The gradient of each norm."""
