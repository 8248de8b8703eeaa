"""The command ``python -m l1bn_sim``."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from l1bn.command.options import option, value, values
from l1bn.config import PARAMETERS, Configuration, ConfigurationError
from l1bn.norms import NORMS
from l1bn.units.accuracy import advice
from l1bn_console.tables import print_json, print_tables, print_text

from . import toolchain
from .commands import exit_code
from .jobs import run_jobs
from .measure import Job, Measurement, measure, run_name
from .real_channels import real_channels
from .report import DATA, coverage_line, guesses_table, table, write_json

__all__ = ["main"]

WIDTHS = (8, 16)
LANES = (1, 4)
SEED = 20190707
FEWEST = 8
"""Channels that it takes to reach the steady state and to see it."""
MOST_SAMPLES = 1 << 17
"""About so many are sent for each count, unless the number of channels is given."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    0: all agree; 1: a mismatch or a bench that failed; 2: bad input or a missing tool; 130: Ctrl-C.
    """
    return exit_code(
        lambda: command.main(arguments, prog_name="python -m l1bn_sim", standalone_mode=False),
        interrupted="interrupted; models that were complete are kept, the report is not written",
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def command() -> None:
    """Co-simulation of generated hardware under Verilator."""


UNIT = [
    option("norm", default="both"),
    option("form", default="all that the norm has"),
    option("direction"),
    option("width", default="8 and 16", several=True),
    option("lanes", default="1 and 4", several=True),
    option("counts"),
    option("storage"),
]
"""The options that say which units to simulate."""


@command.command(params=[*UNIT], short_help="Simulate units on real data.")
@click.option("--channels", type=int, help="Channels a run, 8 or more.  [default: 32, fewer of long ones]")
@click.option(
    "--seed", type=int, default=SEED, show_default=True, help="Seed of gamma, beta, networks and pauses, from 0."
)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Runs at a time.")
@click.option("--waves", is_flag=True, help="Write an FST file for each run.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON instead of a table.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("build/sim"),
    show_default=True,
    help="Folder for report.json, models, logs and waves.",
)
def run(
    channels: int | None,
    seed: int,
    jobs: int,
    waves: bool,
    as_json: bool,
    output: Path,
    **typed: str | tuple[str, ...] | None,
) -> int:
    """Simulate units on real data and hold every sample against the integer model.

    A forward unit gets the handwritten digits of scikit-learn after a small convolution, a packet a channel of
    the map. A backward unit gets what a training step of a small network on these digits gives its normaliser.
    Each runs first without a pause, to measure its throughput, then with idle cycles and stalls at random.

    Several widths or lanes are units of their own. Several counts are one unit that has them all: it is measured
    with the channels of each count, and gets them mixed when it is paused.
    """
    configurations = _configurations(typed)
    if channels is not None and channels < FEWEST:
        raise ConfigurationError("channels", channels, f"a whole number from {FEWEST}")
    if seed < 0:
        raise ConfigurationError("seed", seed, "a whole number from 0")
    toolchain.require()
    toolchain.libpython()
    _prepare(output)
    for config in configurations:
        if said := advice(config):
            click.echo(f"l1bn_sim: note: {run_name(config)}: {said}", err=True)
    listed = [_job(config, channels, seed, output, waves) for config in configurations]
    done, failures = _measure_all(listed, jobs)
    return _show(done, failures, output, as_json)


def _configurations(typed: Mapping[str, str | tuple[str, ...] | None]) -> list[Configuration]:
    """The units that the options ask for."""
    given: dict[str, Any] = {name: text for name, text in typed.items() if text}
    direction = given.get("direction", "forward")
    if direction not in DATA:
        raise ConfigurationError("direction", direction, " or ".join(DATA))
    common: dict[str, Any] = {name: value(name, given[name]) for name in ("counts", "storage") if name in given}
    widths, lanes = (
        values(name, given[name]) if name in given else list(default)
        for name, default in (("width", WIDTHS), ("lanes", LANES))
    )
    return [
        _of_a_layer(
            {"norm": norm, "form": form, "direction": direction, "width": width, "lanes": number, **common}
        )
        for norm, form in _forms(given.get("norm"), given.get("form"), direction)
        for width in widths
        for number in lanes
    ]


def _of_a_layer(parameters: Mapping[str, Any]) -> Configuration:
    """Where means are guessed, of a layer so small that it comes several times."""
    config = Configuration.from_mapping(parameters)
    return dataclasses.replace(config, channels=FEWEST) if config.guesses else config


def _forms(norm: str | None, form: str | None, direction: str) -> list[tuple[str, str | None]]:
    """The norms and forms that the options leave; what is impossible is for the configuration to say.

    The form is that of the forward pass, and makes no difference to any other.
    """
    if direction != "forward":
        trained = [name for name, each in NORMS.items() if each.gradient is not None]
        return [(each, form) for each in ([norm] if norm is not None else trained)]
    if norm is not None:
        return [(norm, form)] if form is not None or norm not in NORMS else [(norm, each) for each in NORMS[norm].forms]
    if form is not None:
        PARAMETERS["form"].check("form", form)
    return [(name, one) for name, each in NORMS.items() for one in each.forms if form in (None, one)]


def _prepare(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except OSError as error:
        raise ConfigurationError("output", str(output), f"a folder to write to ({error.strerror})") from error


def _job(config: Configuration, channels: int | None, seed: int, output: Path, waves: bool) -> Job:
    found = []
    for count in config.counts:
        number = channels or max(FEWEST, min(32, MOST_SAMPLES // count))
        found.append(real_channels(config, number, seed, count))
    return Job(config, tuple(found), seed, output.resolve(), waves)


def _measure_all(jobs: list[Job], processes: int) -> tuple[list[Measurement], dict[str, Exception]]:
    """The results in the order of the jobs, and what went wrong by the run's name."""
    done: dict[str, Measurement] = {}
    failures: dict[str, Exception] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("simulating", total=len(jobs))
        for job, result in run_jobs(measure, jobs, processes):
            name = run_name(job.config)
            if isinstance(result, Exception):
                failures[name] = result
            else:
                done[name] = result
            progress.update(bar, advance=1, description=name)
    return [done[name] for name in map(run_name, (job.config for job in jobs)) if name in done], failures


def _show(
    done: list[Measurement], failures: dict[str, Exception], output: Path, as_json: bool = False
) -> int:
    rows = [row for measurement in done for row in measurement.rows]
    if rows:
        write_json(rows, output / "report.json")
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
    elif rows:
        print_tables(*filter(None, (table(rows), guesses_table(rows))))
        print_text(coverage_line(done))
        click.echo(f"report: {output / 'report.json'}")
        for measurement in done:
            if measurement.waves is not None:
                click.echo(f"waves: {measurement.waves}")
    for name, failure in failures.items():
        click.echo(f"l1bn_sim: error: {name}: {failure}", err=True)
    return 1 if failures or any(row.mismatches for row in rows) else 0
