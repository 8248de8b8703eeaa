"""``python -m l1bn_synth.presets``: what each preset of the generator takes on its device.

The numbers are stored in the generator's package, where ``l1bn presets`` finds them without any tool of synthesis.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import click

from l1bn.export.presets import PRESETS, RESOURCES, Preset, Resources
from l1bn.logic.rtlil import convert
from l1bn.units import unit

from . import nextpnr, yosys
from .cache import Cache, Step
from .devices import DEVICES, WHOLE_UNITS
from .entry import FAILED, run_command
from .nextpnr import check_capacity
from .runner import run_flows
from .steps import area_step, synthesis_step, timing_steps
from .tools import FlowError, package_version
from .write import write_text

__all__ = ["design", "main", "measure", "outdated"]


def measure(preset: Preset, seeds: int) -> Generator[list[Step], list[Any], Resources]:
    """The flow of a preset: synthesis, packing, and placement and routing with each seed."""
    device = DEVICES[preset.device]
    effort = WHOLE_UNITS[device.family]
    (synthesis,) = yield [synthesis_step(_rtlil(preset), device, True, effort)]
    (area,) = yield [area_step(synthesis, device)]
    check_capacity(area, device)
    timings = yield timing_steps(synthesis, device, seeds, effort)
    return Resources(**area.used, fmax_mhz=round(median(timing.fmax_mhz for timing in timings), 1))


def versions() -> dict[str, str]:
    """Versions of the tools that decide the numbers."""
    placers = {f"nextpnr-{family}": nextpnr.nextpnr_version(family) for family in ("ice40", "ecp5")}
    return {"amaranth": package_version("amaranth"), "yosys": yosys.yosys_version(), **placers}


def _rtlil(preset: Preset) -> str:
    return convert(unit(preset.configuration), "unit")


def design(preset: Preset) -> str:
    """A hash of the hardware that a preset is, by which stored numbers are told to be of another."""
    return hashlib.sha256(_rtlil(preset).encode()).hexdigest()


def outdated(names: Iterable[str]) -> list[str]:
    """Those presets whose stored numbers are missing, or are of other hardware or another device than they are now."""
    stored = _stored()["presets"]
    return [
        name
        for name in names
        if (kept := stored.get(name)) is None
        or (kept.get("device"), kept.get("design")) != (PRESETS[name].device, design(PRESETS[name]))
    ]


def _stored() -> dict[str, Any]:
    """What is stored; raises :exc:`FlowError` where that cannot be read."""
    try:
        stored: dict[str, Any] = json.loads(RESOURCES.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FlowError(f"{RESOURCES.name} cannot be read: {error}; measure all presets") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("presets"), dict):
        raise FlowError(f"{RESOURCES.name} holds something else; measure all presets")
    return stored


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(list(PRESETS)))
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of nextpnr.")
@click.option(
    "--check", is_flag=True, help="Measure nothing: name the presets whose numbers are of other hardware."
)
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
def command(names: tuple[str, ...], seeds: int, check: bool, jobs: int, folder: Path) -> int:
    """Measure presets on their devices and store the numbers in the generator's package.

    By default all; otherwise those of NAMES, beside what is stored of the others, which must come from the same
    tools and as many runs.
    """
    if check:
        old = outdated(names or PRESETS)
        for name in old:
            click.echo(f"{name}: not measured as it is now; measure with make presets")
        return FAILED if old else 0
    frame = {"command": f"python -m l1bn_synth.presets --seeds {seeds}", "tools": versions(), "seeds": seeds}
    stored: dict[str, Any] = {}
    if names:
        kept = _stored()
        stored = kept.pop("presets")
        if kept != frame:
            raise FlowError("the other presets were measured with other tools or seeds: measure all of them")
    chosen = {name: preset for name, preset in PRESETS.items() if not names or name in names}
    flows = {name: measure(preset, seeds) for name, preset in chosen.items()}
    outcome = run_flows(flows, Cache(folder), jobs, None, lambda name: click.echo(f"{name}: a step is done"))
    for name, reason in outcome.failures.items():
        click.echo(f"l1bn_synth: {name}: {reason}", err=True)
    if outcome.failures:
        raise FlowError(f"{len(outcome.failures)} presets without a result; {RESOURCES.name} stays as it is")
    for name, preset in chosen.items():
        stored[name] = {
            "device": preset.device,
            "design": design(preset),
            "configuration": preset.configuration.to_mapping(),
            "resources": dataclasses.asdict(outcome.results[name]),
        }
    in_order = {name: stored[name] for name in PRESETS if name in stored}
    write_text(RESOURCES, json.dumps({**frame, "presets": in_order}, indent=2) + "\n")
    click.echo(f"wrote {RESOURCES}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(command, "python -m l1bn_synth.presets", arguments)


if __name__ == "__main__":
    sys.exit(main())
