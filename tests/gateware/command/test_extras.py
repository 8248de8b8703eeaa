"""The command where nothing but the package's own requirements is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXTRAS = ("jinja2", "lxml", "markdown_it", "matplotlib", "numpy", "onnx", "qonnx", "scipy", "systemrdl", "torch")
WITHOUT = f"""
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Missing())
from l1bn.command.cli import main

sys.exit(main(sys.argv[1:]))
"""


def without_extras(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("export", "--help"),
        ("plan", "--help"),
        ("presets",),
        ("explain", "--count", "16"),
        ("generate", "--count", "16", "-o", "out"),
    ],
)
def test_what_needs_no_extra_works(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = without_extras(*arguments, folder=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(("export", "--count", "16", "-o", "out"), "export"), (("plan", "net.onnx"), "plan")],
)
def test_what_needs_one_says_which(arguments: tuple[str, ...], extra: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").touch()
    done = without_extras(*arguments, folder=tmp_path)
    line = done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert "is missing; install: make" in line and f"pip install '.[{extra}]'" in line
    assert not (tmp_path / "out").exists()
