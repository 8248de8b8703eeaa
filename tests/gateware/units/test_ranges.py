"""One table of parameters: what it allows is what every command, every text and the golden model says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from l1bn.config import MOST_COUNTS, PARAMETERS, Configuration, ConfigurationError
from l1bn_golden import Contract
from l1bn_sim import cli as simulation
from l1bn_sim import loop_training, waves

ROOT = Path(__file__).parents[3]
IN_THE_MODEL = [name for name, parameter in PARAMETERS.items() if not parameter.choices and name != "channels"]
"""What results depend on; of the rest the model only has the names."""


def candidates(name: str) -> list[Any]:
    """Values at and beyond each end, and of the wrong kind."""
    parameter = PARAMETERS[name]
    wrong = ["8", 8.0, True, None] if name not in ("guard_bits", "running_fraction") else ["8", 8.0, True]
    if name == "epsilon":
        return [0, 0.0, 1, 1.0, -1e-9, 1.0000001, float("nan"), float("inf"), "0", True]
    assert parameter.range is not None
    low, high = parameter.range
    numbers = [low - 1, low, high, high + 1, 7]
    if name == "counts":
        several = [(low, high), tuple(range(2, 2 + MOST_COUNTS)), tuple(range(2, 3 + MOST_COUNTS)), (8, 8), ()]
        return [*((number,) for number in numbers), *several]
    return [*numbers, *(value for value in wrong if value is not None)]


def verdict(kind: type, values: dict[str, Any]) -> str:
    """What a class says to parameters: nothing, or its one line."""
    try:
        kind(**values)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", IN_THE_MODEL)
def test_the_golden_model_allows_the_same(name: str) -> None:
    for value in candidates(name):
        if name.endswith("_fraction") and value == -1:
            continue  # stands for "not given" in the model
        assert verdict(Contract, {name: value}) == verdict(Configuration, {name: value}), value


def test_a_fraction_depends_on_its_width_in_both() -> None:
    for width, fraction in (("width", "x_fraction"), ("y_width", "y_fraction"), ("gamma_width", "gamma_fraction")):
        for value in (5, 6):
            values = {width: 6, fraction: value}
            assert verdict(Contract, values) == verdict(Configuration, values)


@pytest.mark.parametrize("options", [simulation.UNIT, waves.UNIT, loop_training.UNIT])
def test_help_of_every_command_has_the_parameters_own_words(options: list[click.Option]) -> None:
    for option in options:
        parameter = PARAMETERS[str(option.name)]
        assert parameter.about[1:] in str(option.help)
        if parameter.choices:
            assert option.metavar == "|".join(map(str, parameter.choices))
        else:
            assert parameter.allowed in str(option.help)


def stated(text: str) -> dict[str, str]:
    """The values that ``make help`` states for each variable, those of the first target that names it."""
    found: dict[str, str] = {}
    for line in re.findall(r"^#v (.*)$", text, flags=re.MULTILINE):
        for variable, values in re.findall(r"\b([A-Z]+)=(\S+)", line):
            found.setdefault(variable, values)
    return found


def test_the_lines_of_make_help_have_the_ranges() -> None:
    found = stated((ROOT / "Makefile").read_text(encoding="utf-8"))
    for variable, name in (("NORM", "norm"), ("FORM", "form"), ("STORAGE", "storage"), ("LANES", "lanes")):
        assert found[variable] == "|".join(map(str, PARAMETERS[name].choices))
    width = PARAMETERS["width"].range
    assert width is not None and found["WIDTH"] == f"{width[0]}..{width[1]}"
    assert set(found["DIRECTION"].split("|")) <= set(PARAMETERS["direction"].choices)


def test_the_readme_has_the_ranges() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    (low, high), lanes, counts = PARAMETERS["width"].range, PARAMETERS["lanes"].choices, PARAMETERS["counts"].range
    assert f"widths from {low} to {high} bits" in text
    assert f"{lanes[0]} to {lanes[-1]} lanes" in text
    assert f"up to {MOST_COUNTS} run-time selectable counts from {counts[0]} to {counts[1]:,} samples" in text


def test_defaults_of_the_pages_are_those_of_the_table() -> None:
    """The parameters that docs/arithmetic.md defines, with the defaults that are numbers."""
    text = (ROOT / "docs" / "arithmetic.md").read_text(encoding="utf-8")
    found = re.findall(r"\| symbol \| parameter \| default \|\n\|.*?\n(.*?)\n\n", text, flags=re.DOTALL)
    assert len(found) > 1
    for line in "\n".join(found).splitlines():
        names = re.findall(r"`(\w+)`", line.split("|")[2])
        defaults = re.split(r", (?!max)", line.split("|")[3].strip())
        assert set(names) <= set(PARAMETERS)
        for name, default in zip(names, defaults, strict=False):
            if re.fullmatch(r"[\d.e-]+", default):
                assert float(default) == float(PARAMETERS[name].default)


def test_the_error_says_what_help_says() -> None:
    for name, parameter in PARAMETERS.items():
        if parameter.named or name == "form":
            with pytest.raises(ConfigurationError) as raised:
                Configuration(**{name: "nothing"})
            assert name == "form" or str(raised.value).endswith(f"allowed: {parameter.allowed}")
