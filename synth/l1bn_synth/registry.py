"""Every unit that is synthesised, in every configuration, and the presets that choose among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from amaranth.hdl import signed
from amaranth.lib.wiring import Component

from l1bn.beats.affine import Affine
from l1bn.beats.deviation import SignAbsAccumulator
from l1bn.beats.squares import SquareAccumulator
from l1bn.beats.sums import SumAccumulator
from l1bn.channels.divide import DivideByConstant
from l1bn.channels.quotient import IterativeDivider, PipelinedDivider
from l1bn.channels.root import IterativeSquareRoot, PipelinedSquareRoot
from l1bn.channels.scale import Scale
from l1bn.config import Configuration
from l1bn.norms import NORMS
from l1bn.numbers.formats import Formats
from l1bn.streams.registers import SkidRegister
from l1bn.units import unit

from .operator_pairs import Absolute, AbsoluteAndSign, SquareAndRoot

__all__ = ["GROUPS", "PRESETS", "Unit", "find", "preset", "units"]

GROUPS = ("operator", "pair", "top")
PRESETS = ("quick", "paper", "full", "peers")
WIDTHS = (8, 12, 16, 24, 32)
LANES = (1, 4, 16)


@dataclass(frozen=True)
class Unit:
    """One unit in one configuration.

    Parameters
    ----------
    name : what it is, the same in all configurations
    group : operator, pair (what the paper compares) or top (a whole unit)
    norm : ``l1`` or ``l2`` for what only one of them needs, else empty
    width, lanes, count : bits of a sample, samples in a beat, samples in a channel (0: has no channels)
    stimulus : key of :data:`l1bn_synth.vectors.STIMULI`
    arguments : of the constructor and of the stimulus
    multiplies : whether multiplier blocks may be used, so that doing without them is another result
    form : of the whole units: ``two-pass`` or ``one-pass``
    """

    name: str
    group: str
    norm: str
    width: int
    lanes: int
    count: int
    stimulus: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    multiplies: bool = False
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
        return BUILDERS[self.name](dict(self.arguments), primitives)

    def results_per_channel(self) -> int:
        """Results that the unit gives per channel: beats for a whole unit, one where there are no channels."""
        return self.count // self.lanes if self.count else 1

    def for_target(self, target: str) -> Unit:
        """The unit as it is synthesised for a target.

        Standard cells come without memory blocks, so there the producer holds the samples of a whole unit.
        """
        if self.group == "top" and target == "osu018":
            return dataclasses.replace(self, arguments={**self.arguments, "storage": "outside"})
        return self


def _operator(build: Callable[..., Component]) -> Callable[[dict[str, Any], str], Component]:
    return lambda arguments, primitives: build(**arguments)


def _multiplying(build: Callable[..., Component]) -> Callable[[dict[str, Any], str], Component]:
    return lambda arguments, primitives: build(**arguments, target=primitives)


def _scale(arguments: dict[str, Any], primitives: str) -> Component:
    return Scale(Formats(Configuration.from_mapping(arguments)).scale)


def _affine(arguments: dict[str, Any], primitives: str) -> Component:
    formats = Formats(Configuration.from_mapping(arguments))
    return Affine(formats.scale, formats.config.lanes, min(formats.beats), primitives)


def _iterative_divider(arguments: dict[str, Any], primitives: str) -> Component:
    if primitives not in ("logic", "ice40"):
        return IterativeDivider(**arguments)
    # The carry chains of iCE40 have no inverter at their inputs, and are slow enough to be worth shortening.
    return IterativeDivider(**arguments, complement=True, ahead=arguments["divisor_width"] * 3 // 8)


def _pipelined_divider(arguments: dict[str, Any], primitives: str) -> Component:
    # A logic cell of iCE40 has one flip-flop behind its look-up table, so there more registers are more cells.
    return PipelinedDivider(**arguments, stages=1 if primitives in ("logic", "ice40") else 2)


def _skid(arguments: dict[str, Any], primitives: str) -> Component:
    return SkidRegister(signed(arguments["width"]))


def _top(arguments: dict[str, Any], primitives: str) -> Component:
    return unit(Configuration.from_mapping({**arguments, "target": primitives}))


PASSES = {"one-pass": "one pass", "two-pass": "two passes"}
FORWARD = {
    f"forward {norm.title}" + (f", {PASSES[form]}" if len(norm.forms) > 1 else ""): (norm.name, form)
    for norm in NORMS.values()
    for form in norm.forms
}
"""The whole forward units by name: norm and form."""
BACKWARD = {f"backward {norm.title}": norm.name for norm in NORMS.values() if norm.gradient is not None}
"""The whole backward units by name."""

BUILDERS: dict[str, Callable[[dict[str, Any], str], Component]] = {
    "skid register": _skid,
    "absolute value": _operator(Absolute),
    "mean sum": _operator(SumAccumulator),
    "sign-abs accumulator": _operator(SignAbsAccumulator),
    "square accumulator": _multiplying(SquareAccumulator),
    "divide by constant": _operator(DivideByConstant),
    "divide by 49": _operator(DivideByConstant),
    "divide by 125": _operator(DivideByConstant),
    "divider, iterative": _iterative_divider,
    "divider, pipelined": _pipelined_divider,
    "square root, iterative": _operator(IterativeSquareRoot),
    "square root, pipelined": _operator(PipelinedSquareRoot),
    "scale (reciprocal)": _scale,
    "affine": _affine,
    "abs + sign": _operator(AbsoluteAndSign),
    "square + root": _multiplying(SquareAndRoot),
    **dict.fromkeys((*FORWARD, *BACKWARD), _top),
}


def _single(name: str, width: int, stimulus: str, norm: str = "", **arguments: Any) -> Unit:
    """An operator on single numbers."""
    return Unit(name, "operator", norm, width, 1, 0, stimulus, {"width": width, **arguments})


def _operators(width: int, lanes: int, count: int) -> Iterator[Unit]:
    """The operators of a unit; those that take one number at a time come with one lane only."""
    at = (width, lanes, count)
    guard_bits = (count - 1).bit_length()
    sums = {"width": width, "lanes": lanes, "count": count}
    yield Unit("mean sum", "operator", "", *at, "mean-sum", sums)
    sign_abs = {"width": width, "lanes": lanes, "counts": (count,), "guard_bits": guard_bits}
    yield Unit("sign-abs accumulator", "operator", "l1", *at, "sign-abs", sign_abs)
    yield Unit("square accumulator", "operator", "l2", *at, "square", sums, multiplies=True)
    configuration = {"norm": "l1", "width": width, "lanes": lanes, "counts": (count,)}
    yield Unit("affine", "operator", "", *at, "affine", configuration, multiplies=True)
    if lanes == 1:
        yield dataclasses.replace(
            _single("divide by constant", width, "divide"),
            arguments={"width": width + guard_bits, "fraction": guard_bits, "count": count - count // 49},
        )
        yield _single("square root, iterative", width, "square-root", "l2")
        yield _single("square root, pipelined", width, "square-root", "l2")
        yield dataclasses.replace(
            _single("scale (reciprocal)", width, "scale"), arguments={**configuration, "lanes": 1}
        )


def _peers() -> Iterator[Unit]:
    """The operators that other projects publish, in their configurations."""
    for width in (16, 32):
        yield _single("skid register", width, "register")
        yield _single("absolute value", width, "absolute", "l1")
        yield _single("square root, iterative", width, "square-root", "l2")
        yield _single("square root, pipelined", width, "square-root", "l2")
    yield _single("divide by 49", 16, "divide", fraction=0, count=49)
    yield _single("divide by 125", 32, "divide", fraction=0, count=125)


def _dividers() -> Iterator[Unit]:
    """General dividers, which no unit needs, but which other projects publish."""
    for name, width, arguments in (
        ("divider, iterative", 16, {"dividend_width": 16, "divisor_width": 16}),
        ("divider, iterative", 32, {"dividend_width": 32, "divisor_width": 32}),
        ("divider, pipelined", 32, {"dividend_width": 32, "divisor_width": 16, "quotient_width": 16}),
    ):
        yield Unit(name, "operator", "", width, 1, 0, "quotient", arguments)


def _every_peer() -> Iterator[Unit]:
    yield from _peers()
    yield from _dividers()


def _pairs(width: int) -> Iterator[Unit]:
    common = {"width": width}
    yield Unit("abs + sign", "pair", "l1", width, 1, 0, "absolute-and-sign", common)
    yield Unit("square + root", "pair", "l2", width, 1, 0, "square-and-root", common, multiplies=True)


def _tops(width: int, lanes: int, count: int) -> Iterator[Unit]:
    for name, (norm, form) in FORWARD.items():
        arguments = {
            "norm": norm,
            "form": form,
            "width": width,
            "lanes": lanes,
            "counts": (count,),
            "storage": "inside",
        }
        yield Unit(name, "top", norm, width, lanes, count, "forward", arguments, multiplies=True, form=form)


def _backward_tops(width: int, lanes: int, count: int) -> Iterator[Unit]:
    for name, norm in BACKWARD.items():
        arguments = {
            "norm": norm,
            "direction": "backward",
            "width": width,
            "lanes": lanes,
            "counts": (count,),
            "storage": "inside",
        }
        yield Unit(name, "top", norm, width, lanes, count, "backward", arguments, multiplies=True)


def _quick() -> Iterator[Unit]:
    yield from _operators(16, 1, 1024)
    yield from _peers()
    yield from _pairs(16)
    yield from _tops(16, 1, 1024)


def _paper() -> Iterator[Unit]:
    yield from _quick()
    for width in WIDTHS:
        yield from _pairs(width)
        yield from _tops(width, 1, 1024)
        yield from _backward_tops(width, 1, 1024)


def _full() -> Iterator[Unit]:
    yield from _paper()
    yield from _dividers()
    for width in WIDTHS:
        for lanes in LANES:
            yield from _operators(width, lanes, 1024)
            yield from _tops(width, lanes, 1024)


@cache
def preset(name: str) -> tuple[Unit, ...]:
    """The units of a preset, each once, in the order of a report."""
    chosen = {"quick": _quick, "paper": _paper, "full": _full, "peers": _every_peer}[name]()
    unique = {unit.key: unit for unit in chosen}
    return tuple(sorted(unique.values(), key=lambda unit: GROUPS.index(unit.group)))


def units() -> dict[str, Unit]:
    """All units by key."""
    return {unit.key: unit for unit in preset("full")}


def find(key: str) -> Unit:
    """The unit of a key; raises :exc:`KeyError` where there is none."""
    return units()[key]
