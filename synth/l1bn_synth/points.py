"""Which units run on which devices: the points of a target and preset."""

from __future__ import annotations

from .devices import DEVICES, devices_of
from .flow import Point
from .registry import Subject, preset

__all__ = ["TARGETS", "devices", "points", "standard_cell_units"]

TARGETS = ("ice40", "ecp5", "osu018")

_DEVICES = {
    ("ice40", "quick"): ("HX8K", "UP5K"),
    ("ice40", "paper"): ("HX8K", "UP5K"),
    ("ice40", "peers"): ("HX8K",),
    ("ecp5", "quick"): ("LFE5U-85F-6",),
    ("ecp5", "peers"): ("LFE5U-85F-6",),
    ("ecp5", "paper"): ("LFE5U-85F-6", "LFE5U-85F-8"),
}
_SLOW_FIRST = {"top": 0, "pair": 1, "operator": 2}


def devices(target: str, preset_name: str) -> tuple[str, ...]:
    """Names of the devices of a target and preset."""
    every = tuple(device.name for device in devices_of(target))
    return _DEVICES.get((target, preset_name), every)


def points(target: str, preset_name: str, dsp: bool | None) -> list[Point]:
    """The points of an FPGA target; ``dsp`` keeps only those with multiplier blocks, or only those without."""
    chosen = []
    for name in devices(target, preset_name):
        device = DEVICES[name]
        for unit in preset(preset_name):
            if not device.has_dsp or not unit.multiplies:
                variants = [False]
            elif dsp is not None:
                variants = [dsp]
            else:
                variants = [True, False]
            if name == "UP5K" and preset_name == "quick":
                # A second look at what HX8K cannot show: the multiplier blocks.
                variants = [
                    variant for variant in variants if unit.group != "operator" and (variant or dsp is False)
                ]
            chosen += [Point(unit, device, variant) for variant in variants]
    # What takes longest starts first, so that the cores end together.
    return sorted(chosen, key=lambda point: _SLOW_FIRST[point.unit.group])


def standard_cell_units(preset_name: str) -> list[Subject]:
    """The units of the standard-cell target, the slow ones first."""
    return sorted(preset(preset_name), key=lambda unit: _SLOW_FIRST[unit.group])
