"""A device under test: the Verilog of an Amaranth component, and its streams described for a bench."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.lib.wiring import Component

from l1bn.generator import generate
from l1bn.generator.resources import cell_models
from l1bn.logic import rtlil
from l1bn_vectors.payloads import StreamPort
from l1bn_vectors.shapes import stream_ports

__all__ = ["Design"]


@dataclass(frozen=True)
class Design:
    """Verilog whose top module ``name`` has the ports clk, rst and ``streams``."""

    name: str
    verilog: str
    streams: tuple[StreamPort, ...]

    @classmethod
    def of(cls, component: Component, name: str) -> Design:
        """The design of a component that has only streams as ports and only the domain ``sync``."""
        streams = stream_ports(component)
        return cls(name, rtlil.verilog(component, name), streams)

    @classmethod
    def of_unit(cls, unit: Component, name: str) -> Design:
        """The design of a unit as users get it, with models of the blocks that its target has."""
        text = generate.verilog(unit, name) + (cell_models(unit.config.target) or "")
        return cls(name, text, stream_ports(unit))

    @property
    def signals(self) -> list[str]:
        """Names of the ports."""
        parts = ("payload", "valid", "ready")
        return ["clk", "rst", *(f"{port.name}__{part}" for port in self.streams for part in parts)]
