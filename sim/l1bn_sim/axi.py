"""The exported AXI top of a forward unit as a device under test, exactly as it is shipped."""

from __future__ import annotations

from dataclasses import dataclass

from l1bn.config import Configuration
from l1bn.export import Package

from .design import Design

__all__ = ["AxiDesign"]


@dataclass(frozen=True)
class AxiDesign(Design):
    """Verilog whose top module ``name`` has the ports ``ports``."""

    ports: tuple[str, ...] = ()

    @classmethod
    def of_configuration(cls, config: Configuration) -> AxiDesign:
        """The AXI top of the unit of ``config``."""
        package = Package(config, "unit")
        ports = tuple(port.name for port in package.ports)
        return cls("unit_axi", "\n".join(package.verilog().values()), (), ports)

    @property
    def signals(self) -> list[str]:
        return list(self.ports)
