"""The examples run, and the README shows what they hold."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest

from l1bn.command import cli
from l1bn_sim.toolchain import build_environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def test_compare_norms_prints_a_line_for_each_unit(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "compare_norms.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[2:]] == [
        [norm, form, lanes]
        for norm, form in (("l1", "two-pass"), ("l2", "two-pass"), ("l2", "one-pass"))
        for lanes in ("1", "4", "16")
    ]


def test_the_accelerator_fits_the_generated_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = EXAMPLES / "normaliser.toml"
    assert cli.main(["generate", "--config", str(config), "-o", str(tmp_path)]) == 0
    sources = [EXAMPLES / "accelerator.sv", tmp_path / "normaliser.v", ROOT / "sim/l1bn_sim/waivers.vlt"]
    # Verilator checks names, directions and widths of the connections; what it warns of is an error.
    lint = subprocess.run(
        ["verilator", "--lint-only", "--top-module", "accelerator", *sources],
        capture_output=True,
        text=True,
        env=build_environment(),
    )
    assert (lint.returncode, lint.stderr) == (0, "")


def test_the_readme_shows_the_configuration() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```toml\n(.*?)```", readme, re.S)
    assert shown
    assert shown[1] in (EXAMPLES / "normaliser.toml").read_text(encoding="utf-8")
