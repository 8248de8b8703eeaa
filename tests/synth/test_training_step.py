"""Rows of a training step, made of those of the forward and the backward unit."""

from __future__ import annotations

import json

import pytest
from samples import row, rows

from l1bn_synth.compare import claims, cost, pairs
from l1bn_synth.registry import preset
from l1bn_synth.report import Report, write_report
from l1bn_synth.tables import costs_of_l1, paths, peer_units, ratios, sensitivity, units
from l1bn_synth.training_step import training_steps


def clock(mhz):
    return {"median": mhz, "min": mhz - 5, "max": mhz + 5, "seeds": 5}


ONE_PASS = row(
    unit="forward L1, one pass", form="one-pass", lut=1500, bram=3, fmax_mhz=clock(200.0), energy_per_sample_pj=90.0,
    sensitivity={"lut": (60.0, 150.0), "clock": (85.0, 100.0)},
)  # fmt: skip
TWO_PASSES = row(form="two-pass")
BACKWARD = row(
    unit="backward L1", direction="backward", lut=2000, ff=3000, dsp=2, bram=3, fmax_mhz=clock(150.0), latency=1800,
    energy_per_sample_pj=200.0, sensitivity={"lut": (140.0, 320.0), "clock": (180.0, 240.0)},
    energy_parts={"lut": 150.0, "clock": 50.0},
    critical_path="c -> d",
)  # fmt: skip
L2 = [
    row(unit="forward L2, one pass", norm="l2", form="one-pass", energy_per_sample_pj=110.0),
    row(unit="backward L2", norm="l2", lut=2500, dsp=3, energy_per_sample_pj=300.0, fmax_mhz=clock(150.0)),
]


def test_the_best_form_and_what_both_units_take():
    (step,) = training_steps([TWO_PASSES, ONE_PASS, BACKWARD])
    assert (step.unit, step.direction, step.form, step.norm) == ("training step L1", "training", "one-pass", "l1")
    assert (step.lut, step.ff, step.dsp, step.bram) == (3500, 4000, 3, 6)
    assert step.fmax_mhz == {"median": 150.0, "min": 145.0, "max": 155.0, "seeds": 5}
    assert (step.latency, step.cycles_per_channel) == (4000, 2048)
    # One after the other on one clock: half a sample a cycle.
    assert step.samples_per_second == 75e6
    assert step.energy_per_sample_pj == 290.0
    assert step.power_mw_at == {"mhz": 100.0, "mw": 14.5}
    assert step.energy_parts == {"lut": 210.0, "clock": 90.0}
    assert step.sensitivity == {"lut": (200.0, 470.0), "clock": (265.0, 340.0)}
    assert step.critical_path == "backward L1: c -> d"
    assert step.remarks == ["forward in one pass"]
    assert step.area_um2 is None


def test_areas_of_standard_cells_are_added():
    names = ("forward L1, two passes", "backward L1")
    forward, backward = (row(unit=name, form="two-pass", device="osu018", area_um2=6.0) for name in names)
    assert [step.area_um2 for step in training_steps([forward, backward])] == [12.0]


@pytest.mark.parametrize(
    "other",
    [{"width": 8}, {"lanes": 4}, {"count": 64}, {"device": "HX8K"}, {"dsp_allowed": False}, {"norm": "l2"}],
)
def test_units_of_another_place_make_no_step(other):
    assert training_steps([row(**other), BACKWARD]) == []


def test_no_step_without_both():
    assert training_steps(rows()) == []
    assert training_steps([BACKWARD]) == []


def test_a_step_is_compared_with_that_of_l2():
    measured = [TWO_PASSES, ONE_PASS, BACKWARD, *L2]
    every = [*measured, *training_steps(measured)]
    (pair,) = [pair for pair in pairs(every) if pair.row.unit == "training step L1"]
    assert pair.ratio("energy") == pytest.approx(290 / 410)
    assert "one clock" in cost(pair)
    judged = [claim for claim in claims(every) if claim.level == "training step"]
    assert [(claim.claim, claim.verdict) for claim in judged] == [
        ("25 % faster", "does not hold: no difference"),
        ("37 % less energy", "holds in part: better, but by less"),
    ]
    assert "29 % less energy" in judged[1].measured and "reduced resources" in judged[1].source
    for table in (units(every), ratios(every), costs_of_l1(every), sensitivity(every)):
        assert any("training step L1" in cell for line in table.rows for cell in line), table.title
    assert not any("training step" in line[0] for line in paths(every).rows), "its path is that of one of the units"
    ours = [line[1] for line in peer_units(every).rows if line[0] == "this one"]
    assert ours == ["forward L1, two passes", "forward L1, one pass", "forward L2, one pass"]


def test_a_report_has_the_steps_and_the_rows_only_what_was_measured(tmp_path):
    report = Report("ecp5", "python -m l1bn_synth run", {"yosys": "0.70"}, [ONE_PASS, BACKWARD, *L2], {})
    write_report(report, tmp_path)
    stored = json.loads((tmp_path / "report.json").read_text())
    assert [line["unit"] for line in stored if line["direction"] == "training"] == [
        "training step L1",
        "training step L2",
    ]
    details = json.loads((tmp_path / "details.json").read_text())
    assert (len(details["rows"]), len(report.rows)) == (6, 4)
    assert "training step L1 : training step L2" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("width", [8, 16])
def test_the_default_report_has_what_a_step_needs(width):
    names = {unit.name for unit in preset("quick") if (unit.width, unit.lanes) == (width, 1)}
    forward = {f"forward {norm}" for norm in ("L1, one pass", "L1, two passes", "L2, one pass", "L2, two passes")}
    assert names >= {*forward, "backward L1", "backward L2"}
