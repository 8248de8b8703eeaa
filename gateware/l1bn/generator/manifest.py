"""The manifest: what somebody who instantiates a generated unit needs to know, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape, Value, ValueCastable
from amaranth.lib import data, wiring

from .. import __version__
from ..config import Configuration, ConfigurationError
from ..norms import GradientFacts, Norm
from ..numbers.formats import Formats
from ..numbers.running_formats import RunningFormats
from ..numbers.scale_format import ScaleFormat
from ..units.accuracy import error_bound, has_bound
from .reading import read_text

__all__ = ["SCHEMA", "describe", "dumps", "parameters", "read"]

SCHEMA = 2
"""Version of the manifest's structure; it grows when a key moves, goes or changes its meaning."""
READABLE = (1, 2)
"""Versions whose configuration means what it means today; in 1 the formats of a scale stood beside all others."""

# What the fields of the payloads hold. Integers are those of docs/arithmetic.md.
FIELDS = {
    ("i", "data"): "samples x, lane 0 lowest",
    ("i", "last"): "this beat ends the channel",
    ("i", "select"): "index of the count, taken from the first beat of a packet",
    ("i_affine", "gamma"): "gamma of the channel",
    ("i_affine", "beta"): "beta of the channel",
    ("o", "data"): "outputs y, lane 0 lowest",
    ("o", "last"): "this beat ends the channel",
    ("o", "error"): "valid with last: a packet of this channel was too short or too long",
    ("o_next", "again"): "send the channel again for its statistics; 0: for the last time",
    ("o_stats", "missed"): "the mean was guessed badly: the channel passed more than once for its statistics",
    ("i_x", "data"): "samples x, lane 0 lowest",
    ("i_x", "last"): "this beat ends the channel",
    ("i_x", "select"): "index of the count, taken from the first beat of a packet",
    ("i_dy", "data"): "gradients dy of the outputs y, lane 0 lowest",
    ("i_dy", "last"): "this beat ends the channel",
    ("i_stats", "mean"): "mean mu, as the forward unit gave it",
    ("i_stats", "r_mantissa"): "r = r_mantissa * 2^-r_exponent units of x's last place",
    ("i_stats", "r_exponent"): "see r_mantissa",
    ("i_stats", "error"): "these statistics are worthless",
    ("i_averages", "mean"): "running mean",
    ("i_averages", "spread"): "running spread r",
    ("o_averages", "mean"): "running mean of the channel",
    ("o_averages", "spread"): "running spread r of the channel",
    ("o_dx", "data"): "gradients dx of the samples, lane 0 lowest",
    ("o_dx", "last"): "this beat ends the channel",
    ("o_dx", "error"): "valid with last: a packet was too short or too long, forward or backward",
    ("o_fold", "scale"): "magnitude of c, the factor of x",
    ("o_fold", "negative"): "c is negative",
    ("o_fold", "shift"): "y = saturate((c * x * 2^(f - shift) + b + 2^(f-1)) >> f), f = max(shift, 1)",
    ("o_fold", "b"): "see shift",
    ("i_gamma", "gamma"): "gamma of the channel",
    ("o_gradients", "dgamma"): "sum of dy * xhat: the gradient of gamma",
    ("o_gradients", "dbeta"): "sum of dy: the gradient of beta",
    (
        "o_gradients",
        "error",
    ): "the statistics were none, or a packet before the last pass had the wrong length",
    ("o_stats", "mean"): "mean mu",
    ("o_stats", "r_mantissa"): "r = r_mantissa * 2^-r_exponent units of x's last place",
    ("o_stats", "r_exponent"): "see r_mantissa",
    ("o_stats", "scale"): "magnitude k of the scale",
    ("o_stats", "shift"): "right shift t of the affine sum",
    ("o_stats", "negative"): "gamma is negative",
    ("o_stats", "select"): "index of the count",
    ("o_stats", "error"): "a packet of this channel before the last pass was too short or too long",
}
BACKWARD_FIELDS = {
    ("o", "data"): "gradients dx of the samples, lane 0 lowest",
    ("o", "error"): "valid with last: a packet was too short or too long, or the statistics were none",
}
"""Those that mean something else in a backward unit."""


def describe(unit: wiring.Component, name: str) -> dict[str, Any]:
    """The manifest of ``unit`` as module ``name``, ready for JSON.

    ``unit`` has ``config``, ``formats``, ``latency(count)`` and ``cycles_per_channel(count)``.
    """
    config, formats = unit.config, unit.formats
    return {
        "schema": SCHEMA,
        "generator": {"name": "l1bn", "version": __version__},
        "licence": "Apache-2.0",
        "module": name,
        "source": f"{name}.v",
        "configuration": config.to_mapping(),
        "passes": config.passes,
        "counts": [_count(unit, index) for index in range(len(config.counts))],
        "accuracy": _accuracy(formats),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {"port": "rst", "active": "high", "synchronous": True},
        "ports": _ports(unit),
        "formats": _formats(formats),
    }


def parameters(config: Configuration) -> dict[str, Any]:
    """The parameters that a unit is made of, each with its number where that follows from the others."""
    values = config.used_parameters()
    derived = {
        "guard_bits": Formats(config).guard_bits,
        "running_fraction": RunningFormats(config).running_fraction,
    }
    return values | {name: number for name, number in derived.items() if name in values}


def dumps(manifest: dict[str, Any]) -> str:
    """The manifest as text, the same for the same manifest."""
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Read back the parameters and the module's name from a manifest.

    Raises :exc:`ConfigurationError` when ``path`` holds no manifest that this version understands.
    """
    text = read_text("config", path)
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError("config", str(path), f"valid JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("schema") not in READABLE:
        schemas = " or ".join(map(str, READABLE))
        raise ConfigurationError("config", str(path), f"a manifest of l1bn with schema {schemas}")
    values, name = manifest.get("configuration"), manifest.get("module")
    if not isinstance(values, dict) or not isinstance(name, str):
        raise ConfigurationError("config", str(path), "a manifest with a module and a configuration")
    return values, name


def _count(unit: wiring.Component, index: int) -> dict[str, Any]:
    """What depends on the number of samples in a channel."""
    config, formats = unit.config, unit.formats
    count = config.counts[index]
    return {
        "count": count,
        "select": index,
        "beats": count // config.lanes,
        "latency": unit.latency(count),
        "cycles_per_channel": unit.cycles_per_channel(count),
        "epsilon": str(formats.effective_epsilon(index)),
    }


def _accuracy(formats: Formats) -> dict[str, Any] | None:
    """The bound of docs/arithmetic.md on the error of an output that does not saturate, ``None`` where none holds."""
    config = formats.config
    if not has_bound(config):
        return None
    terms = ["1/2", "max(d*2^-scale_width, 2^(width-1-shift_max))"]
    terms += config.traits.error_terms(formats).words()
    return {
        "unit": "last place of y",
        "against": "the exact rational result of the same integers with the epsilon of the configuration",
        "formula": " + ".join(terms),
        "d": "|y - beta| in last places of y",
        "largest_for_beta_0": str(error_bound(formats, 1 << (config.y_width - 1))),
        "largest": str(error_bound(formats, 1 << config.y_width)),
    }


def _ports(unit: wiring.Component) -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = [
        {"name": "clk", "direction": "input", "width": 1},
        {"name": "rst", "direction": "input", "width": 1},
    ]
    for path, member, value in unit.signature.flatten(unit):
        stream, role = path[:-1], path[-1]
        shape = value.shape() if isinstance(value, ValueCastable) else None
        port = {
            "name": "__".join(map(str, path)),
            "direction": "input" if member.flow == wiring.In else "output",
            "width": len(Value.cast(value)),
            "stream": "__".join(map(str, stream)),
            "role": role,
        }
        if isinstance(shape, data.StructLayout):
            port["fields"] = [_field(unit.formats, port["stream"], key, field) for key, field in shape]
        ports.append(port)
    return ports


def _field(formats: Formats, stream: str, name: str, field: data.Field) -> dict[str, Any]:
    """A field of a payload; ``lanes`` items of ``width`` bits each, the first at ``lsb``."""
    shape, lanes = field.shape, None
    if isinstance(shape, data.ArrayLayout):
        shape, lanes = shape.elem_shape, shape.length
    shape = Shape.cast(shape)
    described = {"name": name, "lsb": field.offset, "width": shape.width, "signed": shape.signed}
    if lanes is not None:
        described["lanes"] = lanes
    fraction = _fractions(formats).get((stream, name))
    if fraction is not None:
        described["fraction"] = fraction
    own = formats.traits.statistics(formats)
    if stream in ("i_stats", "o_stats") and name in own:
        return {**described, "about": own[name].about}
    about = {**FIELDS, **(BACKWARD_FIELDS if formats.config.direction == "backward" else {})}
    return {**described, "about": about[stream, name]}


def _fractions(formats: Formats) -> dict[tuple[str, str], int]:
    """Fraction bits of the fields that are fixed-point numbers."""
    config = formats.config
    backward = config.direction == "backward"
    return {
        ("i", "data"): config.x_fraction,
        ("i_affine", "gamma"): config.gamma_fraction,
        ("i_affine", "beta"): config.beta_fraction,
        ("o", "data"): config.dx_fraction if backward else config.y_fraction,
        ("o_stats", "mean"): config.x_fraction + formats.guard_bits,
        ("i_x", "data"): config.x_fraction,
        ("i_dy", "data"): config.dy_fraction,
        ("i_stats", "mean"): config.x_fraction + formats.guard_bits,
        ("i_gamma", "gamma"): config.gamma_fraction,
        ("o_gradients", "dgamma"): config.dy_fraction,
        ("o_gradients", "dbeta"): config.dy_fraction,
        ("i_averages", "mean"): config.x_fraction + formats.guard_bits,
        ("o_averages", "mean"): config.x_fraction + formats.guard_bits,
        ("o_averages", "spread"): config.x_fraction + RunningFormats(config).running_fraction,
        ("i_averages", "spread"): config.x_fraction + RunningFormats(config).running_fraction,
        ("o_dx", "data"): config.dx_fraction,
    }


def _formats(formats: Formats | ScaleFormat) -> dict[str, Any]:
    """Every public attribute of ``formats`` that is a number or made of them, and the widths that its norm adds."""
    names = sorted(name for name in dir(formats) if not name.startswith("_"))
    values = {name: getattr(formats, name) for name in names}
    plain = {name: _plain(value) for name, value in values.items() if _is_number(value)}
    if isinstance(formats, Formats):
        plain |= {name: width.bits for name, width in formats.traits.widths(formats).items()}
    return plain


def _is_number(value: Any) -> bool:
    return not callable(value) and not isinstance(value, Configuration | Norm | GradientFacts)


def _plain(value: Any) -> Any:
    if isinstance(value, Formats | ScaleFormat):
        return _formats(value)
    if isinstance(value, Shape):
        return {"width": value.width, "signed": value.signed}
    if isinstance(value, range):
        return {"from": value.start, "to": value[-1]}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
