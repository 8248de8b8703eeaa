"""A run as a report: tables on the terminal, JSON, Markdown and one self-contained page."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jinja2

from l1bn_console.tables import Column, Table, print_tables, print_text

from .energy import coefficients
from .plots import plots
from .rows import Row
from .tables import TableText, all_tables
from .training_step import training_steps
from .write import write_text

__all__ = ["Report", "shown", "write_report"]

# What a terminal shows; the files have all tables.
ON_TERMINAL = ("units", "ratios", "costs", "claims", "sensitivity", "peers")
SHORT = 24
"""Cells of fewer characters stay on one line."""


@dataclass(frozen=True)
class Report:
    """A run: what was asked for, with which tools, the rows measured, and what has no result and why."""

    target: str
    command: str
    tools: Mapping[str, str]
    rows: Sequence[Row]
    failures: Mapping[str, str]

    @property
    def title(self) -> str:
        return f"Batch normalisation of every norm on {self.target}"

    @property
    def all_rows(self) -> list[Row]:
        """The rows that were measured, and those of the training steps made of them."""
        return [*self.rows, *training_steps(self.rows)]

    def tables(self) -> list[TableText]:
        energy = None if self.target == "osu018" else coefficients(self.target)
        return all_tables(self.all_rows, energy)

    def print(self) -> None:
        """Show the tables that decide."""
        for table in self.tables():
            if table.key in ON_TERMINAL:
                print_tables(shown(table))
                print_text("")

    def markdown(self) -> str:
        """The report as Markdown."""
        lines = [
            f"# {self.title}",
            "",
            f"Repeat with `{self.command}`.",
            "",
            f"Tools: {_versions(self.tools)}.",
            "",
        ]
        if self.failures:
            lines += ["## No result", "", *(f"- {name}: {why}" for name, why in self.failures.items()), ""]
        for table in self.tables():
            lines += [f"## {table.title}", "", "| " + " | ".join(table.columns) + " |"]
            lines.append("|" + " --- |" * len(table.columns))
            lines += [
                "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows
            ]
            lines += ["", *(f"- {note}" for note in table.notes), ""]
        return "\n".join(lines)

    def page(self) -> str:
        """The report as one page that needs nothing else."""
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("l1bn_synth"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            keep_trailing_newline=True,
        )
        return environment.get_template("report.html.jinja").render(
            title=self.title,
            command=self.command,
            tools=_versions(self.tools),
            failures=self.failures,
            plots=plots(self.all_rows),
            tables=self.tables(),
        )


def shown(table: TableText) -> Table:
    """A table for a terminal: columns of numbers stand right, those of sentences may be wrapped."""
    columns = [
        Column(name, _kind(cells))
        for name, cells in zip(table.columns, zip(*table.rows, strict=True), strict=True)
    ]
    found = Table(table.title, columns, keys=table.keys, notes=table.notes)
    for row in table.rows:
        found.add(*row)
    return found


def _kind(cells: Sequence[str]) -> Literal["name", "number", "text"]:
    """What a column holds: numbers, names that are short enough to stay whole, or text."""
    if all(cell == "-" or cell[:1].isdigit() for cell in cells):
        return "number" if all(len(cell) < SHORT for cell in cells) else "text"
    return "name" if all(len(cell) < SHORT and " " not in cell for cell in cells) else "text"


def _versions(tools: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in tools.items())


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``report.json`` (the rows), ``details.json`` (all that is known), ``report.md`` and ``report.html``."""
    details = {
        "target": report.target,
        "command": report.command,
        "tools": dict(report.tools),
        "failures": dict(report.failures),
        "rows": [dataclasses.asdict(row) for row in report.all_rows],
    }
    texts = {
        "report.json": json.dumps([row.public() for row in report.all_rows], indent=2) + "\n",
        "details.json": json.dumps(details, indent=1) + "\n",
        "report.md": report.markdown(),
        "report.html": report.page(),
    }
    paths = []
    for name, text in texts.items():
        write_text(folder / name, text)
        paths.append(folder / name)
    return paths
