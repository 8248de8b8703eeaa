"""A unit as an instance of a module that stands in a file of its own."""

from __future__ import annotations

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Value
from amaranth.lib import wiring

__all__ = ["Instantiated"]


class Instantiated(wiring.Component):
    """The module ``name`` with the ports of ``unit``, which are called as ``l1bn generate`` calls them.

    Parameters
    ----------
    unit : whose ports it has
    name : of the module; its clock is ``clk``, its synchronous reset, active high, ``rst``
    """

    def __init__(self, unit: wiring.Component, name: str):
        self.name = name
        super().__init__(unit.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = [("i", "clk", ClockSignal()), ("i", "rst", ResetSignal())]
        for path, member, value in self.signature.flatten(self):
            direction = "i" if member.flow == wiring.In else "o"
            ports.append((direction, "__".join(map(str, path)), Value.cast(value)))
        m.submodules.unit = Instance(self.name, *ports)
        return m
