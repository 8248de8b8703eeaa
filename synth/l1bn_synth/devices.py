"""The devices that a unit is placed on: how nextpnr calls them, what they hold, what their silicon allows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEVICES", "FAMILIES", "PLAIN", "WHOLE_UNITS", "Device", "Effort", "devices_of"]


@dataclass(frozen=True)
class Device:
    """One device and speed grade.

    Parameters
    ----------
    name : as in reports
    family : ``ice40`` or ``ecp5``
    options : of nextpnr
    ceilings : fastest accumulator of this toolchain by width, in MHz (median of five seeds)
    limits : what the data sheet allows at most, in MHz, by kind of cell; nextpnr does not know these
    has_dsp : whether there are multiplier blocks
    voltage : core supply in volts
    stated_mhz : the clock at which power is stated
    """

    name: str
    family: str
    options: tuple[str, ...]
    ceilings: dict[int, float]
    limits: dict[str, float]
    has_dsp: bool
    voltage: float
    stated_mhz: float


FAMILIES = ("ice40", "ecp5")


@dataclass(frozen=True)
class Effort:
    """Options of Yosys' synthesis and of nextpnr beyond their defaults."""

    synthesis: tuple[str, ...] = ()
    placement: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((*self.synthesis, *self.placement)) or "defaults"


PLAIN = Effort()
WHOLE_UNITS = {
    # An enable comes late to a flip-flop; one that few of them share is better a part of their logic.
    "ice40": Effort(synthesis=("-dffe_min_ce_use", "16")),
    # The placer's own weight of timing against the length of wires is for designs with few critical paths.
    "ecp5": Effort(placement=("--placer-heap-timingweight", "300")),
}
"""By family, for whole units of either norm; operators are measured with the tools' defaults, as their peers were."""

_ECP5_SIZES = {"25": "CABGA381", "45": "CABGA554", "85": "CABGA756"}
_ECP5_CEILINGS = {
    6: {16: 338.0, 24: 307.0, 32: 279.0},
    8: {16: 432.0, 24: 390.0, 32: 371.0},
}


def _ecp5(size: str, grade: int) -> Device:
    options = (f"--{size}k", "--package", _ECP5_SIZES[size], "--speed", str(grade))
    return Device(
        f"LFE5U-{size}F-{grade}",
        "ecp5",
        options,
        _ECP5_CEILINGS[grade],
        limits={},
        has_dsp=True,
        voltage=1.1,
        stated_mhz=100.0,
    )


_ALL = (
    Device(
        "HX8K",
        "ice40",
        ("--hx8k", "--package", "ct256"),
        {16: 254.0, 24: 194.0, 32: 158.0},
        limits={"clock": 275.0},
        has_dsp=False,
        voltage=1.2,
        stated_mhz=48.0,
    ),
    Device(
        "UP5K",
        "ice40",
        ("--up5k", "--package", "sg48"),
        {16: 102.0, 24: 80.0, 32: 65.0},
        limits={"clock": 185.0, "bram": 150.0},
        has_dsp=True,
        voltage=1.2,
        stated_mhz=24.0,
    ),
    *(_ecp5(size, grade) for size in _ECP5_SIZES for grade in _ECP5_CEILINGS),
)
DEVICES = {device.name: device for device in _ALL}


def devices_of(family: str) -> list[Device]:
    """All devices of a family."""
    return [device for device in DEVICES.values() if device.family == family]
