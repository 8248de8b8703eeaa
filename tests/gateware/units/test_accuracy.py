"""The word on configurations whose error may exceed a unit of y's last place."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from l1bn.command import cli
from l1bn.config import Configuration, ConfigurationError
from l1bn.norms import NORMS
from l1bn.numbers.formats import Formats
from l1bn.units.accuracy import advice, error_bound


def at_beta_0(config: Configuration) -> float:
    return float(error_bound(Formats(config), 1 << (config.y_width - 1)))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("counts", [(1024,), (60,)])
def test_advice_names_the_smallest_scale_that_is_enough(norm: str, counts: tuple[int, ...]) -> None:
    """For every width: silence where the bound is 1 at most, and otherwise a remedy that is one, and the smallest."""
    for width in range(4, 33):
        for scale_width in (8, 13, 18, 24):
            config = Configuration(norm=norm, counts=counts, width=width, scale_width=scale_width)
            said = advice(config)
            assert (said is None) == (at_beta_0(config) <= 1), config
            if said is None:
                continue
            assert f"{at_beta_0(config):,.2f}" in said and "\n" not in said
            scale = re.search(r"scale_width = (\d+) brings", said)
            y = re.search(r"no scale_width up to 24 .*; 24 does with a y_width of up to (\d+)", said)
            if scale:
                enough = int(scale[1])
                assert at_beta_0(dataclasses.replace(config, scale_width=enough)) <= 1
                assert at_beta_0(dataclasses.replace(config, scale_width=enough - 1)) > 1
            else:
                assert y is not None, said
                for y_width, holds in ((int(y[1]), True), (int(y[1]) + 1, False)):
                    values: dict[str, Any] = {"norm": norm, "counts": counts, "width": width}
                    other = Configuration(**values, scale_width=24, y_width=y_width)
                    assert (at_beta_0(other) <= 1) == holds


def test_guard_bits_of_ones_own_that_leave_no_bound() -> None:
    said = advice(Configuration(guard_bits=3))
    assert said is not None and "guard_bits = 3 the error of y has no bound; it has one with 10" in said
    assert advice(Configuration(guard_bits=10)) is None


def test_a_backward_unit_has_no_y() -> None:
    assert advice(Configuration(direction="backward", width=32)) is None


@pytest.mark.parametrize("command", ["generate", "export"])
def test_the_command_says_so_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise ConfigurationError("output", "here", "nowhere")

    monkeypatch.setattr("l1bn.generator.generate.write", stop)
    monkeypatch.setattr("l1bn.export.export", stop)
    for width, lines in ((16, 0), (20, 1), (32, 1)):
        assert cli.main([command, "--width", str(width), "-o", str(tmp_path / "out")]) == 2
        errors = capsys.readouterr().err.splitlines()
        notes = [line for line in errors if line.startswith("l1bn: note: the error of y is bounded by ")]
        assert len(notes) == lines == len(errors) - 1
