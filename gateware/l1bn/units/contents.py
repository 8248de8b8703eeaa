"""What a unit holds, counted: the buffers of its samples, its multipliers, and what it has several of."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Value

from ..channels.turns import Registered, Turns
from ..primitives import primitives
from ..streams.registers import SampleBuffer
from ..streams.repeat_buffer import RepeatBuffer
from . import AnyUnit, parts
from .backward import BackwardBatchNorm

__all__ = ["in_turns", "memories", "multipliers"]


def in_turns(unit: AnyUnit) -> list[dict[str, Any]]:
    """What works once a channel and is there several times: what it is, how often, cycles from channel to channel."""
    found = []
    for part in parts(unit):
        if isinstance(part, Turns) and len(part.operators) > 1:
            one = part.operators[0]
            kind = one.operator if isinstance(one, Registered) else one
            found.append(
                {"operator": type(kind).__name__, "number": len(part.operators), "interval": part.interval}
            )
    return sorted(found, key=lambda entry: (entry["operator"], entry["number"]))


def memories(unit: AnyUnit) -> list[dict[str, int]]:
    """The buffers: words, and bits of a word and in all."""
    for part in parts(unit):
        if isinstance(part, BackwardBatchNorm) and part.config.storage == "inside":
            _ = part.buffer  # made when it is first asked for, and then a part as well
    buffers = [part for part in parts(unit) if isinstance(part, SampleBuffer | RepeatBuffer)]
    return [
        {"words": buffer.depth, "width": _word(buffer), "bits": buffer.depth * _word(buffer)} for buffer in buffers
    ]


def _word(buffer: SampleBuffer | RepeatBuffer) -> int:
    return len(Value.cast(buffer.i.payload))


def multipliers(unit: AnyUnit) -> list[dict[str, Any]]:
    """The multipliers by the widths of their factors; what a channel needs only once is made of adders.

    ``blocks`` is there where the unit instantiates a device's own.
    """
    kind = primitives(unit.config.target).multiplier
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for part in parts(unit):
        if isinstance(part, kind):
            factors = (part.a_shape.width, part.b_shape.width)
            entry = found.setdefault(factors, {"factors": list(factors), "number": 0})
            entry["number"] += 1
            if hasattr(part, "parts"):
                entry["blocks"] = entry.get("blocks", 0) + len(part.parts)
    return [found[factors] for factors in sorted(found)]
