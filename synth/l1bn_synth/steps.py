"""The steps that the flows are made of, each with the versions of the programs that decide its result."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from . import activity, nextpnr, yosys
from .activity import Activity, Vectors, simulate
from .cache import Step
from .devices import PLAIN, Device, Effort
from .nextpnr import Area, CriticalPath, Timing, pack, route
from .yosys import Synthesis, synthesise, synthesise_verilog

__all__ = ["area_step", "simulation_step", "synthesis_step", "timing_steps", "verilog_step"]


def synthesis_step(rtlil: str, device: Device, dsp: bool, effort: Effort = PLAIN) -> Step:
    """Map a unit to the cells of a device's family."""
    arguments = (rtlil, device.family, dsp, effort.synthesis)
    return Step("synthesis", synthesise, arguments, lambda data: Synthesis(**data), yosys.programs)


def verilog_step(sources: Mapping[str, str], top: str, device: Device) -> Step:
    """Map a design in Verilog, the text of each file by its name, to the cells of a device's family."""
    arguments = (sources, top, device.family)
    return Step("verilog", synthesise_verilog, arguments, lambda data: Synthesis(**data), yosys.programs)


def simulation_step(verilog: str, cells: str, vectors: Vectors) -> Step:
    """Simulate a netlist."""
    arguments = (verilog, cells, vectors)
    return Step("activity", simulate, arguments, lambda data: Activity(**data), activity.programs)


def area_step(synthesis: Synthesis, device: Device) -> Step:
    """Pack a unit alone."""
    arguments = (synthesis.netlist, synthesis.cells, device)
    return Step("area", pack, arguments, lambda data: Area(**data), _placer(device))


def timing_steps(
    synthesis: Synthesis, device: Device, seeds: int, effort: Effort = PLAIN, wires: bool = False
) -> list[Step]:
    """Place and route a harnessed unit with the seeds from 1; ``wires`` measures the nets of the first run."""
    return [
        Step(
            "timing",
            route,
            (synthesis.harnessed, device, seed, effort.placement, wires and seed == 1),
            _timing,
            _placer(device),
        )
        for seed in range(1, seeds + 1)
    ]


def _placer(device: Device) -> partial[dict[str, str]]:
    return partial(nextpnr.programs, device.family)


def _timing(data: Mapping[str, Any]) -> Timing:
    return Timing(**{**data, "path": CriticalPath(**data["path"])})
