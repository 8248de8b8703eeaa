"""A row of the report: what was measured of a unit on a device, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .cell_flow import CellMeasurement
from .devices import DEVICES
from .flow import Measurement
from .osu018 import VOLTAGE

__all__ = ["FIELDS", "Row", "fpga_row", "row_from", "standard_cell_row"]

FIELDS = (
    *("unit", "device", "norm", "form", "direction", "order", "width", "lanes", "count", "dsp_allowed"),
    *("lut", "ff", "dsp", "bram"),
    *(
        "fmax_mhz",
        "latency",
        "cycles_per_channel",
        "samples_per_second",
        "energy_per_sample_pj",
        "power_mw_at",
    ),
)
"""What ``report.json`` has of a row."""


@dataclass(frozen=True)
class Row:
    """A unit on a device.

    ``lut`` counts TRELLIS_COMB on ECP5, logic cells on iCE40 and combinational standard cells else; ``fmax_mhz`` has
    ``median``, ``min``, ``max`` and ``seeds``, ``power_mw_at`` has ``mhz`` and ``mw`` (dynamic power alone on FPGAs).
    ``energy_parts`` splits the energy per sample, ``sensitivity`` has it with each coefficient halved and doubled.
    ``form``, ``direction`` and ``order`` (of the samples: all of one channel, then of the next) are those of a whole
    unit, else empty. ``count`` is 0 for a unit without channels; its ``cycles_per_channel`` are cycles per result.
    """

    unit: str
    device: str
    norm: str
    width: int
    lanes: int
    count: int
    dsp_allowed: bool
    lut: int
    ff: int
    dsp: int
    bram: int
    fmax_mhz: dict[str, float]
    latency: int
    cycles_per_channel: int
    samples_per_second: float
    energy_per_sample_pj: float
    power_mw_at: dict[str, float]
    group: str
    critical_path: str
    energy_parts: dict[str, float]
    sensitivity: dict[str, tuple[float, float]]
    remarks: list[str]
    area_um2: float | None = None
    form: str = ""
    direction: str = ""
    order: str = ""

    @property
    def key(self) -> str:
        """Unique within a report."""
        dsp = "dsp" if self.dsp_allowed else "no dsp"
        return f"{self.unit}|{self.device}|{self.width}|{self.lanes}|{self.count}|{dsp}"

    @property
    def restriction(self) -> str:
        """What to say behind a name where multiplier blocks of the device may not be used, else nothing."""
        device = DEVICES.get(self.device)
        return ", no DSP" if device is not None and device.has_dsp and not self.dsp_allowed else ""

    def public(self) -> dict[str, Any]:
        """What ``report.json`` has."""
        values = dataclasses.asdict(self)
        return {name: values[name] for name in FIELDS}


def row_from(data: Mapping[str, Any]) -> Row:
    """The row that ``dataclasses.asdict`` made ``data`` of."""
    pairs = {name: (low, high) for name, (low, high) in data["sensitivity"].items()}
    return Row(**{**data, "sensitivity": pairs})


def fpga_row(measured: Measurement) -> Row:
    """The row of a point on an FPGA, at the clock that its device is stated at."""
    point, fmax, energy = measured.point, measured.fmax, measured.energy
    unit, device = point.unit, point.device
    remarks = []
    for what, limit in device.limits.items():
        if fmax["median"] > limit and (what == "clock" or measured.area.used.get(what)):
            remarks.append(
                f"{fmax['median']} MHz is above what the data sheet allows the {what}: {limit:g} MHz"
            )
    if fmax["median"] < device.stated_mhz:
        remarks.append(f"slower than the {device.stated_mhz:g} MHz that its power is stated at")
    return Row(
        unit=unit.name,
        device=device.name,
        norm=unit.norm,
        width=unit.width,
        lanes=unit.lanes,
        count=unit.count,
        dsp_allowed=point.dsp,
        **measured.area.used,
        fmax_mhz=fmax,
        latency=measured.elaboration.latency,
        cycles_per_channel=measured.elaboration.cycles_per_channel,
        samples_per_second=measured.samples_per_second,
        energy_per_sample_pj=round(energy.per_sample, 3),
        power_mw_at={
            "mhz": device.stated_mhz,
            "mw": round(energy.per_cycle * device.stated_mhz * 1e-3, 4),
        },
        group=unit.group,
        form=unit.form,
        direction=unit.direction,
        order="channel" if unit.direction else "",
        critical_path=str(measured.critical_path),
        energy_parts={part: round(value, 4) for part, value in energy.parts.items()},
        sensitivity={
            name: (round(energy.with_coefficient(name, 0.5), 4), round(energy.with_coefficient(name, 2.0), 4))
            for name in energy.by_coefficient
        },
        remarks=remarks,
    )


def standard_cell_row(measured: CellMeasurement) -> Row:
    """The row of a unit in standard cells."""
    unit, signed = measured.unit, measured.signoff
    flip_flops = sum(count for kind, count in measured.cells.cells.items() if kind.startswith("DFF"))
    fmax = round(signed.fmax_mhz, 1)
    # Milliwatt per megahertz is nanojoule per cycle.
    per_sample = measured.activity.cycles / measured.activity.samples / signed.mhz * 1e3
    parts = {
        name: round(signed.power_mw.get(name, 0.0) * per_sample, 4)
        for name in ("sequential", "combinational")
    }
    cycles = measured.elaboration.cycles_per_channel
    remarks = [f"{VOLTAGE} V, typical corner; wires carry no load before placement"]
    if unit.group == "top":
        remarks.append("the producer holds the samples: the library has no memory blocks")
    return Row(
        unit=unit.name,
        device="osu018",
        norm=unit.norm,
        width=unit.width,
        lanes=unit.lanes,
        count=unit.count,
        dsp_allowed=False,
        lut=sum(measured.cells.cells.values()) - flip_flops,
        ff=flip_flops,
        dsp=0,
        bram=0,
        fmax_mhz={"median": fmax, "min": fmax, "max": fmax, "seeds": 1},
        latency=measured.elaboration.latency,
        cycles_per_channel=cycles,
        samples_per_second=fmax * 1e6 * (unit.count or 1) / cycles,
        energy_per_sample_pj=round(signed.power_mw["total"] * per_sample, 3),
        power_mw_at={"mhz": signed.mhz, "mw": round(signed.power_mw["total"], 4)},
        group=unit.group,
        form=unit.form,
        direction=unit.direction,
        order="channel" if unit.direction else "",
        critical_path=signed.path,
        energy_parts=parts,
        sensitivity={},
        remarks=remarks,
        area_um2=measured.cells.area_um2,
    )
