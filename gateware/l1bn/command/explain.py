"""What follows from a configuration, and what each of its parameters costs.

The costs come from building the unit of every neighbour, a configuration in which one parameter has changed, and
subtracting: nothing here knows a formula.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from amaranth.hdl import Shape, Value

from ..config import PARAMETERS, Configuration, ConfigurationError, Parameter
from ..generator import manifest
from ..numbers.formats import Formats
from ..units import unit
from ..units.accuracy import advice
from ..units.backward import BackwardBatchNorm
from ..units.contents import in_turns, memories, multipliers
from ..units.forward import BatchNorm

__all__ = ["explain", "neighbours"]

WIDTHS = {
    "sum_width": ("S", "sum of the samples, signed"),
    "guard_bits": ("G", "fraction bits of the mean beyond those of x"),
    "mean_width": ("mu", "mean, signed"),
    "tally_width": ("n", "number of samples"),
    "spread_width": ("w", "spread before it is normalised"),
    "epsilon_fraction": ("h", "fraction bits of the spread for epsilon alone"),
    "odd_fraction": ("f", "fraction bits that a division by the odd part of n adds"),
    "mantissa_width": ("T", "mantissa of r"),
    "r_exponent_shape": ("", "exponent of r, signed"),
}
"""Derived widths in bits: attribute of :class:`Formats`, symbol in ``docs/arithmetic.md``, what it is."""
MEAN_WIDTHS = ("sum_width", "guard_bits", "mean_width")
"""Those that only a norm with a mean has."""
SCALE_WIDTHS = {
    "shift_shape": ("t", "right shift of the affine sum"),
    "offset_width": ("", "offset, and the affine sum, signed"),
}
"""The same of its scale."""
BACKWARD_WIDTHS = {
    **{name: WIDTHS[name] for name in ("guard_bits", "mean_width", "mantissa_width", "r_exponent_shape")},
    "gradient_width": ("dbeta", "sum of dy and dgamma, signed"),
    "product_sum_width": ("P", "sum of dy * x, signed"),
    "centred_width": ("C", "sum of dy * (x - mean), signed"),
    "projection_fraction": ("Gh", "fraction bits of the sum of dy * xhat"),
    "projection_width": ("H", "sum of dy * xhat, signed"),
    "mean_fraction": ("Gm", "fraction bits of the means that are subtracted from dy"),
    "projection_mean_width": ("a", "mean of dy * xhat, signed"),
    "gradient_mean_width": ("m0", "mean that is subtracted from dy, signed"),
    "stored_width": ("", "of an element between the passes"),
}
"""The same of a backward unit."""
CONSTANTS = {
    "scale_bits": ("K_bits", "log2 of the largest scale that a channel can need"),
    "shift_min": ("SHIFT_MIN", "smallest shift of the scale"),
    "shift_max": ("SHIFT_MAX", "largest shift of the scale"),
    "scale_fraction": ("F", "fraction bits that the affine sum carries below x*k"),
}
"""Constants of the scale from x to y, :class:`l1bn.numbers.scale_format.ScaleFormat`."""
Unit = BatchNorm | BackwardBatchNorm


def explain(config: Configuration) -> dict[str, Any]:
    """Everything that follows from a configuration, ready for JSON.

    ``changes`` lists the neighbours: the changed parameter with its values, and what is different there. An error
    bound is ``None`` where guard bits of the user's own leave none. ``epsilon`` of a count is what its channels get.

    Raises :exc:`ConfigurationError` for a direction that is explained by those two only.
    """
    if config.direction not in ("forward", "backward"):
        raise ConfigurationError("direction", config.direction, "forward or backward")
    built = unit(config)
    before = _figures(built)
    changes = []
    for name, neighbour in neighbours(config):
        after = _figures(unit(neighbour))
        changes.append(
            {
                "parameter": name,
                "from": _plain(getattr(config, name)),
                "to": _plain(getattr(neighbour, name)),
                **_difference(before, after),
            }
        )
    described = manifest.describe(built, "unit")
    return {
        "configuration": described["configuration"],
        "passes": described["passes"],
        **before,
        "advice": advice(config),
        "constants": {
            name: {"value": getattr(built.formats.scale, name), "symbol": symbol, "about": about}
            for name, (symbol, about) in CONSTANTS.items()
        },
        "counts": described["counts"],
        "stages": _stages(built),
        "in_turns": in_turns(built),
        "memories": memories(built),
        "changes": changes,
    }


def neighbours(config: Configuration) -> Iterator[tuple[str, Configuration]]:
    """The configurations one step away, each with the name of the parameter in which it differs.

    A whole number grows by one. Lanes, suspects and the largest count double, or halve where they are at their limit;
    the interval does both. A choice takes each of its other values. What is out of range is left out.
    """
    for name, parameter in PARAMETERS.items():
        for value in _steps(config, name, parameter):
            changed: dict[str, Any] = {name: value}
            if name == "norm":
                changed["form"] = None  # each norm has forms of its own
            try:
                yield name, dataclasses.replace(config, **changed)
            except ConfigurationError:
                continue


def _steps(config: Configuration, name: str, parameter: Parameter) -> list[Any]:
    value = getattr(config, name)
    if parameter.named:
        return [choice for choice in parameter.choices if choice != value]
    if name in ("lanes", "suspects"):
        return [value * 2 if value < max(parameter.choices) else value // 2]
    if name == "counts":
        largest = max(value)
        others = tuple(count for count in value if count != largest)
        steps = [(*others, largest * 2 if largest <= 1 << 19 else largest // 2)]
        if Formats(config).only_powers_of_two:
            steps.append((*others, largest // 4 * 3))  # what a count that is no power of two costs
        return steps
    if name == "interval":
        return [value * 2, value // 2]
    if name == "epsilon":
        return [value * 2, 0.0] if value else [1e-5]
    if name == "guard_bits" and value is None:
        return [Formats(config).guard_bits + 1] if config.traits.centred else []
    return [] if value is None else [value + 1]


def _figures(built: Unit) -> dict[str, Any]:
    """What is compared between neighbours."""
    formats, config = built.formats, built.config
    if isinstance(built, BackwardBatchNorm):
        widths = _widths(formats, _of_norm(BACKWARD_WIDTHS, config))
    else:
        of_norm = {
            name: {"bits": width.bits, "symbol": width.symbol, "about": width.about}
            for name, width in config.traits.widths(formats).items()
        }
        widths = _widths(formats, _of_norm(WIDTHS, config)) | of_norm | _widths(formats.scale, SCALE_WIDTHS)
    longest = max(config.counts)
    accuracy = manifest.describe(built, "unit")["accuracy"]
    return {
        "streams": {name: _stream_width(built, name) for name in built.signature.members},
        "widths": widths,
        "memory_bits": sum(memory["bits"] for memory in memories(built)),
        "multipliers": multipliers(built),
        "operators": sum(entry["number"] for entry in in_turns(built)),
        "latency": built.latency(longest),
        "cycles_per_channel": built.cycles_per_channel(longest),
        "error_bound": None
        if accuracy is None
        else round(float(Fraction(accuracy["largest_for_beta_0"])), 4),
    }


def _of_norm(widths: Mapping[str, tuple[str, str]], config: Configuration) -> dict[str, tuple[str, str]]:
    """Those of the widths that a unit of the norm has."""
    left_out = () if config.traits.centred else MEAN_WIDTHS
    return {name: text for name, text in widths.items() if name not in left_out}


def _widths(formats: object, widths: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {"bits": _bits(getattr(formats, name)), "symbol": symbol, "about": about}
        for name, (symbol, about) in widths.items()
    }


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The figures after a change, and by how many bits each width has moved."""
    numbers = ("memory_bits", "operators", "latency", "cycles_per_channel", "error_bound")
    wider = {}
    for key in ("streams", "widths"):
        for name in {**before[key], **after[key]}:
            old, new = (_bits_of(figures[key].get(name)) for figures in (before, after))
            if new != old:
                wider[name] = new - old
    return {
        **{name: after[name] for name in numbers},
        "multipliers": after["multipliers"],
        "widths_change": wider,
    }


def _bits_of(width: Any) -> int:
    if width is None:
        return 0
    return int(width["bits"] if isinstance(width, Mapping) else width)


def _bits(width: int | Shape) -> int:
    return width.width if isinstance(width, Shape) else int(width)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _stream_width(built: Unit, name: str) -> int:
    return len(Value.cast(getattr(built, name).payload))


def _stages(built: Unit) -> list[dict[str, Any]]:
    """Latency and interval in cycles; ``None`` where a stage takes a beat a cycle.

    What a channel spends between the stages, to begin its passes, is a stage of its own here.
    """
    stages = _backward_stages(built) if isinstance(built, BackwardBatchNorm) else _forward_stages(built)
    longest = max(built.config.counts)
    beats = longest // built.config.lanes
    named = sum(latency for _, latency, _ in stages) + (beats - 1) * (built.config.passes - 1)
    between = ("beginning of the passes", built.latency(longest) - named, None)
    return [
        {"stage": name, "latency": latency, "interval": interval}
        for name, latency, interval in [*stages, between]
    ]


Stages = list[tuple[str, int, int | None]]


def _forward_stages(built: BatchNorm) -> Stages:
    mean, spread, scale = built.mean, built.spread, built.scale
    spreading = (spread.latency(mean.latency), spread.interval(mean.latency))
    if spread.after_mean:
        statistics: Stages = [("mean", mean.latency, mean.interval), ("spread", *spreading)]
    else:
        statistics = [("mean and spread" if built.config.traits.centred else "spread", *spreading)]
    return [
        ("guard", built.storage.guard.latency, None),
        *statistics,
        ("scale", scale.latency, scale.interval),
        ("affine", built.affine.latency, None),
    ]


def _backward_stages(built: BackwardBatchNorm) -> Stages:
    project, slope, gradient = built.project, built.slope, built.gradient
    return [
        ("pairs and sides", built.pairs.latency + built.sides.latency, None),
        ("sums", built.sums.latency, None),
        ("project", project.latency, project.interval),
        ("slope", slope.latency, slope.interval),
        ("gradient", gradient.latency, gradient.interval),
        ("apply", gradient.apply_latency, None),
    ]
