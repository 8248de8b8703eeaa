"""Blocks that a device has in silicon, each behind one interface with a portable description."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import ConfigurationError
from . import ecp5, ice40, logic, portable

__all__ = ["TARGETS", "Primitives", "primitives"]


class Primitives(NamedTuple):
    """The components of one target, with the interfaces of :mod:`l1bn.primitives.portable`."""

    multiplier: Any
    memory: Any


TARGETS = {
    "portable": Primitives(portable.Multiplier, portable.SampleMemory),
    "logic": Primitives(logic.Multiplier, logic.SampleMemory),
    "ecp5": Primitives(ecp5.Multiplier, ecp5.SampleMemory),
    "ecp5-logic": Primitives(logic.Multiplier, ecp5.SampleMemory),
    "ice40": Primitives(ice40.Multiplier, ice40.SampleMemory),
}
"""Plain registers and memories for any tool; the same without multiplier blocks; Lattice ECP5, with its multiplier
blocks and without; iCE40 UltraPlus."""


def primitives(target: str) -> Primitives:
    """The components of a target; :exc:`~l1bn.errors.ConfigurationError` for one that is none."""
    if target not in TARGETS:
        raise ConfigurationError("target", target, ", ".join(TARGETS))
    return TARGETS[target]
