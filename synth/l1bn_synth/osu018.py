"""Standard cells: Yosys with the Liberty file of the OSU 180 nm library, OpenSTA for time and power.

Both come from Debian, not from PyPI. The library has no memory blocks and no multipliers.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import activity
from .activity import Activity
from .netlist import Netlist
from .tools import FlowError, ToolMissing, package_version, package_versions, run_tool
from .yosys import run_yosys, yosys_version

__all__ = [
    "INSTALL",
    "Cells",
    "Signoff",
    "map_cells",
    "programs",
    "require",
    "sign_off",
    "versions",
]

INSTALL = "apt-get install opensta qflow-tech-osu018"
LIBERTY = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
VOLTAGE = 1.8
# The library has one corner: typical, 1.8 V, 25 degrees.
ABC = "+strash;ifraig;scorr;dch,-f;map,-B,0.9;topo;upsize;dnsize"
FANOUT = 12
"""Most pins that a cell drives; beyond that come trees of buffers."""


@dataclass(frozen=True)
class Cells:
    """A unit mapped to standard cells: netlist (Yosys' JSON), cells by type, area in square micrometres."""

    netlist: str
    cells: dict[str, int]
    area_um2: float
    models: str


@dataclass(frozen=True)
class Signoff:
    """What OpenSTA says: clock frequency in MHz, the path that limits it, power in mW at ``mhz`` with these toggles."""

    fmax_mhz: float
    path: str
    mhz: float
    power_mw: dict[str, float]
    annotated: int


def require() -> None:
    """Raise :exc:`ToolMissing` with the line that installs what is missing."""
    if shutil.which("sta") is None or not LIBERTY.exists():
        raise ToolMissing(f"OpenSTA or the OSU 180 nm library is missing; install: {INSTALL}")


@cache
def _sta_version() -> str:
    done = subprocess.run(["sta", "-version"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.strip()


def programs() -> dict[str, str]:
    """Versions of Yosys with what it requires and of OpenSTA, and a hash of the library."""
    require()
    library = hashlib.sha256(LIBERTY.read_bytes()).hexdigest()
    return {**package_versions("pyosys"), "opensta": _sta_version(), "osu018": library}


def versions() -> dict[str, str]:
    """What a report says of every tool that decides a number."""
    liberty = re.search(r"date\s*:\s*\"?([^\";]*)", LIBERTY.read_text(encoding="utf-8", errors="replace"))
    return {
        "amaranth": package_version("amaranth"),
        "yosys": yosys_version(),
        "opensta": _sta_version(),
        "osu018": liberty[1].strip() if liberty else "undated",
        "verilator": activity.verilator_version(),
    }


def map_cells(rtlil: str) -> Cells:
    """Map a unit, whose top module is ``unit``, to standard cells."""
    with tempfile.TemporaryDirectory(prefix="l1bn-yosys-") as name:
        folder = Path(name)
        (folder / "unit.il").write_text(rtlil, encoding="utf-8")
        run_yosys(
            f"""
            read_liberty -lib {LIBERTY}
            read_rtlil unit.il
            synth -top unit -flatten
            dfflibmap -liberty {LIBERTY}
            abc -liberty {LIBERTY} -script {ABC}
            opt_clean -purge
            setundef -zero
            check
            select unit
            write_json -selected unit.json
            """,
            folder,
        )
        netlist = Netlist((folder / "unit.json").read_text(encoding="utf-8"))
        netlist.insert_buffers(FANOUT, "BUFX4", ("A", "Y"))
        (folder / "buffered.json").write_text(netlist.text(), encoding="utf-8")
        log = run_yosys(
            f"""
            read_liberty -lib {LIBERTY}
            read_json buffered.json
            check
            stat -liberty {LIBERTY}
            """,
            folder,
        )
        area = re.findall(r"Chip area for (?:top )?module '\\unit':\s*([\d.]+)", log)
        if not area:
            raise FlowError("yosys printed no area")
        run_yosys(f"read_liberty {LIBERTY}\nwrite_verilog -noattr cells.v\n", folder)
        models = (folder / "cells.v").read_text(encoding="utf-8")
        cells = netlist.counts()
        return Cells(netlist.text(), cells, float(area[-1]), _modules(models, set(cells)))


def _modules(models: str, wanted: set[str]) -> str:
    modules = re.findall(r"module (\w+)\(.*?endmodule\n", models, re.DOTALL)
    bodies = re.findall(r"module \w+\(.*?endmodule\n", models, re.DOTALL)
    return "\n".join(body for module, body in zip(modules, bodies, strict=True) if module in wanted)


def sign_off(text: str, counted: Activity, mhz: float) -> Signoff:
    """Time a netlist and report its power with the toggles that were counted."""
    require()
    netlist = Netlist(text)
    pins = netlist.driver_pins()
    activities = []
    for net, pin in pins.items():
        toggles = counted.toggles.get(net)
        if toggles is not None:
            rate, duty = toggles / counted.cycles, min(1.0, counted.high[net])
            activities.append(f"set_power_activity -pins {pin} -activity {rate:.5f} -duty {duty:.4f}")
    script = [
        f"read_liberty {LIBERTY}",
        "read_verilog unit.v",
        "link_design unit",
        f"create_clock -name clk -period {1000 / mhz:.4f} [get_ports clk]",
        "set_input_delay -clock clk 0 [all_inputs]",
        "set_output_delay -clock clk 0 [all_outputs]",
        "puts BEGIN-CHECKS",
        "report_checks -path_delay max -format full -digits 4",
        "puts BEGIN-POWER",
        *activities,
        "report_power -digits 8",
        "exit",
    ]
    with tempfile.TemporaryDirectory(prefix="l1bn-sta-") as name:
        folder = Path(name)
        (folder / "unit.v").write_text(netlist.verilog(), encoding="utf-8")
        (folder / "script.tcl").write_text("\n".join(script) + "\n", encoding="utf-8")
        log = run_tool("sta", ["sta", "-no_init", "-no_splash", "-exit", "script.tcl"], folder)
    return parse_signoff(log, mhz, len(activities))


def parse_signoff(log: str, mhz: float, annotated: int) -> Signoff:
    """Time and power out of a log of OpenSTA."""
    checks, _, power = log.partition("BEGIN-POWER")
    slack = re.search(r"(-?[\d.]+)\s+slack", checks)
    start, end = re.search(r"Startpoint: (\S+)", checks), re.search(r"Endpoint: (\S+)", checks)
    rows = re.findall(r"^(\w+)\s+([\d.e+-]+)\s+([\d.e+-]+)\s+([\d.e+-]+)\s+([\d.e+-]+)", power, re.MULTILINE)
    if not (slack and start and end) or "Total" not in {row[0] for row in rows}:
        raise FlowError("sta reported no timing or no power")
    period = 1000 / mhz - float(slack[1])
    gates = len(re.findall(r"^\s+-?[\d.]+\s+-?[\d.]+ [v^] c\d+/", checks, re.MULTILINE))
    milliwatts = {row[0].lower(): float(row[4]) * 1e3 for row in rows}
    return Signoff(
        1000 / period, f"{start[1]} -> {end[1]} ({gates} cells, {period:.2f} ns)", mhz, milliwatts, annotated
    )
