"""Every unit that is synthesised, in every configuration, and the presets that choose among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from amaranth.hdl import signed
from amaranth.lib.wiring import Component

from l1bn.config import Configuration
from l1bn.norms import NORMS
from l1bn.operators import build_operator, multiplies
from l1bn.streams.registers import SkidRegister
from l1bn.units import unit

from .operator_pairs import Absolute, AbsoluteAndSign, SquareAndRoot

__all__ = ["GROUPS", "PRESETS", "Subject", "find", "preset", "units"]

GROUPS = ("operator", "pair", "top")
PRESETS = ("quick", "paper", "lanes", "full", "peers")
WIDTHS = (8, 12, 16, 24, 32)
STEP_NORMS = ("l1", "l2")
STEP_WIDTHS = (8, 16)
"""Whose training steps the default report has: the norms of the paper, at these widths."""
LANES = (1, 4, 16)


@dataclass(frozen=True)
class Subject:
    """What is synthesised: an operator, a pair or a whole unit, in one configuration.

    Parameters
    ----------
    name : what it is, the same in all configurations
    group : operator, pair (what the paper compares) or top (a whole unit)
    norm : ``l1`` or ``l2`` for what only one of them needs, else empty
    width, lanes, count : bits of a sample, samples in a beat, samples in a channel (0: has no channels)
    kind : name of a declared operator (:data:`l1bn.operators.OPERATORS`), of a component of :data:`COMPONENTS`, or the
        direction of a whole unit; also the key of :data:`l1bn_synth.vectors.STIMULI`
    arguments : of the constructor and of the stimulus
    form : of the whole units: ``two-pass`` or ``one-pass``
    """

    name: str
    group: str
    norm: str
    width: int
    lanes: int
    count: int
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    form: str = ""

    @property
    def key(self) -> str:
        """Short and unique: name and configuration."""
        parts = [self.name, f"w{self.width}"]
        if self.count:
            parts += [f"l{self.lanes}", f"n{self.count}"]
        return "/".join(parts)

    def build(self, primitives: str) -> Component:
        """The component, on the primitives of that name (a key of :data:`l1bn.primitives.TARGETS`)."""
        if self.group == "top":
            return unit(Configuration.from_mapping({**self.arguments, "target": primitives}))
        if self.kind in COMPONENTS:
            return COMPONENTS[self.kind](self.arguments, primitives)
        fitted = FITTED[self.kind](self.arguments, primitives) if self.kind in FITTED else {}
        return build_operator(self.kind, {**self.arguments, **fitted}, primitives)

    @property
    def direction(self) -> str:
        """Of a whole unit, else empty."""
        return self.kind if self.group == "top" else ""

    @property
    def multiplies(self) -> bool:
        """Whether multiplier blocks may be used, so that doing without them is another result."""
        if self.group == "operator" and self.kind not in COMPONENTS:
            return multiplies(self.kind)
        return self.group == "top" or self.kind == SquareAndRoot.__name__

    def results_per_channel(self) -> int:
        """Results that the unit gives per channel: beats for a whole unit, one where there are no channels."""
        return self.count // self.lanes if self.count else 1

    def for_target(self, target: str) -> Subject:
        """The unit as it is synthesised for a target.

        Standard cells come without memory blocks, so there the producer holds the samples of a whole unit.
        """
        if self.group == "top" and target == "osu018":
            return dataclasses.replace(self, arguments={**self.arguments, "storage": "outside"})
        return self


COMPONENTS: dict[str, Callable[[Mapping[str, Any], str], Component]] = {
    "Absolute": lambda arguments, primitives: Absolute(**arguments),
    "AbsoluteAndSign": lambda arguments, primitives: AbsoluteAndSign(**arguments),
    "SkidRegister": lambda arguments, primitives: SkidRegister(signed(arguments["width"])),
    "SquareAndRoot": lambda arguments, primitives: SquareAndRoot(**arguments, target=primitives),
}
"""What is synthesised for the sake of a comparison, and no unit is made of."""


def _iterative_divider(arguments: Mapping[str, Any], primitives: str) -> Mapping[str, Any]:
    if primitives not in ("logic", "ice40"):
        return {}
    # The carry chains of iCE40 have no inverter at their inputs, and are slow enough to be worth shortening.
    return {"complement": True, "ahead": arguments["divisor_width"] * 3 // 8}


def _pipelined_divider(arguments: Mapping[str, Any], primitives: str) -> Mapping[str, Any]:
    # A logic cell of iCE40 has one flip-flop behind its look-up table, so there more registers are more cells.
    return {"stages": 1 if primitives in ("logic", "ice40") else 2}


FITTED: dict[str, Callable[[Mapping[str, Any], str], Mapping[str, Any]]] = {
    "IterativeDivider": _iterative_divider,
    "PipelinedDivider": _pipelined_divider,
}
"""Arguments that fit an operator to what a target is made of."""

PASSES = {"one-pass": "one pass", "two-pass": "two passes"}
FORWARD = {
    f"forward {norm.title}" + (f", {PASSES[form]}" if len(norm.forms) > 1 else ""): (norm.name, form)
    for norm in NORMS.values()
    for form in norm.forms
}
"""The whole forward units by name: norm and form."""
BACKWARD = {f"backward {norm.title}": norm.name for norm in NORMS.values() if norm.gradient is not None}
"""The whole backward units by name."""


def _single(name: str, width: int, kind: str, norm: str = "", **arguments: Any) -> Subject:
    """An operator on single numbers."""
    return Subject(name, "operator", norm, width, 1, 0, kind, {"width": width, **arguments})


def _operators(width: int, lanes: int, count: int) -> Iterator[Subject]:
    """The operators of a unit; those that take one number at a time come with one lane only."""
    at = (width, lanes, count)
    guard_bits = (count - 1).bit_length()
    sums = {"width": width, "lanes": lanes, "count": count}
    yield Subject("mean sum", "operator", "", *at, "SumAccumulator", sums)
    sign_abs = {"width": width, "lanes": lanes, "counts": (count,), "guard_bits": guard_bits}
    yield Subject("sign-abs accumulator", "operator", "l1", *at, "SignAbsAccumulator", sign_abs)
    yield Subject("square accumulator", "operator", "l2", *at, "SquareAccumulator", sums)
    configuration = {"norm": "l1", "width": width, "lanes": lanes, "counts": (count,)}
    yield Subject("affine", "operator", "", *at, "Affine", configuration)
    if lanes == 1:
        yield dataclasses.replace(
            _single("divide by constant", width, "DivideByConstant"),
            arguments={"width": width + guard_bits, "fraction": guard_bits, "count": count - count // 49},
        )
        yield _single("square root, iterative", width, "IterativeSquareRoot", "l2")
        yield _single("square root, pipelined", width, "PipelinedSquareRoot", "l2")
        yield dataclasses.replace(
            _single("scale (reciprocal)", width, "Scale"), arguments={**configuration, "lanes": 1}
        )


def _peers() -> Iterator[Subject]:
    """The operators that other projects publish, in their configurations."""
    for width in (16, 32):
        yield _single("skid register", width, "SkidRegister")
        yield _single("absolute value", width, "Absolute", "l1")
        yield _single("square root, iterative", width, "IterativeSquareRoot", "l2")
        yield _single("square root, pipelined", width, "PipelinedSquareRoot", "l2")
    yield _single("divide by 49", 16, "DivideByConstant", fraction=0, count=49)
    yield _single("divide by 125", 32, "DivideByConstant", fraction=0, count=125)


def _dividers() -> Iterator[Subject]:
    """General dividers, which no unit needs, but which other projects publish."""
    wide = {"dividend_width": 32, "divisor_width": 16, "quotient_width": 16}
    for name, kind, width, arguments in (
        ("divider, iterative", "IterativeDivider", 16, {"dividend_width": 16, "divisor_width": 16}),
        ("divider, iterative", "IterativeDivider", 32, {"dividend_width": 32, "divisor_width": 32}),
        ("divider, pipelined", "PipelinedDivider", 32, wide),
    ):
        yield Subject(name, "operator", "", width, 1, 0, kind, arguments)


def _every_peer() -> Iterator[Subject]:
    yield from _peers()
    yield from _dividers()


def _pairs(width: int) -> Iterator[Subject]:
    common = {"width": width}
    yield Subject("abs + sign", "pair", "l1", width, 1, 0, "AbsoluteAndSign", common)
    yield Subject("square + root", "pair", "l2", width, 1, 0, "SquareAndRoot", common)


def _tops(width: int, lanes: int, count: int, norms: Collection[str] = tuple(NORMS)) -> Iterator[Subject]:
    for name, (norm, form) in FORWARD.items():
        if norm not in norms:
            continue
        arguments = {
            "norm": norm,
            "form": form,
            "width": width,
            "lanes": lanes,
            "counts": (count,),
            "storage": "inside",
        }
        yield Subject(name, "top", norm, width, lanes, count, "forward", arguments, form=form)


def _backward_tops(
    width: int, lanes: int, count: int, norms: Collection[str] = tuple(NORMS)
) -> Iterator[Subject]:
    for name, norm in BACKWARD.items():
        if norm not in norms:
            continue
        arguments = {
            "norm": norm,
            "direction": "backward",
            "width": width,
            "lanes": lanes,
            "counts": (count,),
            "storage": "inside",
        }
        yield Subject(name, "top", norm, width, lanes, count, "backward", arguments)


def _step(width: int, lanes: int, count: int) -> Iterator[Subject]:
    """The units, of every form, that a step of training needs."""
    yield from _tops(width, lanes, count, STEP_NORMS)
    yield from _backward_tops(width, lanes, count, STEP_NORMS)


def _lanes() -> Iterator[Subject]:
    """How far the units of the paper's norms go with their lanes."""
    for width in STEP_WIDTHS:
        for lanes in LANES:
            yield from _tops(width, lanes, 1024, STEP_NORMS)
        for lanes in (LANES[0], LANES[-1]):
            yield from _backward_tops(width, lanes, 1024, STEP_NORMS)


def _quick() -> Iterator[Subject]:
    yield from _operators(16, 1, 1024)
    yield from _peers()
    yield from _pairs(16)
    yield from _tops(16, 1, 1024)
    for width in STEP_WIDTHS:
        yield from _step(width, 1, 1024)


def _paper() -> Iterator[Subject]:
    yield from _quick()
    yield from _lanes()
    for width in WIDTHS:
        yield from _pairs(width)
        yield from _tops(width, 1, 1024)
        yield from _backward_tops(width, 1, 1024)


def _full() -> Iterator[Subject]:
    yield from _paper()
    yield from _dividers()
    for width in WIDTHS:
        for lanes in LANES:
            yield from _operators(width, lanes, 1024)
            yield from _tops(width, lanes, 1024)


@cache
def preset(name: str) -> tuple[Subject, ...]:
    """The units of a preset, each once, in the order of a report."""
    chosen = {
        "quick": _quick,
        "paper": _paper,
        "lanes": _lanes,
        "full": _full,
        "peers": _every_peer,
    }[name]()
    unique = {unit.key: unit for unit in chosen}
    return tuple(sorted(unique.values(), key=lambda unit: GROUPS.index(unit.group)))


def units() -> dict[str, Subject]:
    """All units by key."""
    return {unit.key: unit for unit in preset("full")}


def find(key: str) -> Subject:
    """The unit of a key; raises :exc:`KeyError` where there is none."""
    return units()[key]
