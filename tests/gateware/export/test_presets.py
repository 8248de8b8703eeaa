"""Presets: every one is a configuration, has resources that belong to it, and reaches the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from l1bn.command import cli
from l1bn.config import Configuration, ConfigurationError
from l1bn.export import presets


@pytest.mark.parametrize("name", presets.PRESETS)
def test_a_preset_has_resources_of_its_configuration(name: str) -> None:
    found = presets.resources(name)
    assert found is not None, "run python -m l1bn_synth.presets"
    assert min(found.lut, found.ff, found.fmax_mhz) > 0


def test_resources_of_another_configuration_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    wider = presets.Preset("", presets.PRESETS["int16"].device, {"width": 17})
    elsewhere = presets.Preset("", "HX8K", presets.PRESETS["int16"].parameters)
    for preset in (wider, elsewhere):
        monkeypatch.setitem(presets.PRESETS, "int16", preset)
        assert presets.resources("int16") is None


def test_an_unknown_preset_is_refused_with_the_names() -> None:
    with pytest.raises(ConfigurationError) as raised:
        presets.configuration("int17")
    assert str(raised.value) == "preset = 'int17' is not possible; allowed: " + ", ".join(presets.PRESETS)


def test_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["presets", "--names"]) == 0
    assert capsys.readouterr().out.splitlines() == list(presets.PRESETS)


def test_json_has_what_the_table_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["presets", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert list(described["presets"]) == list(presets.PRESETS)
    for name, preset in described["presets"].items():
        assert preset["configuration"] == presets.configuration(name).to_mapping()
        assert preset["resources"]["fmax_mhz"] > 0


def test_the_table_shows_what_each_preset_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.main(["presets"]) == 0
    out = capsys.readouterr().out
    for name, preset in presets.PRESETS.items():
        row = next(line for line in out.splitlines() if line.startswith(f"│ {name} "))
        found = presets.resources(name)
        assert found is not None
        for word in (preset.configuration.norm, f"{found.lut:,}", f"{found.ff:,}", f"{found.fmax_mhz:.1f}"):
            assert f" {word} " in row
    tools, seeds = presets.measured_with()
    shown = " ".join(out.split())
    assert f"--seeds {seeds}" in shown
    for tool, version in tools.items():
        assert f"{tool} {version}" in shown


def generated(folder: Path) -> Configuration:
    (path,) = folder.glob("*.json")
    return Configuration.from_mapping(json.loads(path.read_text())["configuration"])


def test_generate_from_a_preset(tmp_path: Path) -> None:
    assert cli.main(["generate", "--preset", "edge-int8", "-o", str(tmp_path)]) == 0
    assert generated(tmp_path) == presets.configuration("edge-int8")


def test_options_win_and_what_follows_from_them_follows(tmp_path: Path) -> None:
    arguments = ["--width", "6", "--count", "16", "--target", "portable"]
    assert cli.main(["generate", "--preset", "edge-int8", *arguments, "-o", str(tmp_path)]) == 0
    config = generated(tmp_path)
    assert (config.width, config.y_width, config.counts, config.target) == (6, 6, (16,), "portable")
    assert config.scale_width == presets.configuration("edge-int8").scale_width


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "int17"], "preset = 'int17' is not possible; allowed: edge-int8, "),
        (["--preset", ""], "preset = '' is not possible; allowed: edge-int8, "),
        (["--preset", "int16", "--width", "3"], "width = 3 is not possible"),
        (["--preset", "int16", "--config", "a.toml"], "allowed: either a preset or a file, not both"),
    ],
)
def test_bad_input(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert cli.main(["generate", "-o", str(output), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not output.exists()
