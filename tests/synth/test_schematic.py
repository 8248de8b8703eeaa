"""Schematics: the netlist that is drawn, and what is said where the program that draws is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from l1bn_synth import schematic


def tool(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called netlistsvg, and nothing else but the system's, on the path."""
    program = folder / "bin" / "netlistsvg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_netlist_has_the_operators_words() -> None:
    unit = schematic.operators(8)["abs-sign"]
    (module,) = json.loads(schematic.netlist(unit))["modules"].values()
    assert len(module["ports"]["i_absolute__payload"]["bits"]) == 8
    kinds = {cell["type"] for cell in module["cells"].values()}
    assert "$mux" in kinds
    assert any(kind.endswith("ff") or "dff" in kind for kind in kinds)


def test_operators_by_width() -> None:
    assert schematic.operators(16)["mean-sum"].width == 16
    assert schematic.operators(8)["mean-sum"].width == 8
    assert not any(name.startswith("forward") for name in schematic.operators(8))


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert schematic.main([]) == 0
    assert "mean-sum (8 bits)" in capsys.readouterr().out.splitlines()


def test_it_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool(tmp_path, monkeypatch, 'test "$2" = -o && cp "$1" "$3"')
    output = tmp_path / "out"
    assert schematic.main(["mean-sum", "--output", str(output)]) == 0
    (path,) = output.iterdir()
    assert path.name == "mean-sum-w8.svg"
    assert "modules" in json.loads(path.read_text())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mean-sum"], "netlistsvg is missing; install: apt-get install npm"),
        (["mean-sum", "--width", "0"], "WIDTH = 0 is not possible; allowed for mean-sum: 8 or 12 or "),
        (["mean"], "OPERATOR = 'mean' is not possible; allowed: mean-sum, "),
    ],
)
def test_one_line_and_nothing_left_behind(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    output = tmp_path / "out"
    assert schematic.main([*arguments, "--output", str(output)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1
    assert not output.exists()


def test_a_program_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool(tmp_path, monkeypatch, "echo Error: too large; exit 3")
    output = tmp_path / "out"
    assert schematic.main(["abs-sign", "--output", str(output)]) == 1
    assert "netlistsvg exited with code 3: Error: too large" in capsys.readouterr().err
    assert not list(output.iterdir())
