"""Yosys: from a unit's RTLIL to its mapped netlist, alone and inside the harness."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .harness import Port, harness_rtlil
from .netlist import Netlist
from .tools import FlowError, package_version, package_versions, python_tool, run_tool

__all__ = [
    "Synthesis",
    "check_log",
    "programs",
    "run_yosys",
    "synthesise",
    "synthesise_verilog",
    "yosys_version",
]

# What Yosys only warns about, or merely mentions, and what makes hardware that does something else.
FATAL = (
    (re.compile(r"Warning: .*Driver-driver conflict"), "two drivers on one net"),
    (re.compile(r"Warning: .*multiple conflicting drivers"), "two drivers on one net"),
    (re.compile(r"Latch inferred for signal"), "an inferred latch"),
    (re.compile(r"Warning: .*(logic|combinational) loop"), "a combinational loop"),
    (re.compile(r"Warning: .*is used but has no driver"), "an undriven net"),
)

_PROGRAM = "import sys; from pyosys import libyosys as ys; ys.run_pass('script ' + sys.argv[1], ys.Design())"


# Where an addition has the same net twice in a bit, as where both operands repeat their sign, the carry is that net and
# the sum is the carry that comes in. Left as it is, the net ends twice in one logic cell, and the router of
# nextpnr-ice40 0.11 may swap the two ends for ever.
ICE40_CARRY = """
(* techmap_celltype = "$__ICE40_CARRY_WRAPPER" *)
module same_operands(output CO, O, input A, B, CI, I0, I3);
    parameter LUT = 0;
    parameter I3_IS_CI = 0;
    parameter _TECHMAP_CONNMAP_A_ = 0;
    parameter _TECHMAP_CONNMAP_B_ = 0;
    wire _TECHMAP_FAIL_ = LUT != 16'h6996 || !I3_IS_CI || _TECHMAP_CONNMAP_A_ != _TECHMAP_CONNMAP_B_;
    assign CO = A;
    SB_LUT4 #(.LUT_INIT(16'hFF00)) sum (.I0(1'b0), .I1(1'b0), .I2(1'b0), .I3(CI), .O(O));
endmodule
"""


@dataclass(frozen=True)
class Synthesis:
    """A mapped unit.

    ``netlist`` (Yosys' JSON) is the unit alone, ``harnessed`` is nextpnr's input; ``cells`` counts cells of the
    unit by type.
    """

    netlist: str
    harnessed: str
    cells: dict[str, int]


def yosys_version() -> str:
    """Version of the Yosys that is used."""
    return package_version("pyosys")


def programs() -> dict[str, str]:
    """Versions of Yosys and of what it requires."""
    return package_versions("pyosys")


def run_yosys(script: str, folder: Path) -> str:
    """Run a script in ``folder``, one command a line, and return its log.

    Raises :exc:`FlowError` for what :func:`check_log` finds, and where Yosys fails.
    """
    (folder / "script.ys").write_text(script, encoding="utf-8")
    log = run_tool("yosys", [*python_tool(_PROGRAM), "script.ys"], folder)
    check_log(log)
    return log


def check_log(log: str) -> None:
    """Raise :exc:`FlowError` if a log tells of hardware that does not do what its source says."""
    for pattern, what in FATAL:
        for line in log.splitlines():
            if pattern.search(line):
                raise FlowError(f"yosys found {what}: {line.strip()}")


def read_ports(netlist: Mapping[str, Any], module: str = "unit") -> dict[str, Port]:
    """The ports of a module of a netlist in Yosys' JSON."""
    ports = netlist["modules"][module]["ports"]
    return {name: Port(port["direction"], len(port["bits"])) for name, port in ports.items()}


def synthesis_command(family: str, dsp: bool, top: str, options: Sequence[str] = ()) -> str:
    """The synthesis of one FPGA family, with or without multiplier blocks; on iCE40 it reads ``carry.v``.

    The library instantiates its multiplier blocks. On iCE40 Yosys must not look for more: its pass also rewrites
    an SB_MAC16 that is there already and drops the registers inside it, without a warning.
    """
    command = " ".join((f"synth_{family} -top {top}", *options))
    if family == "ice40":
        return f"""
            {command} -run :map_ffs
            techmap -map carry.v
            opt -fast
            {command} -run map_ffs:
            """
    return command + ("" if dsp else " -nodsp")


def synthesise(rtlil: str, family: str, dsp: bool, options: Sequence[str] = ()) -> Synthesis:
    """Map a unit, whose top module is ``unit``, to the cells of an FPGA.

    The unit is mapped alone, so that its area is its own; the harness is mapped around the finished netlist.
    ``options`` are those of Yosys' synthesis of the unit beyond its defaults.

    Raises
    ------
    FlowError
        If Yosys fails, or reports a latch, a loop, an undriven or a doubly driven net.
    """
    with tempfile.TemporaryDirectory(prefix="l1bn-yosys-") as name:
        folder = Path(name)
        (folder / "unit.il").write_text(rtlil, encoding="utf-8")
        (folder / "carry.v").write_text(ICE40_CARRY, encoding="utf-8")
        run_yosys(
            f"""
            read_rtlil unit.il
            {synthesis_command(family, dsp, "unit", options)}
            check
            select unit
            write_json -selected unit.json
            write_rtlil -selected mapped.il
            """,
            folder,
        )
        netlist = (folder / "unit.json").read_text(encoding="utf-8")
        parsed = json.loads(netlist)
        (folder / "harness.il").write_text(harness_rtlil(read_ports(parsed)), encoding="utf-8")
        run_yosys(
            f"""
            read_rtlil mapped.il
            setattr -mod -set blackbox 1 unit
            read_rtlil harness.il
            {synthesis_command(family, dsp, "harness")}
            setattr -mod -unset blackbox =unit
            flatten
            opt_clean -purge
            check
            select harness
            write_json -selected harness.json
            """,
            folder,
        )
        return Synthesis(
            netlist,
            (folder / "harness.json").read_text(encoding="utf-8"),
            Netlist(netlist).counts(),
        )


def synthesise_verilog(sources: Mapping[str, str], top: str, family: str) -> Synthesis:
    """Map a design in Verilog, the text of each file by its name, to the cells of an FPGA."""
    with tempfile.TemporaryDirectory(prefix="l1bn-yosys-") as name:
        folder = Path(name)
        for file, text in sources.items():
            (folder / file).write_text(text, encoding="utf-8")
        run_yosys(
            f"""
            read_verilog {" ".join(sources)}
            hierarchy -top {top}
            proc
            rename {top} unit
            write_rtlil unit.il
            """,
            folder,
        )
        return synthesise((folder / "unit.il").read_text(encoding="utf-8"), family, dsp=True)
