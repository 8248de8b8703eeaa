"""From a unit of the registry to a row of the report, on one device of an FPGA family."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from statistics import median
from typing import Any

from . import activity, nextpnr, yosys
from . import elaborate as elaborate_module
from .activity import Activity, cell_models
from .cache import Step
from .devices import PLAIN, WHOLE_UNITS, Device, Effort
from .elaborate import Elaboration, elaborate
from .energy import Energy, coefficients, estimate
from .netlist import Netlist
from .nextpnr import Area, CriticalPath, Timing, check_capacity
from .registry import Subject
from .steps import area_step, simulation_step, synthesis_step, timing_steps
from .tools import package_version

__all__ = ["Measurement", "Point", "measure", "programs", "steps_of", "versions"]


@dataclass(frozen=True)
class Point:
    """A unit on a device, with multiplier blocks or without."""

    unit: Subject
    device: Device
    dsp: bool

    @property
    def name(self) -> str:
        choice = self.unit.multiplies and self.device.has_dsp and not self.dsp
        return f"{self.unit.key} on {self.device.name}{' without DSP' if choice else ''}"

    @property
    def primitives(self) -> str:
        """Whose multipliers and memories the unit is built from."""
        if self.device.family == "ecp5":
            return "ecp5" if self.dsp else "ecp5-logic"
        return "ice40" if self.dsp else "logic"

    @property
    def effort(self) -> Effort:
        """Options of the tools beyond their defaults."""
        return WHOLE_UNITS[self.device.family] if self.unit.group == "top" else PLAIN


@dataclass(frozen=True)
class Measurement:
    """All that is known of a point."""

    point: Point
    elaboration: Elaboration
    cells: dict[str, int]
    area: Area
    timings: list[Timing]
    activity: Activity
    energy: Energy

    @property
    def fmax(self) -> dict[str, float | int]:
        """Clock frequency in MHz over all seeds."""
        values = [timing.fmax_mhz for timing in self.timings]
        return {
            "median": round(median(values), 1),
            "min": round(min(values), 1),
            "max": round(max(values), 1),
            "seeds": len(values),
        }

    @property
    def critical_path(self) -> CriticalPath:
        """Of the seed with the median frequency."""
        return sorted(self.timings, key=lambda timing: timing.fmax_mhz)[len(self.timings) // 2].path

    @property
    def samples_per_second(self) -> float:
        """At the median frequency, with a producer and sinks that never wait."""
        unit = self.point.unit
        samples = unit.count or 1
        return self.fmax["median"] * 1e6 * samples / self.elaboration.cycles_per_channel


def versions(family: str) -> dict[str, str]:
    """What a report says of every tool that decides a number."""
    return {
        "amaranth": package_version("amaranth"),
        "yosys": yosys.yosys_version(),
        f"nextpnr-{family}": nextpnr.nextpnr_version(family),
        "verilator": activity.verilator_version(),
    }


def programs(family: str) -> dict[str, str]:
    """Versions of every program that decides a number, each with what it requires."""
    return {
        **elaborate_module.programs(),
        **yosys.programs(),
        **nextpnr.programs(family),
        **activity.programs(),
    }


def steps_of(seeds: int) -> int:
    """Steps of a flow: synthesis, simulation, packing and a run for each seed."""
    return 3 + seeds


def measure(point: Point, seeds: int) -> Generator[list[Step], list[Any], Measurement]:
    """The flow of a point.

    The netlist is simulated before anything is measured: one that computes wrongly has no figure of any kind.
    """
    device = point.device
    elaboration = elaborate(point.unit, point.primitives)
    (synthesis,) = yield [synthesis_step(elaboration.rtlil, device, point.dsp, point.effort)]
    netlist = Netlist(synthesis.netlist)
    (counted,) = yield [simulation_step(netlist.verilog(), cell_models(device.family), elaboration.vectors)]
    (area,) = yield [area_step(synthesis, device)]
    check_capacity(area, device)
    timings = yield timing_steps(synthesis, device, seeds, point.effort, wires=True)
    values = coefficients(device.family)
    energy = estimate(netlist, counted, timings[0].pips, values, device.voltage)
    return Measurement(point, elaboration, synthesis.cells, area, timings, counted, energy)
