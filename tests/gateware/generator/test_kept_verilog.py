"""A change that is meant to move no bit of the hardware moves none: a sample of what `make same` compares."""

from __future__ import annotations

import pytest

from . import kept_verilog

CONFIGURATIONS = list(kept_verilog.configurations())


def test_the_kept_ones_are_those_that_are_compared() -> None:
    assert list(kept_verilog.kept()) == list(map(kept_verilog.key, CONFIGURATIONS))
    assert len(CONFIGURATIONS) - len(kept_verilog.PRESETS) >= 200


@pytest.mark.parametrize("parameters", CONFIGURATIONS[20::53], ids=lambda parameters: parameters["direction"])
def test_a_unit_is_as_it_was(parameters: dict[str, object]) -> None:
    found = kept_verilog.hashes(parameters)
    assert found.difference(kept_verilog.kept()[kept_verilog.key(parameters)]) is None


def test_names_alone_are_told_from_hardware() -> None:
    text = "module a(b);\n  assign b = \\c.d + e;\n"
    renamed = text.replace("c.d", "x.y")
    assert kept_verilog._nameless(text) == kept_verilog._nameless(renamed)
    assert kept_verilog._nameless(text) != kept_verilog._nameless(text.replace("+", "-"))
