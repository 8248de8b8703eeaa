"""``python -m l1bn_synth.accelerator``: the example accelerator on a small ECP5, and the normaliser's share of it.

The accelerator is synthesised from the very files that are simulated, then once more with a normaliser on the
multiplier blocks and memories of the family. The normaliser alone goes through the same flow.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from l1bn_console.tables import Table, names, numbers, print_tables
from l1bn_sim.accelerator import MODULES, SOURCES, build_ip, normaliser

from . import nextpnr, yosys
from .cache import Cache, Step
from .devices import DEVICES, WHOLE_UNITS
from .entry import run_command
from .nextpnr import Area, check_capacity
from .runner import run_flows
from .steps import area_step, timing_steps, verilog_step

__all__ = ["main"]

DEVICE = DEVICES["LFE5U-25F-6"]
TARGETS = ("portable", "ecp5")
KINDS = ("lut", "ff", "dsp", "bram")


@dataclass(frozen=True)
class Measured:
    """A design on the device: packed cells, clock frequency in MHz of each seed, and the path that limits it."""

    area: Area
    fmax_mhz: list[float]
    path: str


def measure(sources: dict[str, str], top: str, seeds: int) -> Generator[list[Step], list[Any], Measured]:
    """The flow of a design whose files are ``sources``, the text of each by its name."""
    (synthesis,) = yield [verilog_step(sources, top, DEVICE)]
    (area,) = yield [area_step(synthesis, DEVICE)]
    check_capacity(area, DEVICE)
    timings = yield timing_steps(synthesis, DEVICE, seeds, WHOLE_UNITS[DEVICE.family])
    middle = sorted(timings, key=lambda timing: timing.fmax_mhz)[len(timings) // 2]
    return Measured(area, [timing.fmax_mhz for timing in timings], str(middle.path))


def _flows(seeds: int, folder: Path) -> dict[str, Generator[list[Step], list[Any], Measured]]:
    around = {f"{name}.v": (SOURCES / f"{name}.v").read_text(encoding="utf-8") for name in MODULES}
    _, name = normaliser()
    flows = {}
    for target in TARGETS:
        ip = build_ip(folder / f"ip-{target}", target).read_text(encoding="utf-8")
        flows[f"accelerator, {target}"] = measure({**around, f"{name}.v": ip}, "accelerator", seeds)
        flows[f"normaliser, {target}"] = measure({f"{name}.v": ip}, name, seeds)
    return flows


def _table(results: Mapping[str, Measured]) -> Table:
    some = next(iter(results.values()))
    tools = f"yosys {yosys.yosys_version()}, nextpnr-ecp5 {nextpnr.nextpnr_version('ecp5')}"
    table = Table(
        f"The example accelerator on {DEVICE.name}, with two builds of the normaliser",
        [*names(""), *numbers("LUT", "FF", "DSP", "BRAM", "MHz")],
        notes=[f"{tools}; MHz: median of {len(some.fmax_mhz)} seeds"],
    )
    table.add("in the device", *(f"{some.area.available[kind]:,}" for kind in KINDS), "")
    for target in TARGETS:
        table.section()
        whole, part = results[f"accelerator, {target}"], results[f"normaliser, {target}"]
        for name, measured in (("accelerator", whole), ("normaliser alone", part)):
            cells = (f"{measured.area.used[kind]:,}" for kind in KINDS)
            table.add(f"{name}, {target}", *cells, f"{median(measured.fmax_mhz):.1f}")
        shares = (f"{part.area.used[kind] / max(1, whole.area.used[kind]):.0%}" for kind in KINDS)
        table.add("normaliser's share", *shares, "")
    return table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of nextpnr.")
@click.option(
    "--jobs", type=click.IntRange(1, 1024), default=2, show_default=True, help="Programs at a time."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/accelerator"),
    show_default=True,
    help="Folder of the report and of finished steps.",
)
def command(seeds: int, jobs: int, output: Path) -> int:
    """Synthesise the example accelerator for ECP5, place and route it, and show the normaliser's share."""
    output.mkdir(parents=True, exist_ok=True)
    flows = _flows(seeds, output)
    outcome = run_flows(flows, Cache(output / "cache"), jobs, None, lambda name: None)
    for name, reason in outcome.failures.items():
        click.echo(f"l1bn_synth: {name}: {reason}", err=True)
    if outcome.failures:
        return 1
    results = {name: outcome.results[name] for name in flows}
    print_tables(_table(results))
    for name, measured in results.items():
        click.echo(f"slowest path of {name}: {measured.path}")
    report = output / "synthesis.json"
    text = json.dumps({name: dataclasses.asdict(measured) for name, measured in results.items()}, indent=2)
    report.write_text(text + "\n", encoding="utf-8")
    click.echo(f"report: {report}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(command, "python -m l1bn_synth.accelerator", arguments)


if __name__ == "__main__":
    sys.exit(main())
