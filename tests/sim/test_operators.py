"""Every operator's top under Verilator: values, exact latency and throughput, see ``l1bn_sim.bench_operators``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from l1bn.operators import OPERATORS, build_operator
from l1bn_sim.design import Design
from l1bn_sim.runner import run_bench
from l1bn_vectors.edge_exercises import EXERCISES

SMALL = {"width": 8, "lanes": 4, "count": 64}
WIDE = {"width": 24, "lanes": 1, "count": 100}
NARROW = {"norm": "l1", "width": 4, "lanes": 2, "counts": [64]}
MIDDLE = {
    "norm": "l2",
    "width": 12,
    "lanes": 1,
    "counts": [48],
    "scale_width": 16,
    "y_width": 9,
    "beta_width": 20,
}
LARGE = {"norm": "l1", "width": 32, "lanes": 1, "counts": [1024], "scale_width": 24, "gamma_width": 32}


CASES: list[tuple[str, dict[str, Any]]] = [
    ("ExtremesAccumulator", SMALL),
    ("ExtremesAccumulator", WIDE),
    ("SumAccumulator", SMALL),
    ("SumAccumulator", WIDE),
    ("DeviationSums", SMALL),
    ("SignAbsAccumulator", {"width": 8, "lanes": 2, "counts": [128], "guard_bits": 7}),
    ("SignAbsAccumulator", {"width": 16, "lanes": 1, "counts": [100], "guard_bits": 23, "offsets": [12345]}),
    ("SquareAccumulator", SMALL),
    ("SquareAccumulator", WIDE),
    ("CentredSquareAccumulator", SMALL),
    ("DivideByConstant", {"width": 26, "fraction": 10, "count": 1024}),
    ("DivideByConstant", {"width": 32, "fraction": 0, "count": 1000003}),
    ("DivideByConstant", {"width": 18, "fraction": 30, "count": 49}),
    ("DivideByCount", {"width": 30, "fraction": 12, "counts": [64, 49, 1000, 3]}),
    ("DivideByCount", {"width": 8, "fraction": 0, "counts": [2]}),
    ("IterativeSquareRoot", {"width": 48}),
    ("PipelinedSquareRoot", {"width": 17}),
    ("Normalizer", {"width": 40}),
    ("Normalizer", {"width": 24, "radix_bits": 2}),
    ("SequentialMultiplier", {"a_shape": (18, True), "b_shape": (9, True), "c_shape": (18, True)}),
    ("SequentialMultiplier", {"a_shape": (18, False), "b_shape": (9, False), "c_shape": (1, True)}),
    ("Scale", NARROW),
    ("Scale", LARGE),
    ("Offset", NARROW),
    ("Offset", LARGE),
    ("Affine", NARROW),
    ("Affine", LARGE),
    ("GradientSums", {"width": 8, "gradient_width": 12, "lanes": 4, "count": 128}),
    ("Centre", {"direction": "backward", **NARROW}),
    ("Projection", {"direction": "backward", **NARROW}),
    ("IterativeDivider", {"dividend_width": 24, "divisor_width": 9}),
    ("IterativeDivider", {"dividend_width": 16, "divisor_width": 16, "complement": True, "ahead": 6}),
    ("PipelinedDivider", {"dividend_width": 20, "divisor_width": 11, "quotient_width": 9}),
    ("PipelinedDivider", {"dividend_width": 13, "divisor_width": 13, "stages": 2}),
]

MORE: list[tuple[str, dict[str, Any]]] = [
    ("Scale", MIDDLE),
    ("Offset", MIDDLE),
    ("Affine", MIDDLE),
    ("Centre", {"direction": "backward", **MIDDLE}),
    ("Projection", {"direction": "backward", **MIDDLE}),
]
"""Of the same kinds: these wait to be asked for."""


def test_what_is_declared_is_exercised_and_run() -> None:
    assert {name for name, _ in CASES} == set(EXERCISES) == set(OPERATORS)


@pytest.mark.parametrize(
    ("name", "arguments"), [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in MORE)]
)
def test_operator(name: str, arguments: dict[str, Any], store: Path, tmp_path: Path, seed: int) -> None:
    operator = build_operator(name, arguments)
    parameters = {
        "operator": name,
        "arguments": arguments,
        "latency": operator.latency,
        "interval": operator.interval,
    }
    outcome = run_bench(
        Design.of(operator, name),
        "l1bn_sim.bench_operators",
        tmp_path,
        store=store,
        seed=seed,
        parameters=parameters,
    )
    assert outcome.tests == 6
    covered = outcome.result["coverage"]
    assert covered["items"] and covered["idle"] and covered["stall"]
