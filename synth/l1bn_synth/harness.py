"""The same surroundings for every unit, so that pins and I/O paths decide nothing.

A shift register, one pin wide, feeds every input; every output is registered and folded into one pin by a tree of
exclusive-ors of four, a register after each::

    serial_i -> [shift register] -> unit -> [register] -> [xor 4] -> [xor 4] ... -> serial_o

So each path of the unit starts and ends in a register next to it, and no output is optimised away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor

from amaranth.back import rtlil
from amaranth.hdl import Cat, ClockSignal, Elaboratable, Instance, Module, Signal, Value

__all__ = ["CLOCK", "RESET", "Port", "harness_rtlil"]

CLOCK, RESET = "clk", "rst"


@dataclass(frozen=True)
class Port:
    """A port of a synthesised unit; ``direction`` is ``input`` or ``output``."""

    direction: str
    width: int


class Harness(Elaboratable):
    """``serial_i`` and ``serial_o`` are single bits; ``ports`` are those of the module ``unit``."""

    def __init__(self, ports: Mapping[str, Port]):
        self.ports = {name: port for name, port in ports.items() if name != CLOCK}
        self.serial_i, self.serial_o = Signal(name="serial_i"), Signal(name="serial_o")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inputs = {name: port for name, port in self.ports.items() if port.direction == "input"}
        shift = Signal(max(1, sum(port.width for port in inputs.values())), reset_less=True)
        m.d.sync += shift.eq(Cat(self.serial_i, shift))

        arguments: list[tuple[str, str, Value]] = [("i", CLOCK, ClockSignal())]
        outputs: list[Value] = []
        taken = 0
        for name, port in self.ports.items():
            if port.direction == "input":
                arguments.append(("i", name, shift[taken : taken + port.width]))
                taken += port.width
            else:
                output, held = Signal(port.width, name=name), Signal(port.width, reset_less=True)
                m.d.sync += held.eq(output)
                arguments.append(("o", name, output))
                outputs.extend(held)
        m.submodules.unit = Instance("unit", *arguments)

        while len(outputs) > 1:
            folded = Signal((len(outputs) + 3) // 4, reset_less=True)
            m.d.sync += folded.eq(Cat(reduce(xor, outputs[k : k + 4]) for k in range(0, len(outputs), 4)))
            outputs = list(folded)
        m.d.comb += self.serial_o.eq(Cat(outputs))
        return m


def harness_rtlil(ports: Mapping[str, Port]) -> str:
    """The harness as RTLIL: module ``harness`` with an instance of a module ``unit`` that has these ports."""
    harness = Harness(ports)
    return str(
        rtlil.convert(
            harness,
            name="harness",
            ports=[harness.serial_i, harness.serial_o],
            emit_src=False,
        )
    )
