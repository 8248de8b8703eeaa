"""Everything that an export consists of, as texts by their path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from amaranth.lib import wiring

from .. import __version__, units
from ..bus.forward import AxiForward, AxiTop
from ..bus.instance import Instantiated
from ..bus.register_map import check_channels, forward_map
from ..bus.registers import RegisterMap, word_after_reset
from ..config import Configuration
from ..errors import ConfigurationError
from ..generator import generate, resources
from ..generator import manifest as unit_manifest
from ..generator.identifiers import check_module_name
from . import bench, datasheet, manifest, rdl
from .netlist import flat_verilog
from .ports import Port, axi_ports, native_ports
from .render import render

__all__ = ["Package"]

VIVADO_FAMILIES = (
    *("spartan7", "artix7", "kintex7", "virtex7", "zynq", "artixuplus", "kintexu", "kintexuplus", "virtexu"),
    *("virtexuplus", "zynquplus", "versal"),
)
"""Where Vivado's catalogue offers a unit that instantiates no blocks."""


@dataclass(frozen=True)
class Package:
    """A unit ready for somebody who has never heard of its generator.

    Parameters
    ----------
    config : of the unit
    name : of its module and of all files; the module with AXI is ``name_axi``
    more : further files, by their paths

    Raises
    ------
    ConfigurationError
        If the name is not possible, or there are more channels than the tables behind AXI can have.
    """

    config: Configuration
    name: str
    more: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_module_name(self.name)
        check_module_name(f"{self.name}_axi_tb")
        if self.has_axi:
            check_channels(self.config.channels)
        if self.config.guesses and self.config.storage == "outside":
            allowed = "inside: no exported bench answers a unit that guesses means"
            raise ConfigurationError("storage", self.config.storage, allowed)

    # -- hardware ---------------------------------------------------------------------------------

    @cached_property
    def unit(self) -> wiring.Component:
        return units.unit(self.config)

    @property
    def has_axi(self) -> bool:
        """Only forward units have a top with AXI, and none yet that guess means."""
        return self.config.direction == "forward" and not self.config.guesses

    @cached_property
    def map(self) -> RegisterMap:
        identity = int(manifest.configuration_id(self.unit)[:8], 16)
        return forward_map(self.unit.formats, self.config.channels, __version__, identity)

    @cached_property
    def axi(self) -> AxiTop:
        """The top with AXI, around an instance of the native one."""
        unit = Instantiated(self.unit, self.name)
        return AxiTop(AxiForward(unit, self.unit.formats, self.map))

    @property
    def title(self) -> str:
        return f"{self.config.traits.title} batch normalisation, {self.config.direction}"

    @property
    def version(self) -> str:
        return __version__

    @property
    def tops(self) -> list[str]:
        return [self.name, *([f"{self.name}_axi"] if self.has_axi else [])]

    @property
    def ports(self) -> list[Port]:
        """The ports of the top that the package is about: that with AXI where there is one."""
        return axi_ports(self.axi) if self.has_axi else native_ports(self.unit)

    # -- files ------------------------------------------------------------------------------------

    def files(self) -> dict[str, bytes]:
        """Every file by its path, the same bytes for the same package."""
        files = {**self.verilog(), **self.benches(), "LICENSE": resources.licence()}
        if self.has_axi:
            description = rdl.system_rdl(self.map, self.name)
            registers = rdl.compiled(description)
            files[f"regs/{self.name}.rdl"] = description
            files[f"regs/{self.name}_regs.h"] = rdl.c_header(registers, self.name)
            files["regs/html/index.html"] = rdl.page(registers, self.name, f"{self.name}_axi: {self.title}")
        files |= self._descriptions(files)
        files |= datasheet.files(self)
        encoded = {**self.more, **{path: text.encode() for path, text in files.items()}}
        described = manifest.describe(
            self.unit,
            self.name,
            list(encoded),
            self.ports if self.has_axi else [],
            self.map if self.has_axi else None,
        )
        return {**encoded, f"{self.name}.json": unit_manifest.dumps(described).encode()}

    def verilog(self) -> dict[str, str]:
        """The modules, and models of the blocks that they instantiate."""
        blocks = resources.cell_models(self.config.target) is not None
        head = generate.header(self.config, self.name, f"l1bn export --config {self.name}.json")
        files = {f"rtl/{self.name}.v": flat_verilog(self.unit, self.name, head, blocks=blocks)}
        if self.has_axi:
            head = [f"{self.name}_axi: {self.name} behind AXI4-Stream and AXI4-Lite", *head[1:]]
            files[f"rtl/{self.name}_axi.v"] = flat_verilog(self.axi, f"{self.name}_axi", head, blocks=blocks)
        return files

    def benches(self) -> dict[str, str]:
        """The test benches with their words."""
        files = {path: text for parts in self._benches.values() for path, text in parts.items()}
        models = resources.cell_models(self.config.target)
        if files and models is not None:
            files["cells.v"] = models
        return {f"tb/{path}": text for path, text in files.items()}

    @cached_property
    def _benches(self) -> dict[str, dict[str, str]]:
        """The files of each test bench, by its name."""
        benches = {f"{self.name}_tb": bench.native_bench(self.unit, self.name)}
        if self.has_axi:
            benches[f"{self.name}_axi_tb"] = bench.axi_bench(self.unit, self.map, self.name)
        return benches

    def _descriptions(self, files: Mapping[str, str]) -> dict[str, str]:
        """What tells tools and people about the other files."""
        rtl = [path for path in files if path.startswith("rtl/")]
        words = {
            name: sorted(path for path in parts if path.endswith(".hex"))
            for name, parts in self._benches.items()
        }
        values = {
            "name": self.name,
            "title": self.title,
            "version": self.version,
            "rtl": rtl,
            "tops": self.tops,
            "benches": words,
            "cells": "tb/cells.v" if "tb/cells.v" in files else "",
            "vlnv": f"l1bn:ip:{self.name}:{self.version}",
        }
        return {
            "Makefile": render("makefile.jinja", **values),
            f"{self.name}.core": render("core.jinja", **values),
            # Vivado looks for the name component.xml, and reads the older standard.
            "component.xml": render("component-2009.xml.jinja", **values, **self._interface()),
            "component-2014.xml": render("component-2014.xml.jinja", **values, **self._interface()),
        }

    def _interface(self) -> dict[str, Any]:
        """What IP-XACT says of the top."""
        if self.has_axi:
            clock, reset, polarity = "aclk", "aresetn", "ACTIVE_LOW"
            buses = [
                ("s_axis", "axis", "slave", "", {}),
                ("m_axis", "axis", "master", "", {}),
                ("s_axi", "aximm", "slave", "registers", {"PROTOCOL": "AXI4LITE"}),
            ]
        else:
            clock, reset, polarity = "clk", "rst", "ACTIVE_HIGH"
            buses = []
        associated = {"ASSOCIATED_BUSIF": ":".join(bus for bus, *_ in buses)} if buses else {}
        return {
            "top": self.tops[-1],
            "ports": self.ports,
            "map": self.map if self.has_axi else None,
            "clock": clock,
            "reset": reset,
            "buses": buses,
            "clock_parameters": {**associated, "ASSOCIATED_RESET": reset},
            "reset_parameters": {"POLARITY": polarity},
            "families": VIVADO_FAMILIES if resources.cell_models(self.config.target) is None else (),
            "word_after_reset": word_after_reset,
        }
