"""``python -m l1bn_synth``: run a target, compare it with its baseline, list what there is."""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from l1bn_console.tables import Table, names, numbers, print_tables

from . import activity, baseline, cell_flow, flow, osu018, points
from .cache import Cache, Step
from .devices import FAMILIES
from .entry import FAILED, run_command
from .peers import page
from .registry import PRESETS, WIDTHS, Subject, preset, units
from .report import Report, write_report
from .rows import Row, fpga_row, row_from, standard_cell_row
from .runner import Flow, run_flows
from .tools import LIMIT_MINUTES, FlowError

__all__ = ["main"]

STANDARD_CELL_MHZ = 100.0


@dataclass(frozen=True)
class Options:
    """What a run was asked for."""

    target: str
    preset: str
    width: int | None
    unit: tuple[str, ...]
    seeds: int
    dsp: bool | None
    jobs: int | None
    scheduler: str | None
    limit: int
    output: Path

    @property
    def command(self) -> str:
        """The command that repeats the run."""
        words = ["python", "-m", "l1bn_synth", "run", "--target", self.target, "--preset", self.preset]
        if self.width is not None:
            words += ["--width", str(self.width)]
        for name in self.unit:
            words += ["--unit", name]
        words += ["--seeds", str(self.seeds)]
        if self.dsp is not None:
            words.append("--dsp" if self.dsp else "--no-dsp")
        return shlex.join(words)

    def takes(self, unit: Subject) -> bool:
        """Whether a unit of the preset is one of those asked for."""
        return self.width in (None, unit.width) and (not self.unit or unit.name in self.unit)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that run and check share."""
    for option in reversed(
        [
            click.option(
                "--target",
                required=True,
                type=click.Choice(points.TARGETS),
                help="FPGA family or standard cells.",
            ),
            click.option("--preset", type=click.Choice(PRESETS), default="quick", show_default=True),
            click.option(
                "--width",
                type=click.Choice([str(width) for width in WIDTHS]),
                callback=lambda context, parameter, value: value and int(value),
                help="Of the preset, units of that width only.",
            ),
            click.option(
                "--unit",
                multiple=True,
                type=click.Choice(sorted({unit.name for unit in units().values()})),
                metavar="NAME",
                help="Of the preset, units of that name only (see list); may be given several times.",
            ),
            click.option(
                "--dsp/--no-dsp", default=None, help="Only with multiplier blocks, or only without."
            ),
        ]
    ):
        command = option(command)
    return _effort(command)


def _effort(command: Callable[..., Any], seeds: int = 5) -> Callable[..., Any]:
    """The options of everything that runs tools."""
    for option in reversed(
        [
            click.option(
                "--seeds",
                type=click.IntRange(1, 100),
                default=seeds,
                show_default=True,
                help="Runs of nextpnr.",
            ),
            click.option(
                "--jobs", type=click.IntRange(1, 1024), help="Programs at a time; default: one a core."
            ),
            click.option(
                "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers run everything."
            ),
            click.option(
                "--limit",
                type=click.IntRange(1, 10_000),
                default=LIMIT_MINUTES,
                show_default=True,
                metavar="MINUTES",
                help="How long one program may take before it is stopped.",
            ),
            click.option(
                "--output",
                type=click.Path(file_okay=False, path_type=Path),
                default=Path("build/synth"),
                show_default=True,
                help="Folder of the reports and the cache.",
            ),
        ]
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Synthesis of every unit, and L1 against L2."""


@cli.command()
@_options
def run(**values: Any) -> None:
    """Synthesise, check, place and route, and report."""
    options = Options(**values)
    report = _report(options)
    for path in write_report(report, options.output / options.target):
        click.echo(f"wrote {path}")
    _exit_for(report)


@cli.command()
@_options
@click.option("--store", is_flag=True, help="Keep this run as the baseline of these tool versions.")
def check(store: bool, **values: Any) -> None:
    """Compare a run with the stored one."""
    options = Options(**values)
    tools = _tools(options)
    stored = {} if store else baseline.load(options.target, tools)
    report = _report(options, quiet=True)
    if store:
        if report.failures:
            raise FlowError("nothing is stored, because not every unit has a result")
        path = baseline.store(options.target, tools, report.rows)
        click.echo(f"stored {len(report.rows)} rows in {path}")
        return
    moved, unknown = baseline.compare(report.rows, stored)
    for movement in moved:
        click.echo(str(movement))
    for key in unknown:
        click.echo(f"{key}: not in the baseline")
    for path in write_report(report, options.output / options.target):
        click.echo(f"wrote {path}")
    click.echo(
        f"{len(report.rows)} rows compared, {len(moved)} metrics moved, {len(unknown)} rows not stored"
    )
    _exit_for(report)
    if moved:
        sys.exit(FAILED)


@cli.command()
@partial(_effort, seeds=3)
def peers(**values: Any) -> None:
    """Compare the operators with those of other projects, on both FPGA families."""
    reports = [
        _report(Options(target=target, preset="peers", width=None, unit=(), dsp=None, **values), quiet=True)
        for target in FAMILIES
    ]
    rows = [row for report in reports for row in report.rows]
    tools = {name: version for report in reports for name, version in report.tools.items()}
    click.echo(page(rows, tools))
    for report in reports:
        for path in write_report(report, values["output"] / f"peers-{report.target}"):
            click.echo(f"wrote {path}")
        _exit_for(report)


@cli.command("list")
@click.option("--preset", "preset_name", type=click.Choice(PRESETS), default="full", show_default=True)
def list_units(preset_name: str) -> None:
    """List the units of a preset."""
    print_tables(units_table(preset_name))


def units_table(preset_name: str) -> Table:
    """The units of a preset."""
    table = Table(
        f"Units of {preset_name}", [*names("unit", "group", "norm"), *numbers("W", "lanes", "count")]
    )
    for unit in preset(preset_name):
        table.add(unit.name, unit.group, unit.norm or "both", unit.width, unit.lanes, unit.count or "-")
    return table


def _tools(options: Options) -> dict[str, str]:
    """Versions of all tools; raises :exc:`ToolMissing` where one is not there."""
    activity.require()
    if options.target == "osu018":
        osu018.require()
        return osu018.versions()
    return flow.versions(options.target)


def _flows(options: Options) -> tuple[dict[str, Flow[Any]], dict[str, int], Callable[[Any], Row]]:
    """The flows by name, the steps of each, and what makes a row of a result."""
    if options.target == "osu018":
        found = filter(options.takes, points.standard_cell_units(options.preset))
        cells = {unit.key: cell_flow.measure_cells(unit, STANDARD_CELL_MHZ) for unit in found}
        return cells, dict.fromkeys(cells, cell_flow.steps_of()), standard_cell_row
    every = points.points(options.target, options.preset, options.dsp)
    chosen = [point for point in every if options.takes(point.unit)]
    routed = {point.name: flow.measure(point, options.seeds) for point in chosen}
    return routed, dict.fromkeys(routed, flow.steps_of(options.seeds)), fpga_row


def _report(options: Options, quiet: bool = False) -> Report:
    """Run everything and show what came of it."""
    tools = _tools(options)
    _check_writable(options.output / options.target)
    flows, steps, make_row = _flows(options)
    done = dict.fromkeys(flows, 0)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(options.target, total=sum(steps.values()))

        def notice(name: str) -> None:
            done[name] += 1
            progress.update(task, advance=1, description=f"{options.target}: {name}")

        cache = Cache(options.output / "cache")
        known = _known_rows(flows, options)
        rows = {name: row for name, step in known.items() if (row := cache.get(step)) is not None}
        missing = {name: flow for name, flow in flows.items() if name not in rows}
        progress.update(task, completed=sum(steps[name] for name in rows))
        outcome = run_flows(missing, cache, options.jobs, options.scheduler, notice, options.limit)
        # A flow that failed leaves steps that nobody will run.
        progress.update(task, completed=sum(steps.values()), description=options.target)
    unchanged = len(rows)
    for name, result in outcome.results.items():
        rows[name] = make_row(result)
        cache.put(known[name], rows[name])
    ordered = sorted(rows.values(), key=_order(options.preset))
    report = Report(options.target, options.command, tools, ordered, outcome.failures)
    if not quiet:
        report.print()
    steps_told = f"{outcome.ran} steps run, {outcome.reused} found in {cache.kept.folder}"
    click.echo(f"{unchanged} rows unchanged; for the others {steps_told}")
    for name, reason in outcome.failures.items():
        click.echo(f"{name}: {reason}", err=True)
    return report


def _check_writable(folder: Path) -> None:
    """Raise :exc:`OSError` before any work is done, rather than with the first result."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _known_rows(flows: Iterable[str], options: Options) -> dict[str, Step]:
    """Where the row of each flow is kept: as long as nothing that decides it changes, it need not even be elaborated.

    The module of :func:`row_from` reaches the flows, what they elaborate and what they are fed.
    """
    if options.target == "osu018":
        conditions: Any = STANDARD_CELL_MHZ
        programs: Any = cell_flow.programs
    else:
        conditions = (options.seeds, activity.cell_models(options.target))
        programs = partial(flow.programs, options.target)
    return {
        name: Step("row", row_from, (options.target, name, conditions), row_from, programs) for name in flows
    }


def _order(preset_name: str) -> Callable[[Row], tuple[str, int, bool]]:
    """Rows by device, then as the registry has them, with multiplier blocks first."""
    place = {(unit.name, unit.width, unit.lanes): index for index, unit in enumerate(preset(preset_name))}
    return lambda row: (row.device, place[row.unit, row.width, row.lanes], not row.dsp_allowed)


def _exit_for(report: Report) -> None:
    if report.failures:
        click.echo(f"{len(report.failures)} without a result", err=True)
        sys.exit(FAILED)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(cli, "python -m l1bn_synth"))
