"""From a unit of the registry to a row of the report, in standard cells."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from . import activity, osu018
from . import elaborate as elaborate_module
from .activity import Activity
from .cache import Step
from .elaborate import Elaboration, elaborate
from .netlist import Netlist
from .osu018 import Cells, Signoff, map_cells, sign_off
from .registry import Subject
from .steps import simulation_step

__all__ = ["CellMeasurement", "measure_cells", "programs", "steps_of"]


@dataclass(frozen=True)
class CellMeasurement:
    """All that is known of a unit in standard cells."""

    unit: Subject
    elaboration: Elaboration
    cells: Cells
    activity: Activity
    signoff: Signoff


def programs() -> dict[str, str]:
    """Versions of every program that decides a number, each with what it requires."""
    return {**elaborate_module.programs(), **osu018.programs(), **activity.programs()}


def steps_of() -> int:
    """Steps of a flow."""
    return 3


def measure_cells(unit: Subject, mhz: float) -> Generator[list[Step], list[Any], CellMeasurement]:
    """The flow of a unit: synthesis, simulation against the golden model, time and power at ``mhz``."""
    elaboration = elaborate(unit.for_target("osu018"), "logic")
    arguments = (elaboration.rtlil,)
    (cells,) = yield [Step("cells", map_cells, arguments, lambda data: Cells(**data), osu018.programs)]
    netlist = Netlist(cells.netlist)
    (counted,) = yield [simulation_step(netlist.verilog(), cells.models, elaboration.vectors)]
    signing = (cells.netlist, counted, mhz)
    (result,) = yield [Step("signoff", sign_off, signing, lambda data: Signoff(**data), osu018.programs)]
    return CellMeasurement(unit, elaboration, cells, counted, result)
