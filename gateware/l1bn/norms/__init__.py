"""The norms: a room each, in which everything stands that is one norm's alone.

What is common to the norms asks the :class:`Norm` of its configuration, ``config.traits``, and never for a name.
"""

from __future__ import annotations

from .l1 import L1
from .l2 import L2
from .mean_absolute import MeanAbsolute
from .norm import ErrorTerms, GradientFacts, GuessingSpread, Norm, Spread, Statistic, Width
from .range import Range
from .rms import RMS

__all__ = ["NORMS", "ErrorTerms", "GradientFacts", "GuessingSpread", "Norm", "Spread", "Statistic", "Width"]

NORMS: dict[str, Norm] = {norm.name: norm for norm in (L1(), L2(), Range(), RMS(), MeanAbsolute())}
"""Every norm by its name. One that is put here can be configured, built, explained and exported."""
