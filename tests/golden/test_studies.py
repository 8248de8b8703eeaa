"""The two commands: what they print, and that the accuracy study fails when it should."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from l1bn_golden import accuracy, accuracy_gradients, benchmark
from l1bn_golden.norms import NORMS, norm_of


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "BATCH", 1 << 12)
    monkeypatch.setattr(accuracy_gradients, "BATCH", 1 << 11)


def test_accuracy_of_a_small_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert accuracy.main(["--outputs", "1", "--gradients", "1", "--seed", "3"]) == 0
    captured = capsys.readouterr()
    steps = 0
    for case in accuracy.CASES:
        summary = f"{case.norm} W={case.width:2} M={case.scale_width}: max error "
        directions = 1 if norm_of(case.norm).gradient is None else 2
        assert captured.out.count(summary) == directions, "forward and, where there is one, backward"
        steps += directions
    assert "seed 3" in captured.out
    assert captured.err.count("measured") == steps


def test_accuracy_is_repeatable() -> None:
    first, second = ([row.error for row in accuracy.measure(accuracy.CASES[0], 1, 5)] for _ in range(2))
    assert first == second
    assert first != [row.error for row in accuracy.measure(accuracy.CASES[0], 1, 6)]


@pytest.mark.parametrize("norm", NORMS)
def test_accuracy_fails_on_a_wrong_model(norm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = accuracy.forward

    def wrong(*arguments: Any) -> Any:
        result = right(*arguments)
        y = result.y.copy()
        y[-1, -1] = (y[-1, -1] + 2) % 100
        return dataclasses.replace(result, y=y)

    case = next(case for case in accuracy.CASES if case.norm == norm)
    monkeypatch.setattr(accuracy, "CASES", (case,))
    assert accuracy.main(["--outputs", "1", "--gradients", "1"]) == 0
    monkeypatch.setattr(accuracy, "forward", wrong)
    assert accuracy.main(["--outputs", "1", "--gradients", "1"]) == 1


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("output", ["dx", "dgamma"])
def test_accuracy_fails_on_wrong_gradients(
    norm: str, output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = accuracy_gradients.backward

    def wrong(*arguments: Any) -> Any:
        result = right(*arguments)
        return dataclasses.replace(result, **{output: getattr(result, output) // 4 * 4})

    assert not any(row.fails for row in accuracy_gradients.gradient_report([(norm, 8, 16)], 1, 1))
    monkeypatch.setattr(accuracy_gradients, "backward", wrong)
    assert any(row.fails for row in accuracy_gradients.gradient_report([(norm, 8, 16)], 1, 1))
    assert "above the bound\n" in capsys.readouterr().out


def test_accuracy_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(accuracy, "CASES", accuracy.CASES[:1])
    assert accuracy.main(["--outputs", "1", "--gradients", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["case"]["norm"] for row in found["outputs"]} == {"l1"}
    assert all(0 < row["error"] < row["bound"] for row in found["outputs"])
    assert all(row["dx"]["of_bound"] < 1 for row in found["gradients"])


def test_accuracy_fails_above_an_enforced_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = accuracy.CASES[0]
    monkeypatch.setattr(accuracy, "CASES", (dataclasses.replace(case, limit=0.4),))
    assert accuracy.main(["--outputs", "1", "--gradients", "1"]) == 1
    assert "above the limit\n" in capsys.readouterr().out
    monkeypatch.setattr(accuracy, "CASES", (dataclasses.replace(case, limit=0.4, enforced=False),))
    assert accuracy.main(["--outputs", "1", "--gradients", "1"]) == 0
    assert "above the limit (not enforced)" in capsys.readouterr().out


def test_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main(["--samples", "2000", "--count", "100"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 5 * len(NORMS)
    assert all(float(line.split()[2]) > 0 for line in lines[2:])
    benchmark.main(["--samples", "2000", "--count", "100", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [(row["norm"], row["width"]) for row in rows[:2]] == [("l1", 8), ("l1", 12)]
    assert all(row["count"] == 100 and row["samples_per_second"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (accuracy.main, ["--outputs", "0"], "outputs = 0 is not possible; allowed: 1 or more"),
        (accuracy.main, ["--gradients", "0"], "gradients = 0 is not possible; allowed: 1 or more"),
        (accuracy.main, ["--seed", "-1"], "seed = -1 is not possible"),
        (benchmark.main, ["--seed", "-1"], "seed = -1 is not possible"),
        (benchmark.main, ["--samples", "0"], "samples = 0 is not possible"),
        (benchmark.main, ["--count", "1"], "count = 1 is not possible; allowed: a whole number from 2 to"),
    ],
)
def test_bad_arguments(
    main: Any, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_the_golden_model_never_imports_the_generator() -> None:
    script = """
import sys
from l1bn_golden import accuracy, benchmark, data, exact, exact_gradients, gradients, integer, reference, running
print([name for name in sys.modules if name.split(".")[0] in ("l1bn", "amaranth")])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
