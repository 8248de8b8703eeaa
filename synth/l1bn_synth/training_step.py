"""A training step: what a sample costs on its way forward and back, as rows made of those of both units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from l1bn.norms import NORMS

from .registry import BACKWARD, FORWARD, PASSES
from .rows import Row

__all__ = ["GROUP", "training_steps"]

GROUP = "step"
"""Group of these rows."""


def training_steps(rows: Sequence[Row]) -> list[Row]:
    """A row for every backward unit and the forward unit of the same norm that takes the least energy beside it.

    The units are those of one device, width, number of lanes and count, and both with multiplier blocks or without.
    """
    found = []
    for backward in rows:
        if backward.unit in BACKWARD:
            forward = min(_beside(backward, rows), key=lambda row: row.energy_per_sample_pj, default=None)
            if forward is not None:
                found.append(_step(forward, backward))
    return found


def _beside(backward: Row, rows: Iterable[Row]) -> Iterator[Row]:
    """The forward units, of every form, that a backward unit makes a step with."""
    place = _place(backward)
    return (row for row in rows if row.unit in FORWARD and _place(row) == place)


def _place(row: Row) -> tuple[object, ...]:
    return row.norm, row.device, row.width, row.lanes, row.count, row.dsp_allowed


def _step(forward: Row, backward: Row) -> Row:
    """Both units on one clock, which take turns: a sample goes through the one, then through the other."""
    slower = min(forward, backward, key=lambda row: row.fmax_mhz["median"])
    fmax = {name: min(forward.fmax_mhz[name], backward.fmax_mhz[name]) for name in forward.fmax_mhz}
    cycles = forward.cycles_per_channel + backward.cycles_per_channel
    energy = forward.energy_per_sample_pj + backward.energy_per_sample_pj
    mhz = forward.power_mw_at["mhz"]
    both = (forward, backward)
    areas = [row.area_um2 for row in both if row.area_um2 is not None]
    return Row(
        unit=f"training step {NORMS[forward.norm].title}",
        device=forward.device,
        norm=forward.norm,
        width=forward.width,
        lanes=forward.lanes,
        count=forward.count,
        dsp_allowed=forward.dsp_allowed,
        lut=sum(row.lut for row in both),
        ff=sum(row.ff for row in both),
        dsp=sum(row.dsp for row in both),
        bram=sum(row.bram for row in both),
        fmax_mhz=fmax,
        latency=sum(row.latency for row in both),
        cycles_per_channel=cycles,
        samples_per_second=fmax["median"] * 1e6 * forward.count / cycles,
        energy_per_sample_pj=round(energy, 3),
        # Picojoule a sample times samples a microsecond is microwatt.
        power_mw_at={"mhz": mhz, "mw": round(energy * mhz * forward.count / cycles * 1e-3, 4)},
        group=GROUP,
        critical_path=f"{slower.unit}: {slower.critical_path}",
        energy_parts={
            part: round(sum(row.energy_parts[part] for row in both), 4) for part in forward.energy_parts
        },
        sensitivity={
            name: (round(low + backward.sensitivity[name][0], 4), round(high + backward.sensitivity[name][1], 4))
            for name, (low, high) in forward.sensitivity.items()
        },
        remarks=[f"forward in {PASSES[forward.form]}"],
        area_um2=sum(areas) if areas else None,
        form=forward.form,
        direction="training",
        order="channel",
    )
