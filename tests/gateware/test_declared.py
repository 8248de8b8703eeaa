"""The declared operators: each names what it computes, and can be built from plain data."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import l1bn
from l1bn.errors import ConfigurationError
from l1bn.logic.operator import Operator, computes
from l1bn.operators import MODULES, OPERATORS, build_operator, multiplies

SUMS = {"width": 8, "lanes": 2, "count": 8}
SCALED = {"norm": "l1", "width": 8, "counts": [16]}


def test_every_module_that_declares_is_known() -> None:
    package = Path(l1bn.__file__).parent
    declaring = {path for path in package.rglob("*.py") if "\n@computes(" in path.read_text(encoding="utf-8")}
    assert declaring == {Path(module.__file__ or "") for module in MODULES}
    assert {kind.__module__ for kind in OPERATORS.values()} == {module.__name__ for module in MODULES}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_golden_function_exists(name: str) -> None:
    module, function = OPERATORS[name].model.rsplit(".", 1)
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SumAccumulator", SUMS),
        ("SquareAccumulator", SUMS),
        ("SequentialMultiplier", {"a_shape": (4, True), "b_shape": (3, False), "c_shape": (1, True)}),
        ("Scale", SCALED),
        ("Affine", SCALED),
        ("Projection", {**SCALED, "direction": "backward"}),
    ],
)
def test_an_operator_is_built_from_plain_data(name: str, arguments: dict[str, object]) -> None:
    built = build_operator(name, arguments)
    assert isinstance(built, Operator) and type(built).__name__ == name
    assert built.latency >= 1 and built.interval >= 1


def test_what_multiplies_is_built_on_a_target() -> None:
    assert {name for name in OPERATORS if multiplies(name)} == {
        "Affine",
        "CentredSquareAccumulator",
        "GradientSums",
        "SquareAccumulator",
    }
    ours, portable = (build_operator("SquareAccumulator", SUMS, target) for target in ("ecp5", "portable"))
    assert ours.latency > portable.latency
    with pytest.raises(ConfigurationError, match="target = 'xilinx'"):
        build_operator("SquareAccumulator", SUMS, "xilinx")
    with pytest.raises(ConfigurationError, match="target = 'xilinx'"):
        build_operator("Affine", SCALED, "xilinx")


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="operator = 'SumAccumulator' is not possible"):

        @computes("builtins.sum")
        class SumAccumulator:
            pass

    assert inspect.getmodule(OPERATORS["SumAccumulator"]) in MODULES
