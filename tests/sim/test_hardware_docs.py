"""What the page and the example on hardware as a function show, run."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from l1bn.beats.sums import SumAccumulator

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries are in ``build/hardware`` of the current folder."""
    monkeypatch.chdir(ROOT)


def test_the_code_of_the_page_runs(capsys):
    page = (ROOT / "docs" / "hardware_in_the_loop.md").read_text(encoding="utf-8")
    shown = [code for code in re.findall(r"```python\n(.*?)```", page, re.S) if code.startswith("import")]
    printed = []
    for code in shown:
        exec(compile(code, "hardware_in_the_loop.md", "exec"), {})
        printed.append(capsys.readouterr().out.split())
    _, component, network = printed
    latency = SumAccumulator(width=8, lanes=4, count=64).latency
    # The unit is ready from the second cycle after its reset on.
    assert component == [str(1 + 320 + latency), str(latency)]
    # y and dx, seven statistics and two gradients a channel.
    assert network[:3] == [str(16 * (2 * 64 + 7 + 2)), "values", "equal,"]


def test_the_example_finds_no_difference(capsys):
    runpy.run_path(str(ROOT / "examples" / "hardware_as_a_function.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("51,200 samples, ")
    assert lines[1:] == ["values of y that differ: 0, with pauses 0", "means that differ: 0"]
