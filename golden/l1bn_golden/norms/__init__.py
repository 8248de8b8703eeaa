"""The norms, one file each: everything that one of them has for itself.

What is common to all asks the :class:`Norm` that :func:`norm_of` gives, and never compares a name.
"""

from __future__ import annotations

from .base import ChannelGradient, Gradient, Norm
from .l1 import L1
from .l2 import L2
from .mean_absolute import MeanAbsolute
from .range import Range
from .rms import RMS

__all__ = ["NORMS", "STATISTICS", "ChannelGradient", "Gradient", "Norm", "gradient_of", "norm_of"]

# An entry that a norm lacks makes it abstract, so that this line raises TypeError.
NORMS: dict[str, Norm] = {norm.name: norm for norm in (L1(), L2(), Range(), RMS(), MeanAbsolute())}
"""Every norm by its name."""

STATISTICS = tuple(dict.fromkeys(name for norm in NORMS.values() for name in norm.statistics))
"""The extra statistics that any norm has, by name."""


def norm_of(name: object) -> Norm:
    """The norm of that name, or :exc:`ValueError` of one line."""
    for norm in NORMS.values():
        if norm.name == name:
            return norm
    *others, last = NORMS
    raise ValueError(f"norm = {name!r} is not possible; allowed: {', '.join(others)} or {last}")


def gradient_of(norm: Norm) -> Gradient:
    """The backward pass of a norm, or :exc:`ValueError` of one line where it has none."""
    if norm.gradient is None:
        allowed = " or ".join(other.name for other in NORMS.values() if other.gradient is not None)
        raise ValueError(f"norm = {norm.name!r} is not possible in a backward pass; allowed: {allowed}")
    return norm.gradient
