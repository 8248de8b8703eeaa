"""``python -m l1bn_synth.presets``: what each preset of the generator takes on its device.

The numbers are stored in the generator's package, where ``l1bn presets`` finds them without any tool of synthesis.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Generator
from pathlib import Path
from statistics import median
from typing import Any

import click

from l1bn.config import Configuration
from l1bn.presets import PRESETS, RESOURCES, Preset, Resources
from l1bn.rtlil import convert
from l1bn.units import unit

from . import nextpnr, yosys
from .cache import Cache, Step
from .devices import DEVICES, WHOLE_UNITS
from .nextpnr import check_capacity
from .runner import run_flows
from .steps import area_step, synthesis_step, timing_steps
from .tools import FlowError, package_version

__all__ = ["main", "measure"]


def measure(preset: Preset, seeds: int) -> Generator[list[Step], list[Any], Resources]:
    """The flow of a preset: synthesis, packing, and placement and routing with each seed."""
    device = DEVICES[preset.device]
    effort = WHOLE_UNITS[device.family]
    (synthesis,) = yield [synthesis_step(_rtlil(preset.configuration), device, True, effort)]
    (area,) = yield [area_step(synthesis, device)]
    check_capacity(area, device)
    timings = yield timing_steps(synthesis, device, seeds, effort)
    return Resources(**area.used, fmax_mhz=round(median(timing.fmax_mhz for timing in timings), 1))


def versions() -> dict[str, str]:
    """Versions of the tools that decide the numbers."""
    placers = {f"nextpnr-{family}": nextpnr.nextpnr_version(family) for family in ("ice40", "ecp5")}
    return {"amaranth": package_version("amaranth"), "yosys": yosys.yosys_version(), **placers}


def _rtlil(config: Configuration) -> str:
    return convert(unit(config), "unit")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(PRESETS)))
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of nextpnr.")
@click.option(
    "--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, help="Programs at a time."
)
@click.option(
    "--cache",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/synth/cache"),
    show_default=True,
    help="Folder of finished steps.",
)
def main(names: tuple[str, ...], seeds: int, jobs: int, folder: Path) -> None:
    """Measure presets on their devices and store the numbers in the generator's package.

    By default all; otherwise those of NAMES, beside what is stored of the others, which must come from the same
    tools and as many runs.
    """
    frame = {"command": f"python -m l1bn_synth.presets --seeds {seeds}", "tools": versions(), "seeds": seeds}
    stored: dict[str, Any] = {}
    if names:
        kept = json.loads(RESOURCES.read_text(encoding="utf-8"))
        stored = kept.pop("presets")
        if kept != frame:
            raise click.ClickException(
                "the other presets were measured with other tools: measure all of them"
            )
    chosen = {name: preset for name, preset in PRESETS.items() if not names or name in names}
    flows = {name: measure(preset, seeds) for name, preset in chosen.items()}
    outcome = run_flows(flows, Cache(folder), jobs, None, lambda name: click.echo(f"{name}: a step is done"))
    if outcome.failures:
        name, reason = next(iter(outcome.failures.items()))
        raise click.ClickException(f"{name}: {reason}")
    for name, preset in chosen.items():
        stored[name] = {
            "device": preset.device,
            "configuration": preset.configuration.to_mapping(),
            "resources": dataclasses.asdict(outcome.results[name]),
        }
    in_order = {name: stored[name] for name in PRESETS if name in stored}
    RESOURCES.write_text(json.dumps({**frame, "presets": in_order}, indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote {RESOURCES}")


if __name__ == "__main__":
    try:
        main()
    except FlowError as error:
        raise SystemExit(f"l1bn_synth: {error}") from None
