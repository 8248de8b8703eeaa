"""Every operator's top under Verilator: values, exact latency and throughput, see ``l1bn_sim.bench_operators``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib.wiring import Component

from l1bn.beats.affine import Affine
from l1bn.beats.deviation import SignAbsAccumulator
from l1bn.beats.extremes import ExtremesAccumulator
from l1bn.beats.gradient_sums import GradientSums
from l1bn.beats.squares import CentredSquareAccumulator, SquareAccumulator
from l1bn.beats.sums import DeviationSums, SumAccumulator
from l1bn.channels.divide import DivideByConstant, DivideByCount
from l1bn.channels.multiply import SequentialMultiplier
from l1bn.channels.normalize import Normalizer
from l1bn.channels.projection import Centre, Projection
from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot
from l1bn.channels.scale import Offset, Scale
from l1bn.config import Configuration
from l1bn.numbers.backward_formats import BackwardFormats
from l1bn.numbers.formats import Formats
from l1bn_sim.design import Design
from l1bn_sim.exercises import EXERCISES
from l1bn_sim.runner import run_bench

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


def of_scale(operator: type[Component]) -> Callable[..., Component]:
    """An operator on the scale of a configuration."""
    return lambda **parameters: operator(Formats(Configuration.from_mapping(parameters)).scale)


def affine(**parameters: Any) -> Affine:
    formats = Formats(Configuration.from_mapping(parameters))
    return Affine(formats.scale, formats.config.lanes, min(formats.beats), formats.config.target)


def of_backward_formats(operator: type[Component]) -> Callable[..., Component]:
    """An operator on the formats of a backward unit."""
    return lambda **parameters: operator(BackwardFormats(Configuration.from_mapping(parameters)))


def multiplier(**shapes: tuple[int, bool]) -> SequentialMultiplier:
    return SequentialMultiplier(
        **{name: (signed if is_signed else unsigned)(w) for name, (w, is_signed) in shapes.items()}
    )


CASES: list[tuple[str, Callable[..., Component], dict[str, Any]]] = [
    ("ExtremesAccumulator", ExtremesAccumulator, SMALL),
    ("ExtremesAccumulator", ExtremesAccumulator, WIDE),
    ("SumAccumulator", SumAccumulator, SMALL),
    ("SumAccumulator", SumAccumulator, WIDE),
    ("DeviationSums", DeviationSums, SMALL),
    ("SignAbsAccumulator", SignAbsAccumulator, {"width": 8, "lanes": 2, "counts": [128], "guard_bits": 7}),
    (
        "SignAbsAccumulator",
        SignAbsAccumulator,
        {"width": 16, "lanes": 1, "counts": [100], "guard_bits": 23, "offsets": [12345]},
    ),
    ("SquareAccumulator", SquareAccumulator, SMALL),
    ("SquareAccumulator", SquareAccumulator, WIDE),
    ("CentredSquareAccumulator", CentredSquareAccumulator, SMALL),
    ("DivideByConstant", DivideByConstant, {"width": 26, "fraction": 10, "count": 1024}),
    ("DivideByConstant", DivideByConstant, {"width": 32, "fraction": 0, "count": 1000003}),
    ("DivideByConstant", DivideByConstant, {"width": 18, "fraction": 30, "count": 49}),
    ("DivideByCount", DivideByCount, {"width": 30, "fraction": 12, "counts": [64, 49, 1000, 3]}),
    ("DivideByCount", DivideByCount, {"width": 8, "fraction": 0, "counts": [2]}),
    ("IterativeSquareRoot", IterativeSquareRoot, {"width": 48}),
    ("PipelinedSquareRoot", PipelinedSquareRoot, {"width": 17}),
    ("Normalizer", Normalizer, {"width": 40}),
    ("Normalizer", Normalizer, {"width": 24, "radix_bits": 2}),
    (
        "SequentialMultiplier",
        multiplier,
        {"a_shape": (18, True), "b_shape": (9, True), "c_shape": (18, True)},
    ),
    (
        "SequentialMultiplier",
        multiplier,
        {"a_shape": (18, False), "b_shape": (9, False), "c_shape": (1, True)},
    ),
    ("Scale", of_scale(Scale), NARROW),
    ("Scale", of_scale(Scale), MIDDLE),
    ("Scale", of_scale(Scale), LARGE),
    ("Offset", of_scale(Offset), NARROW),
    ("Offset", of_scale(Offset), MIDDLE),
    ("Offset", of_scale(Offset), LARGE),
    ("Affine", affine, NARROW),
    ("Affine", affine, MIDDLE),
    ("Affine", affine, LARGE),
    ("GradientSums", GradientSums, {"width": 8, "gradient_width": 12, "lanes": 4, "count": 128}),
    ("Centre", of_backward_formats(Centre), {"direction": "backward", **NARROW}),
    ("Centre", of_backward_formats(Centre), {"direction": "backward", **MIDDLE}),
    ("Projection", of_backward_formats(Projection), {"direction": "backward", **NARROW}),
    ("Projection", of_backward_formats(Projection), {"direction": "backward", **MIDDLE}),
]


def test_every_exercise_is_used():
    assert {name for name, _, _ in CASES} == set(EXERCISES)


@pytest.mark.parametrize(("name", "build", "arguments"), CASES)
def test_operator(name, build, arguments, store, tmp_path, seed):
    operator = build(**arguments)
    parameters = {
        "operator": name,
        "arguments": arguments,
        "latency": operator.latency,
        "interval": getattr(operator, "interval", 1),
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
