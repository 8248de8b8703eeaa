"""The command ``python -m l1bn_golden.training``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from l1bn_console.endings import exit_code
from l1bn_console.tables import print_tables, print_text

from .report import spread, table, write_json, write_pictures
from .study import PRESETS, run_all
from .summary import LEAST, summarise

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a process that died, 2 for bad input, 130 for Ctrl-C."""
    return exit_code(
        lambda: _run(arguments),
        "l1bn_golden.training: error",
        failed=(ProcessDied,),
        interrupted="interrupted; finished runs are kept, the same command goes on from there",
    )


class ProcessDied(RuntimeError):
    """A process of the pool was killed; the message is one line."""


def _run(arguments: Sequence[str] | None) -> object:
    try:
        return command.main(arguments, prog_name="python -m l1bn_golden.training", standalone_mode=False)
    except BrokenProcessPool as error:
        raise ProcessDied(
            "a process was killed, perhaps for want of memory; finished runs are kept, "
            "the same command goes on from there"
        ) from error


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--preset", type=click.Choice(list(PRESETS)), default="quick", show_default=True)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes; each uses one core."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/training"),
    show_default=True,
    help="Folder for finished runs, tables and pictures.",
)
def command(preset: str, jobs: int, output: Path) -> None:
    """Train small networks on real pictures with no norm, L2BN and L1BN, in float32 and in integers.

    A run that OUTPUT holds is not repeated. quick: fewer widths, epochs and seeds than full, for a first look.
    """
    chosen = PRESETS[preset]
    settings = chosen.settings()
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("training", total=len(settings))
        results = run_all(settings, output / "runs", jobs, lambda: progress.advance(task))
    rows = summarise(chosen, results)
    beside = "± half of the" if chosen.seeds >= LEAST else "and"
    print_text(f"preset {preset}: {chosen.seeds} seeds; mean {beside} {spread(chosen.seeds)}")
    print_tables(*(table(name, [row for row in rows if row.task == name]) for name in chosen.variants))
    folder = output / preset
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", preset, chosen, rows)
    paths = [folder / "report.json", *write_pictures(folder, rows)]
    for path in paths:
        click.echo(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
