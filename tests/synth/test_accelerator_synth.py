"""Resources of the example accelerator and of the presets: from Verilog to a row, and what is kept of it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from l1bn import presets
from l1bn.presets import PRESETS, Resources
from l1bn_console.tables import print_tables
from l1bn_synth import accelerator
from l1bn_synth import presets as measurement
from l1bn_synth.nextpnr import Area
from l1bn_synth.runner import Outcome

COUNTER = """
module counter(input clk, input rst, input up, output reg [3:0] q);
  wire [3:0] next;
  increment plus(.q(q), .up(up), .next(next));
  always @(posedge clk) if (rst) q <= 0; else q <= next;
endmodule
"""
INCREMENT = "module increment(input [3:0] q, input up, output [3:0] next); assign next = q + up; endmodule"


def test_files_in_verilog_become_a_netlist_of_the_device() -> None:
    result = accelerator.synthesise_verilog({"counter.v": COUNTER, "increment.v": INCREMENT}, "counter")
    assert result.cells["TRELLIS_FF"] == 4
    (module,) = (
        module
        for module in json.loads(result.netlist)["modules"].values()
        if int(module["attributes"].get("top", "0"), 2)
    )
    assert set(module["ports"]) == {"clk", "rst", "up", "q"}


def area(lut: int, ff: int, dsp: int, bram: int) -> Area:
    available = {"lut": 24288, "ff": 24288, "dsp": 28, "bram": 56}
    return Area({"lut": lut, "ff": ff, "dsp": dsp, "bram": bram}, available)


def test_the_share_of_the_normaliser() -> None:
    whole = accelerator.Measured(area(2000, 3000, 10, 8), [90.0, 110.0, 100.0], "a -> b")
    part = accelerator.Measured(area(500, 1500, 1, 6), [200.0], "c -> d")
    results = {
        f"{name}, {target}": measured
        for target in accelerator.TARGETS
        for name, measured in (("accelerator", whole), ("normaliser", part))
    }
    file = io.StringIO()
    print_tables(accelerator._table(results), file=file)
    text = file.getvalue()
    (first, *_) = (line.split("│") for line in text.splitlines() if "share" in line)
    assert [cell.strip() for cell in first[2:6]] == ["25%", "50%", "10%", "75%"]
    assert " 100.0 " in text


def test_measurements_of_the_presets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place and in the form that ``l1bn presets`` reads."""
    stored = tmp_path / "presets.json"
    measured = {name: Resources(10 + number, 20, 0, 2, 99.5) for number, name in enumerate(PRESETS)}
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    monkeypatch.setattr(presets, "RESOURCES", stored)
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=measured))
    result = CliRunner().invoke(measurement.main, ["--seeds", "1", "--cache", str(tmp_path)])
    assert result.exit_code == 0, result.output
    presets._measurements.cache_clear()
    try:
        assert {name: presets.resources(name) for name in PRESETS} == measured
        assert presets.measured_with() == (measurement.versions(), 1)
    finally:
        presets._measurements.cache_clear()


def test_one_preset_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured of the others stays, and must come from the same tools."""
    stored = tmp_path / "presets.json"
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    before = {name: Resources(1, 1, 0, 0, 50.0) for name in PRESETS}
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=before))
    assert CliRunner().invoke(measurement.main, ["--seeds", "1"]).exit_code == 0
    after = {"int16": Resources(7, 7, 0, 0, 60.0)}
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=after))
    assert CliRunner().invoke(measurement.main, ["int16", "--seeds", "1"]).exit_code == 0
    luts = {
        name: kept["resources"]["lut"] for name, kept in json.loads(stored.read_text())["presets"].items()
    }
    assert luts == {name: 7 if name == "int16" else 1 for name in PRESETS}
    text = stored.read_text()
    refused = CliRunner().invoke(measurement.main, ["int16", "--seeds", "2"])
    assert refused.exit_code == 1 and "with other tools" in refused.output
    assert stored.read_text() == text


def test_nothing_is_kept_when_a_preset_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = tmp_path / "presets.json"
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(failures={"int16": "too large"}))
    result = CliRunner().invoke(measurement.main, ["--cache", str(tmp_path / "cache")])
    assert result.exit_code == 1
    assert "int16: too large" in result.output
    assert not stored.exists()
