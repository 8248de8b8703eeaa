"""A mapped netlist: which cell drives each net, how many pins it feeds, and the netlist as Verilog for simulation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CLASSES", "Net", "Netlist", "cell_class"]

CLASSES = ("lut", "carry", "ff", "dsp", "bram", "input")
"""What drives a net; ``input`` is a port of the unit."""

_CLASS_OF = {
    "LUT4": "lut",
    "PFUMX": "lut",
    "L6MUX21": "lut",
    "SB_LUT4": "lut",
    "CCU2C": "carry",
    "SB_CARRY": "carry",
    "MULT18X18D": "dsp",
    "SB_MAC16": "dsp",
    "DP16KD": "bram",
    "SB_RAM40_4K": "bram",
    "TRELLIS_DPR16X4": "bram",
}
_CLOCKS = frozenset({"CLK", "CLK0", "CLKA", "CLKB", "RCLK", "WCLK", "WCK"})


def clock_pins(kind: str) -> frozenset[str]:
    """The pins of a cell's type that may be clocks."""
    return frozenset({"C"}) if kind.startswith("SB_DFF") else _CLOCKS


def cell_class(kind: str) -> str:
    """The class of a cell's type; what is no block or flip-flop is logic."""
    if kind.startswith(("TRELLIS_FF", "SB_DFF", "DFF")):
        return "ff"
    return _CLASS_OF.get(kind, "lut")


@dataclass(frozen=True)
class Net:
    """One bit: its name in the simulation, the class of its driver, the pins that it feeds, the names it goes by."""

    name: str
    driver: str
    fanout: int
    aliases: tuple[str, ...]


class Netlist:
    """The module ``unit`` of a netlist in Yosys' JSON."""

    def __init__(self, text: str):
        self.module: dict[str, Any] = json.loads(text)["modules"]["unit"]
        self.cells: dict[str, dict[str, Any]] = {
            name: cell for name, cell in self.module["cells"].items() if not cell["type"].startswith("$")
        }

    def counts(self) -> dict[str, int]:
        """Cells by type."""
        kinds = [cell["type"] for cell in self.cells.values()]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    def nets(self) -> dict[str, Net]:
        """Every driven net by its name in the simulation, the clock left out."""
        drivers: dict[int, str] = {}
        fanout: dict[int, int] = {}
        clocks: set[int] = set()
        for name, port in self.module["ports"].items():
            for bit in port["bits"]:
                if port["direction"] == "input":
                    drivers[bit] = "input"
                    if name == "clk":
                        clocks.add(bit)
        for cell in self.cells.values():
            for pin, bits in cell["connections"].items():
                for bit in bits:
                    if isinstance(bit, str):
                        continue
                    if cell["port_directions"][pin] == "output":
                        drivers[bit] = cell_class(cell["type"])
                    elif pin not in clock_pins(cell["type"]):
                        fanout[bit] = fanout.get(bit, 0) + 1
        aliases = self._aliases()
        return {
            f"n{bit}": Net(f"n{bit}", driver, fanout.get(bit, 0), tuple(aliases.get(bit, ())))
            for bit, driver in drivers.items()
            if bit not in clocks
        }

    def insert_buffers(self, limit: int, kind: str, pins: tuple[str, str]) -> None:
        """Put trees of buffers behind every net, the clock apart, that feeds more than ``limit`` pins of cells.

        ``kind`` is the cell's type, ``pins`` its input and output.
        """
        sinks: dict[int, list[tuple[list[int | str], int]]] = {}
        for cell in self.cells.values():
            for pin, bits in cell["connections"].items():
                if cell["port_directions"][pin] == "input" and pin not in clock_pins(cell["type"]):
                    for place, bit in enumerate(bits):
                        if isinstance(bit, int):
                            sinks.setdefault(bit, []).append((bits, place))
        free = 1 + max(
            bit for net in self.module["netnames"].values() for bit in net["bits"] if isinstance(bit, int)
        )
        work = [bit for bit, fed in sinks.items() if len(fed) > limit]
        while work:
            bit = work.pop()
            fed = sinks[bit]
            sinks[bit] = []
            # As many buffers as leave none of them more than its share; with too many of these, a further level.
            for start in range(0, len(fed), limit):
                for bits, place in fed[start : start + limit]:
                    bits[place] = free
                source: list[int | str] = [bit]
                self.module["cells"][f"fanout_{free}"] = self.cells[f"fanout_{free}"] = {
                    "hide_name": 0,
                    "type": kind,
                    "parameters": {},
                    "attributes": {},
                    "port_directions": {pins[0]: "input", pins[1]: "output"},
                    "connections": {pins[0]: source, pins[1]: [free]},
                }
                self.module["netnames"][f"buffer_{free}"] = {"hide_name": 0, "bits": [free], "attributes": {}}
                sinks[bit].append((source, 0))
                free += 1
            if len(sinks[bit]) > limit:
                work.append(bit)

    def text(self) -> str:
        """The netlist in Yosys' JSON."""
        return json.dumps({"creator": "l1bn", "modules": {"unit": self.module}})

    def driver_pins(self) -> dict[str, str]:
        """The pin of the simulation's netlist that drives each net; ports that do are left out."""
        pins = {}
        for index, cell in enumerate(self.cells.values()):
            for pin, bits in cell["connections"].items():
                if cell["port_directions"][pin] == "output" and len(bits) == 1 and isinstance(bits[0], int):
                    pins[f"n{bits[0]}"] = f"c{index}/{pin}"
        return pins

    def _aliases(self) -> dict[int, list[str]]:
        names: dict[int, list[str]] = {}
        for name, net in self.module["netnames"].items():
            for index, bit in enumerate(net["bits"]):
                if isinstance(bit, int):
                    names.setdefault(bit, []).append(name if len(net["bits"]) == 1 else f"{name}[{index}]")
        return names

    def clocked(self) -> dict[str, int]:
        """Cells with a clock by class."""
        counts: dict[str, int] = {}
        for cell in self.cells.values():
            if clock_pins(cell["type"]) & cell["connections"].keys():
                kind = cell_class(cell["type"])
                counts[kind] = counts.get(kind, 0) + 1
        return counts

    def enables(self, pins: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
        """The nets at the named pins of every cell of a type in ``pins``; constants are ``0`` and ``1``."""
        for cell in self.cells.values():
            for group in pins.get(cell["type"], ()):
                bits = [bit for pin in group.split("&") for bit in cell["connections"].get(pin, ["1"])]
                yield [bit if isinstance(bit, str) else f"n{bit}" for bit in bits]

    def inputs_of(self, wanted: str) -> dict[str, int]:
        """The nets that feed cells of a class, clocks left out, and how many of their pins each feeds."""
        fed: dict[str, int] = {}
        for cell in self.cells.values():
            if cell_class(cell["type"]) != wanted:
                continue
            for pin, bits in cell["connections"].items():
                if cell["port_directions"][pin] == "input" and pin not in clock_pins(cell["type"]):
                    for bit in bits:
                        if isinstance(bit, int):
                            fed[f"n{bit}"] = fed.get(f"n{bit}", 0) + 1
        return fed

    def verilog(self) -> str:
        """The netlist with one scalar per net, so that the simulation sees each net once, by a short name."""
        ports = self.module["ports"]
        lines = [f"module unit({', '.join(ports)});"]
        bits: set[int] = set()
        for name, port in ports.items():
            width = len(port["bits"])
            lines.append(f"  {port['direction']} {f'[{width - 1}:0] ' if width > 1 else ''}{name};")
            bits |= {bit for bit in port["bits"] if isinstance(bit, int)}
        for cell in self.cells.values():
            for connected in cell["connections"].values():
                bits |= {bit for bit in connected if isinstance(bit, int)}
        lines += [f"  wire n{bit};" for bit in sorted(bits)]
        for name, port in ports.items():
            nets = _concatenation(port["bits"])
            left, right = (nets, name) if port["direction"] == "input" else (name, nets)
            lines.append(f"  assign {left} = {right};")
        for index, cell in enumerate(self.cells.values()):
            parameters = ", ".join(f".{key}({_literal(value)})" for key, value in cell["parameters"].items())
            pins = ", ".join(f".{pin}({_concatenation(nets)})" for pin, nets in cell["connections"].items())
            lines.append(f"  {cell['type']} {f'#({parameters}) ' if parameters else ''}c{index}({pins});")
        return "\n".join([*lines, "endmodule", ""])


def _concatenation(bits: list[int | str]) -> str:
    nets = [
        f"n{bit}" if isinstance(bit, int) else f"1'b{bit if bit in '01' else '0'}" for bit in reversed(bits)
    ]
    return nets[0] if len(nets) == 1 else f"{{{', '.join(nets)}}}"


def _literal(value: str | int) -> str:
    """A parameter: Yosys writes numbers as bits, and ends strings that look like bits with a blank."""
    if isinstance(value, int):
        return str(value)
    if re.fullmatch(r"[01xz]+", value):
        return f"{len(value)}'b{re.sub('[xz]', '0', value)}"
    return f'"{value.removesuffix(" ") if re.fullmatch(r"[01xz]* +", value) else value}"'
