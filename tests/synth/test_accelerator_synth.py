"""Resources of the example accelerator and of the presets: from Verilog to a row, and what is kept of it."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest

from l1bn.export import presets
from l1bn.export.presets import PRESETS, Resources
from l1bn_console.tables import print_tables
from l1bn_synth import accelerator
from l1bn_synth import presets as measurement
from l1bn_synth.nextpnr import Area
from l1bn_synth.runner import Outcome
from l1bn_synth.yosys import synthesise_verilog

COUNTER = """
module counter(input clk, input rst, input up, output reg [3:0] q);
  wire [3:0] next;
  increment plus(.q(q), .up(up), .next(next));
  always @(posedge clk) if (rst) q <= 0; else q <= next;
endmodule
"""
INCREMENT = "module increment(input [3:0] q, input up, output [3:0] next); assign next = q + up; endmodule"


def test_files_in_verilog_become_a_netlist_of_the_device() -> None:
    result = synthesise_verilog({"counter.v": COUNTER, "increment.v": INCREMENT}, "counter", "ecp5")
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


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a preset is taken to be as hardware, by what it is for; nothing has to be elaborated."""
    changed: dict[str, str] = {}
    monkeypatch.setattr(measurement, "_rtlil", lambda preset: changed.get(preset.about, preset.about))
    return changed


@pytest.mark.usefixtures("hardware")
def test_measurements_of_the_presets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place and in the form that ``l1bn presets`` reads."""
    stored = tmp_path / "presets.json"
    measured = {name: Resources(10 + number, 20, 0, 2, 99.5) for number, name in enumerate(PRESETS)}
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    monkeypatch.setattr(presets, "RESOURCES", stored)
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=measured))
    assert measurement.main(["--seeds", "1", "--cache", str(tmp_path)]) == 0
    presets._measurements.cache_clear()
    try:
        assert {name: presets.resources(name) for name in PRESETS} == measured
        assert presets.measured_with() == (measurement.versions(), 1)
    finally:
        presets._measurements.cache_clear()


def test_one_preset_beside_the_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hardware: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was measured of the others stays, and must come from the same tools."""
    stored = tmp_path / "presets.json"
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    before = {name: Resources(1, 1, 0, 0, 50.0) for name in PRESETS}
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=before))
    assert measurement.main(["--seeds", "1"]) == 0
    after = {"int16": Resources(7, 7, 0, 0, 60.0)}
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=after))
    assert measurement.main(["int16", "--seeds", "1"]) == 0
    luts = {
        name: kept["resources"]["lut"] for name, kept in json.loads(stored.read_text())["presets"].items()
    }
    assert luts == {name: 7 if name == "int16" else 1 for name in PRESETS}
    text = stored.read_text()
    assert measurement.main(["int16", "--seeds", "2"]) == 1
    assert "with other tools or seeds: measure all of them" in capsys.readouterr().err
    assert stored.read_text() == text
    for damaged in ("", "{", "[]", '{"presets": 1}'):
        stored.write_text(damaged)
        for arguments in (["int16", "--seeds", "1"], ["--check"]):
            assert measurement.main(arguments) == 1
            error = capsys.readouterr().err
            assert error.startswith("l1bn_synth: presets.json ") and error.endswith("; measure all presets\n")
            assert error.count("\n") == 1


def test_numbers_of_other_hardware_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hardware: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(measurement, "RESOURCES", tmp_path / "presets.json")
    measured = {name: Resources(1, 1, 0, 0, 50.0) for name in PRESETS}
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(results=measured))
    assert measurement.main(["--seeds", "1"]) == 0
    assert measurement.main(["--check"]) == 0
    capsys.readouterr()
    hardware["maps of 256x256, which the producer sends once for each pass"] = "another"
    assert measurement.main(["--check"]) == 1
    assert capsys.readouterr().out == "int16-replay: not measured as it is now; measure with make presets\n"
    assert measurement.main(["--check", "int16"]) == 0


def test_int16_comes_for_both_targets() -> None:
    for name in ("int16", "int16-l2", "int16-backward"):
        plain, blocks = PRESETS[name], PRESETS[f"{name}-ecp5"]
        assert plain.device == blocks.device
        assert dataclasses.replace(plain.configuration, target="ecp5") == blocks.configuration


def test_nothing_is_kept_when_a_preset_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = tmp_path / "presets.json"
    monkeypatch.setattr(measurement, "RESOURCES", stored)
    monkeypatch.setattr(measurement, "run_flows", lambda *_: Outcome(failures={"int16": "too large"}))
    assert measurement.main(["--cache", str(tmp_path / "cache")]) == 1
    assert "l1bn_synth: int16: too large\n" in capsys.readouterr().err
    assert not stored.exists()
