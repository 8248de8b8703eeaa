"""The report of ``python -m l1bn_sim run``: a table to read and a file to go on with."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from .measure import Measurement, Row
from .write import write_text

__all__ = ["DATA", "coverage_line", "table", "write_json"]


DATA = {"forward": "feature maps", "backward": "the gradients of a training step"}
"""What units of a direction are measured on, for each that can be."""


def table(rows: Sequence[Row]) -> Table:
    """The rows with what a reader wants to compare side by side."""
    data = " and ".join(DATA[direction] for direction in dict.fromkeys(row.direction for row in rows))
    result = Table(title=f"Generated hardware against the integer model, on {data}", title_justify="left")
    for heading in ("norm", "form"):
        result.add_column(heading)
    numbers = ("width", "lanes", "count", "samples", "mismatches", "largest error\nLSB")
    for heading in (*numbers, "cycles a channel\nmeasured", "\npredicted", "samples\na cycle"):
        result.add_column(heading, justify="right")
    for row in rows:
        as_predicted = row.cycles_per_channel == row.predicted_cycles_per_channel
        result.add_row(
            row.norm,
            row.form if row.direction == "forward" else row.direction,
            str(row.width),
            str(row.lanes),
            str(row.count),
            f"{row.samples:,}",
            f"[{'red' if row.mismatches else 'green'}]{row.mismatches}[/]",
            f"{row.max_error_lsb:.3f}",
            f"[{'green' if as_predicted else 'red'}]{row.cycles_per_channel:g}[/]",
            str(row.predicted_cycles_per_channel),
            f"{row.samples_per_cycle:.3f}",
        )
    return result


def coverage_line(measurements: Sequence[Measurement]) -> str:
    """What all runs together have hit, and how often."""
    total: Counter[str] = Counter()
    for measurement in measurements:
        total.update(measurement.coverage)
    return "covered: " + ", ".join(f"{name} {times:,}" for name, times in sorted(total.items()) if times)


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write a list with an object a row, complete or not at all."""
    text = json.dumps([dataclasses.asdict(row) for row in rows], indent=2) + "\n"
    write_text(path, text)
