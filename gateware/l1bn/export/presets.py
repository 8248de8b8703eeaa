"""Named configurations to start from, each with the resources that it takes on the device it is meant for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..config import Configuration, ConfigurationError

__all__ = [
    "PRESETS",
    "RESOURCES",
    "Preset",
    "Resources",
    "configuration",
    "describe",
    "find",
    "measured_with",
    "resources",
]

RESOURCES = Path(__file__).with_name("presets.json")
"""What ``make presets`` measured."""


@dataclass(frozen=True)
class Preset:
    """A named configuration.

    Parameters
    ----------
    about : one line on what it is for
    device : the device that its resources are stated for, as in :mod:`l1bn_synth.devices`
    parameters : those that are not left at their defaults, as :meth:`Configuration.from_mapping` takes them
    """

    about: str
    device: str
    parameters: Mapping[str, Any]

    @property
    def configuration(self) -> Configuration:
        return Configuration.from_mapping(self.parameters)


@dataclass(frozen=True)
class Resources:
    """What a preset takes on its device: cells, and the clock frequency in MHz, the median of all runs."""

    lut: int
    ff: int
    dsp: int
    bram: int
    fmax_mhz: float


_UP5K, _ECP5, _ECP5_45K = "UP5K", "LFE5U-25F-6", "LFE5U-45F-6"
_EDGE = {"width": 8, "scale_width": 16, "counts": [1024], "target": "ice40"}
_SIXTEEN_LANES = {"width": 16, "lanes": 16, "counts": [1024], "target": "ecp5"}
_L2 = {"norm": "l2", "form": "one-pass"}

PRESETS: dict[str, Preset] = {
    "edge-int8": Preset("8 bits on the smallest FPGAs", _UP5K, _EDGE),
    "edge-int8-l2": Preset("edge-int8 with the L2 norm, to compare", _UP5K, {**_EDGE, **_L2}),
    "int16": Preset("16 bits, one lane, plain Verilog for any tool", _ECP5, {}),
    "int16-l2": Preset("int16 with the L2 norm, to compare", _ECP5, _L2),
    "int16-backward": Preset(
        "the gradients of int16: dx, dgamma and dbeta", _ECP5, {"direction": "backward"}
    ),
    "int16-ecp5": Preset("int16 on the blocks of an ECP5", _ECP5, {"target": "ecp5"}),
    "int16-l2-ecp5": Preset("int16-l2 on the blocks of an ECP5", _ECP5, {**_L2, "target": "ecp5"}),
    "int16-backward-ecp5": Preset(
        "int16-backward on the blocks of an ECP5", _ECP5, {"direction": "backward", "target": "ecp5"}
    ),
    "int16-x16": Preset("16 bits, 16 samples a cycle", _ECP5_45K, _SIXTEEN_LANES),
    "int16-x16-l2": Preset("int16-x16 with the L2 norm, to compare", _ECP5_45K, {**_SIXTEEN_LANES, **_L2}),
    "int16-resnet": Preset(
        "maps of 7x7 to 112x112, chosen at run time",
        _ECP5,
        {"counts": [49, 196, 784, 3136, 12544], "target": "ecp5"},
    ),
    "int16-replay": Preset(
        "maps of 256x256, which the producer sends once for each pass",
        _ECP5,
        {"counts": [1 << 16], "storage": "outside", "target": "ecp5"},
    ),
    "reference-32": Preset(
        "32 bits and the widest scale, as close to real numbers as it gets",
        _ECP5,
        {"width": 32, "gamma_width": 24, "scale_width": 24, "target": "ecp5"},
    ),
}


def find(name: str) -> Preset:
    """The preset of that name; raises :exc:`ConfigurationError` where there is none."""
    if name not in PRESETS:
        raise ConfigurationError("preset", name, ", ".join(PRESETS))
    return PRESETS[name]


def configuration(name: str) -> Configuration:
    """The configuration of a preset; raises :exc:`ConfigurationError` for a name that is none."""
    return find(name).configuration


def resources(name: str) -> Resources | None:
    """What a preset takes on its device, or ``None`` where nobody measured it as it is now."""
    preset = find(name)
    stored = _measurements()["presets"].get(name)
    if stored is None or stored["device"] != preset.device:
        return None
    if Configuration.from_mapping(stored["configuration"]) != preset.configuration:
        return None
    return Resources(**stored["resources"])


def measured_with() -> tuple[dict[str, str], int]:
    """The tools that the resources were measured with and their versions, and how often each was placed."""
    stored = _measurements()
    return stored["tools"], stored["seeds"]


def describe() -> dict[str, Any]:
    """All presets, ready for JSON; ``resources`` is ``None`` where nobody measured one as it is now."""
    tools, seeds = measured_with()
    described = {}
    for name, preset in PRESETS.items():
        found = resources(name)
        described[name] = {
            "about": preset.about,
            "device": preset.device,
            "configuration": preset.configuration.to_mapping(),
            "resources": None if found is None else dataclasses.asdict(found),
        }
    return {"tools": tools, "seeds": seeds, "presets": described}


@cache
def _measurements() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(RESOURCES.read_text(encoding="utf-8"))
    return stored
