"""Timing diagrams: the run is a right one, and the picture says what happened in which cycle."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.units import unit
from l1bn_golden import Contract, forward
from l1bn_sim import waves

SMALL = Configuration(width=6, counts=(8,), scale_width=8, gamma_width=8)
OUTSIDE = Configuration(norm="l2", width=6, lanes=2, counts=(8,), storage="outside", scale_width=8)


@pytest.fixture(scope="module")
def trace() -> waves.Trace:
    return waves.record(unit(SMALL))


@pytest.mark.parametrize("config", [SMALL, OUTSIDE])
def test_the_run_is_that_of_the_golden_model(config: Configuration) -> None:
    trace = waves.record(unit(config))
    golden = forward(Contract.from_parameters(config.to_mapping()), *waves.stimulus(config))
    moved = trace.moved("o")
    np.testing.assert_array_equal(moved["data"].reshape(2, -1), golden.y)
    assert not moved["error"][moved["last"] == 1].any()
    np.testing.assert_array_equal(trace.moved("o_stats")["mean"], golden.mean.astype(np.int64))


def test_it_shows_back_pressure(trace: waves.Trace) -> None:
    refused = [cycle for cycle in trace.cycles if cycle["o"][0] and not cycle["o"][1]]
    assert len(refused) == waves.CHANNELS
    assert len(trace.moved("o")["last"]) == waves.CHANNELS * 8


def test_every_transfer_is_in_the_picture(trace: waves.Trace) -> None:
    shown = waves.columns_of(trace.cycles)
    for number, cycle in enumerate(trace.cycles):
        if any(valid and ready for valid, ready, _ in cycle.values()):
            assert number in shown
    assert shown.count(None) >= 2
    assert len(shown) < len(trace.cycles) / 2
    numbers = [number for number in shown if number is not None]
    assert numbers == sorted(set(numbers))


def test_gaps_stand_for_two_cycles_or_more() -> None:
    quiet, busy = {"i": (False, True, 0)}, {"i": (True, True, 1)}
    assert waves.columns_of([quiet, busy, quiet, busy]) == [0, 1, 2, 3]
    assert waves.columns_of([busy, quiet, quiet, busy]) == [0, 1, 2, 3]
    assert waves.columns_of([busy, quiet, quiet, quiet, busy]) == [0, 1, None, 4]


def test_the_picture_is_the_same_every_time(trace: waves.Trace) -> None:
    text = waves.picture(trace, "title")
    assert text == waves.picture(waves.record(unit(SMALL)), "title")
    shown = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    for value in trace.moved("o")["data"][:, 0]:
        assert str(value) in shown
    for name in ("title", "i.valid", "i_affine.gamma", "o.data", "o.ready", "o_stats.mean"):
        assert name in shown


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert waves.main(["--width", "6", "--count", "4", "--output", str(tmp_path)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.suffix for path in paths] == [".svg", ".vcd"]
    assert all(path.stat().st_size for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "128"], "count = 128 is not possible; allowed: a whole number from 2 to 64"),
        (["--width", "3"], "width = 3 is not possible"),
        (["--width", "x"], "width = 'x' is not possible; allowed: a whole number from 4 to 32"),
        (["--count", "8,16"], "count = '8,16' is not possible; allowed: one count"),
    ],
)
def test_bad_input(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert waves.main([*arguments, "--output", str(output)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1
    assert not output.exists()
