"""The report of ``python -m l1bn_sim run``: a table to read and a file to go on with."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from l1bn_console.tables import Table, coloured, names, numbers

from .measure import Measurement, Row
from .write import write_text

__all__ = ["DATA", "coverage_line", "guesses_table", "table", "write_json"]


DATA = {"forward": "feature maps", "backward": "the gradients of a training step"}
"""What units of a direction are measured on, for each that can be."""


def table(rows: Sequence[Row]) -> Table:
    """The rows with what a reader wants to compare side by side."""
    data = " and ".join(DATA[direction] for direction in dict.fromkeys(row.direction for row in rows))
    unit = [*names("norm", "form"), *numbers("width", "lanes", "count")]
    checked = ("samples", "mismatches", "largest error LSB")
    timed = ("cycles a channel measured", "cycles a channel predicted", "samples a cycle")
    title = f"Generated hardware against the integer model, on {data}"
    result = Table(title, [*unit, *numbers(*checked, *timed)], keys=len(unit))
    for row in rows:
        as_predicted = row.cycles_per_channel == row.predicted_cycles_per_channel
        result.add(
            row.norm,
            row.form if row.direction == "forward" else row.direction,
            row.width,
            row.lanes,
            row.count,
            f"{row.samples:,}",
            coloured(row.mismatches, "red" if row.mismatches else "green"),
            f"{row.max_error_lsb:.3f}",
            coloured(f"{row.cycles_per_channel:g}", "green" if as_predicted else "red"),
            row.predicted_cycles_per_channel,
            f"{row.samples_per_cycle:.3f}",
        )
    return result


def guesses_table(rows: Sequence[Row]) -> Table | None:
    """What came of guessed means, where any were."""
    guessing = [row for row in rows if row.hits or row.misses]
    if not guessing:
        return None
    unit = [*names("norm", "form"), *numbers("width", "lanes", "count")]
    found = numbers("hits", "misses", "suspects a sample")
    result = Table("Guessed means, on consecutive training steps from the first on", [*unit, *found], keys=len(unit))
    for row in guessing:
        suspects = f"{row.suspects_per_sample:.3f}"
        result.add(row.norm, row.form, row.width, row.lanes, row.count, row.hits, row.misses, suspects)
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
