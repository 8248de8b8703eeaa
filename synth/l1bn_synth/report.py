"""A run as a report: tables on the terminal, JSON, Markdown and one self-contained page."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .energy import coefficients
from .plots import plots
from .rows import Row
from .tables import TableText, all_tables
from .write import write_text

__all__ = ["Report", "write_report"]

# What a terminal shows; the files have all tables.
ON_TERMINAL = ("units", "ratios", "costs", "claims", "sensitivity", "peers")
# What a narrow terminal does without, in this order.
DISPENSABLE = ("mW at MHz", "latency", "cycles/channel", "power", "cycles per channel", "samples/s")


@dataclass(frozen=True)
class Report:
    """A run: what was asked for, with which tools, its rows, and what has no result and why."""

    target: str
    command: str
    tools: Mapping[str, str]
    rows: Sequence[Row]
    failures: Mapping[str, str]

    @property
    def title(self) -> str:
        return f"L1 and L2 batch normalisation on {self.target}"

    def tables(self) -> list[TableText]:
        energy = None if self.target == "osu018" else coefficients(self.target)
        return all_tables(self.rows, energy)

    def print(self, console: Console) -> None:
        """Show the tables that decide."""
        for table in self.tables():
            if table.key not in ON_TERMINAL:
                continue
            shown, left_out = _fitting(table, console.width)
            console.print(shown)
            if left_out:
                console.print(
                    Text(f"Too narrow for: {', '.join(left_out)}; the files have them.", style="dim")
                )
            for note in table.notes:
                console.print(Text(note, style="dim"))
            console.print()

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
            plots=plots(self.rows),
            tables=self.tables(),
        )


def _fitting(table: TableText, width: int) -> tuple[Table, list[str]]:
    """A table for a terminal of that width, and the columns that it has no room for: no number is ever cut."""
    columns = dict(zip(table.columns, zip(*table.rows, strict=True), strict=True))
    left_out = []
    for name in DISPENSABLE:
        if name in columns and _least_width(columns) > width:
            del columns[name]
            left_out.append(name)
    shown = Table(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name, cells in columns.items():
        whole = _stays_whole(cells)
        heading = name.replace("/", "/\n").replace(" ", "\n") if whole else name
        right = whole and all(cell == "-" or cell[:1].isdigit() for cell in cells)
        shown.add_column(heading, justify="right" if right else "left", no_wrap=whole, overflow="fold")
    for line in zip(*columns.values(), strict=True):
        shown.add_row(*(Text(cell) for cell in line))
    return shown, left_out


def _stays_whole(cells: Sequence[str]) -> bool:
    """Whether a column holds nothing but numbers and short names, which must not be wrapped."""
    return all(len(cell) < 12 and (" " not in cell or cell[:1].isdigit()) for cell in cells)


def _least_width(columns: Mapping[str, Sequence[str]]) -> int:
    """Of a table whose other columns are wrapped between words."""
    widths = [
        max(len(part) for cell in cells for part in ([cell] if _stays_whole(cells) else cell.split()))
        for cells in columns.values()
    ]
    headings = [max(map(len, name.replace("/", "/ ").split())) for name in columns]
    return sum(max(pair) + 3 for pair in zip(widths, headings, strict=True)) + 1


def _versions(tools: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in tools.items())


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write ``report.json`` (the rows), ``details.json`` (all that is known), ``report.md`` and ``report.html``."""
    details = {
        "target": report.target,
        "command": report.command,
        "tools": dict(report.tools),
        "failures": dict(report.failures),
        "rows": [dataclasses.asdict(row) for row in report.rows],
    }
    texts = {
        "report.json": json.dumps([row.public() for row in report.rows], indent=2) + "\n",
        "details.json": json.dumps(details, indent=1) + "\n",
        "report.md": report.markdown(),
        "report.html": report.page(),
    }
    paths = []
    for name, text in texts.items():
        write_text(folder / name, text)
        paths.append(folder / name)
    return paths
