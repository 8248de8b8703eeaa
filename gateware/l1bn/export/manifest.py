"""The manifest of a package: that of its unit, and what is around the unit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from amaranth.lib import wiring

from .. import __version__
from ..bus.registers import RegisterMap
from ..generator import manifest
from .ports import Port

__all__ = ["configuration_id", "describe"]


def configuration_id(unit: wiring.Component) -> str:
    """SHA-256, in hexadecimal, of what decides the hardware but its name."""
    decisive = {"version": __version__, "configuration": unit.config.to_mapping()}
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def describe(
    unit: wiring.Component, name: str, files: Sequence[str], axi: Sequence[Port], map: RegisterMap | None
) -> dict[str, Any]:
    """The manifest, ready for JSON: as :func:`l1bn.generator.manifest.describe`, with ``package`` and ``axi`` added.

    Parameters
    ----------
    files : every file of the package, this one left out
    axi : ports of the top with AXI, if there is one
    map : its registers
    """
    described = manifest.describe(unit, name)
    described["source"] = f"rtl/{name}.v"
    described["package"] = {
        "configuration_id": configuration_id(unit),
        "files": sorted(files),
    }
    if map is not None:
        described["axi"] = {
            "module": f"{name}_axi",
            "source": f"rtl/{name}_axi.v",
            "clock": {"port": "aclk", "edge": "rising"},
            "reset": {"port": "aresetn", "active": "low", "synchronous": True},
            "ports": [
                {"name": port.name, "direction": port.direction, "width": port.width, "about": port.about}
                for port in axi
            ],
            "registers": [
                {"name": register.name, "offset": register.offset, "access": register.access}
                for register in map.registers
            ],
            "tables": [
                {"name": table.name, "offset": table.offset, "entries": table.entries, "stride": table.stride}
                for table in map.tables
            ],
        }
    return described
