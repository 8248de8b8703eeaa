"""From a unit of the registry to a row of the report, on one device of an FPGA family."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from . import activity, nextpnr, yosys
from .activity import Activity, cell_models, simulate
from .cache import Step
from .devices import Device
from .elaborate import Elaboration, elaborate
from .energy import Energy, coefficients, estimate
from .netlist import Netlist
from .nextpnr import Area, CriticalPath, Timing, check_capacity, pack, route
from .registry import Unit
from .tools import package_version
from .vectors import Vectors
from .yosys import Synthesis, synthesise

__all__ = ["Measurement", "Point", "measure", "steps_of", "versions"]


@dataclass(frozen=True)
class Point:
    """A unit on a device, with multiplier blocks or without."""

    unit: Unit
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
    """Versions of every tool that decides a number."""
    return {
        "amaranth": package_version("amaranth"),
        "yosys": yosys.yosys_version(),
        f"nextpnr-{family}": nextpnr.nextpnr_version(family),
        "verilator": activity.verilator_version(),
    }


def steps_of(seeds: int) -> int:
    """Steps of a flow: synthesis, simulation, packing and a run for each seed."""
    return 3 + seeds


def measure(point: Point, seeds: int) -> Generator[list[Step], list[Any], Measurement]:
    """The flow of a point.

    The netlist is simulated before anything is measured: one that computes wrongly has no figure of any kind.
    """
    device = point.device
    tools = versions(device.family)
    used = {name: tools[name] for name in ("yosys",)}
    elaboration = elaborate(point.unit, point.primitives)
    arguments = (elaboration.rtlil, device.family, point.dsp)
    (synthesis,) = yield [Step("synthesis", synthesise, arguments, lambda data: Synthesis(**data), used)]
    netlist = Netlist(synthesis.netlist)

    cells = cell_models(device.family)
    (counted,) = yield [simulation_step(netlist.verilog(), cells, elaboration.vectors)]

    placer = f"nextpnr-{device.family}"
    used = {placer: tools[placer]}
    packed = (synthesis.netlist, synthesis.cells, device)
    (area,) = yield [Step("area", pack, packed, lambda data: Area(**data), used)]
    check_capacity(area, device)

    timings = yield [
        Step("timing", route, (synthesis.harnessed, device, seed, seed == 1), _timing, used)
        for seed in range(1, seeds + 1)
    ]
    values = coefficients(device.family)
    energy = estimate(netlist, counted, timings[0].pips, values, device.voltage)
    return Measurement(point, elaboration, synthesis.cells, area, timings, counted, energy)


def simulation_step(verilog: str, cells: str, vectors: Vectors) -> Step:
    """Simulate a netlist."""
    used = {"verilator": activity.verilator_version()}
    return Step("activity", simulate, (verilog, cells, vectors), lambda data: Activity(**data), used)


def _timing(data: Mapping[str, Any]) -> Timing:
    return Timing(**{**data, "path": CriticalPath(**data["path"])})
