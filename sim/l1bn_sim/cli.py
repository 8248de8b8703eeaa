"""The command ``python -m l1bn_sim``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from l1bn.config import Configuration, ConfigurationError
from l1bn_console.tables import print_tables, print_text

from . import toolchain
from .commands import exit_code
from .jobs import run_jobs
from .measure import Job, Measurement, measure, run_name
from .real_channels import real_channels
from .report import DATA, coverage_line, table, write_json

__all__ = ["main"]

NORMS = (("l1", "two-pass"), ("l2", "one-pass"), ("l2", "two-pass"))
WIDTHS = (8, 16)
LANES = (1, 4)
SEED = 20190707
FEWEST = 8
"""Channels that it takes to reach the steady state and to see it."""


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


@command.command()
@click.option("--norm", metavar="l1|l2", help="Norm.  [default: both]")
@click.option("--form", metavar="one-pass|two-pass", help="Form of the norm.  [default: all that it has]")
@click.option(
    "--direction", default="forward", metavar="forward|backward", help="Direction.  [default: forward]"
)
@click.option("--width", type=int, metavar="4..32", help="Bits of a sample.  [default: 8 and 16]")
@click.option("--lanes", type=int, metavar="1..64", help="Samples in a beat.  [default: 1 and 4]")
@click.option("--count", type=int, default=1024, show_default=True, help="Samples in a channel.")
@click.option(
    "--storage", default="inside", metavar="inside|outside", help="Where channels wait.  [default: inside]"
)
@click.option("--channels", type=int, help="Channels a run, 8 or more.  [default: 32, fewer of long ones]")
@click.option(
    "--seed", type=int, default=SEED, show_default=True, help="Seed of gamma, beta, networks and pauses."
)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="Runs at a time.")
@click.option("--waves", is_flag=True, help="Write an FST file for each run.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("build/sim"),
    show_default=True,
    help="Folder for report.json, models, logs and waves.",
)
def run(
    norm: str | None,
    form: str | None,
    direction: str,
    width: int | None,
    lanes: int | None,
    count: int,
    storage: str,
    channels: int | None,
    seed: int,
    jobs: int,
    waves: bool,
    output: Path,
) -> int:
    """Simulate units on real data and hold every sample against the integer model.

    A forward unit gets the handwritten digits of scikit-learn after a small convolution, a packet a channel of
    the map. A backward unit gets what a training step of a small network on these digits gives its normaliser.
    Each runs first without a pause, to measure its throughput, then with idle cycles and stalls at random.
    """
    if direction not in DATA:
        raise ConfigurationError("direction", direction, " or ".join(DATA))
    configurations = [
        Configuration.from_mapping(
            {
                "norm": each_norm,
                "form": each_form,
                "direction": direction,
                "width": each_width,
                "lanes": each_lanes,
                "count": count,
                "storage": storage,
            }
        )
        for each_norm, each_form in _forms(norm, form, direction)
        for each_width in ([width] if width is not None else WIDTHS)
        for each_lanes in ([lanes] if lanes is not None else LANES)
    ]
    if channels is None:
        channels = max(FEWEST, min(32, (1 << 17) // count))
    elif channels < FEWEST:
        raise ConfigurationError("channels", channels, f"a whole number from {FEWEST}")
    toolchain.require()
    _prepare(output)
    listed = [_job(config, channels, seed, output, waves) for config in configurations]
    done, failures = _measure_all(listed, jobs)
    return _show(done, failures, output)


def _forms(norm: str | None, form: str | None, direction: str) -> list[tuple[str, str | None]]:
    """The norms and forms that the options leave; what is impossible is for the configuration to say.

    The form is that of the forward pass, and makes no difference to any other.
    """
    if direction != "forward":
        return [(each, form) for each in ([norm] if norm is not None else ("l1", "l2"))]
    if norm is not None and form is not None:
        return [(norm, form)]
    chosen: list[tuple[str, str | None]] = [
        pair for pair in NORMS if norm in (None, pair[0]) and form in (None, pair[1])
    ]
    return chosen or [(norm or "l2", form or "one-pass")]


def _prepare(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except OSError as error:
        raise ConfigurationError("output", str(output), f"a folder to write to ({error.strerror})") from error


def _job(config: Configuration, channels: int, seed: int, output: Path, waves: bool) -> Job:
    return Job(config, real_channels(config, channels, seed), seed, output.resolve(), waves)


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


def _show(done: list[Measurement], failures: dict[str, Exception], output: Path) -> int:
    rows = [measurement.row for measurement in done]
    if rows:
        print_tables(table(rows))
        print_text(coverage_line(done))
        write_json(rows, output / "report.json")
        click.echo(f"report: {output / 'report.json'}")
    for measurement in done:
        if measurement.waves is not None:
            click.echo(f"waves: {measurement.waves}")
    for name, failure in failures.items():
        click.echo(f"l1bn_sim: error: {name}: {failure}", err=True)
    return 1 if failures or any(row.mismatches for row in rows) else 0
