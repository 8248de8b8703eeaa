"""The data sheet of a package: Markdown, the same as a page, and two drawings."""

from __future__ import annotations

import html
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from ..config import PARAMETERS
from ..generator import manifest
from . import presets
from .drawings import Row, blocks, timing
from .example import example
from .ports import native_ports
from .rdl import MEANING
from .render import render

if TYPE_CHECKING:
    from .package import Package

__all__ = ["files"]

# What the drawings of the handshake show: a pause of the source, a stall of the sink.
STREAM = (
    Row("clock", "PPPPPPPP"),
    Row("valid", "01.01..0"),
    Row("ready", "1..101.1"),
    Row("payload", "x==x=.=x", "ABCD"),
    Row("moves", "01.0.1.0"),
)


def files(package: Package) -> dict[str, str]:
    """The files of the data sheet by their path."""
    name, config = package.name, package.config
    described = manifest.describe(package.unit, name)
    spread = config.traits.formula
    drawings = {"doc/timing.svg": timing(STREAM)}
    if package.has_axi:
        needs = (config.traits.centred, package.unit.spread.after_mean)
        drawings["doc/blocks.svg"] = blocks(spread, *needs, config.storage == "inside", axi=True)
    text = render(
        "datasheet.md.jinja",
        package=package,
        name=name,
        config=config,
        formats=package.unit.formats,
        described=described,
        parameters={
            key: (PARAMETERS[key].about, value) for key, value in manifest.parameters(config).items()
        },
        native=native_ports(package.unit),
        fields=[port for port in described["ports"] if "fields" in port],
        example=example(config) if package.has_axi else None,
        map=package.map if package.has_axi else None,
        meaning=MEANING,
        resources=_resources(package),
        spread=spread,
        bound=lambda text: float(Fraction(text)),
    )
    page = MarkdownIt("commonmark").enable("table").render(text)
    return {
        f"doc/{name}.md": text,
        f"doc/{name}.html": render(
            "datasheet.html.jinja", title=html.escape(f"{name}: {package.title}"), body=page
        ),
        **drawings,
    }


def _resources(package: Package) -> dict[str, Any] | None:
    """What was measured of this very configuration, if it is one of the presets."""
    for name, preset in presets.PRESETS.items():
        if preset.configuration == package.config:
            found = presets.resources(name) if presets.RESOURCES.exists() else None
            if found is not None:
                tools, seeds = presets.measured_with()
                return {
                    "preset": name,
                    "device": preset.device,
                    "found": found,
                    "tools": ", ".join(f"{tool} {version}" for tool, version in tools.items()),
                    "seeds": seeds,
                }
    return None
