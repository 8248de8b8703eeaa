"""Stored results, one file a target, and what has moved since."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .compare import BETTER_UP, metric
from .rows import Row
from .tools import FlowError
from .write import write_text

__all__ = ["FOLDER", "TOLERANCES", "Movement", "compare", "load", "store", "versions_key"]

FOLDER = Path(__file__).parents[1] / "baselines"

TOLERANCES = {
    "lut": 0.02,
    "ff": 0.02,
    "dsp": 0.0,
    "bram": 0.0,
    "fmax": 0.05,
    "latency": 0.0,
    "cycles": 0.0,
    "energy": 0.05,
}
"""By how much, as a share of the stored value, a metric may move unnoticed."""


@dataclass(frozen=True)
class Movement:
    """A metric of a row that is no longer what is stored."""

    row: str
    metric: str
    stored: float
    now: float

    @property
    def worse(self) -> bool:
        return (self.now < self.stored) == (self.metric in BETTER_UP)

    def __str__(self) -> str:
        change = f"{100 * (self.now / self.stored - 1):+z.1f} %" if self.stored else "new"
        direction = "worse" if self.worse else "better"
        return f"{self.row}: {self.metric} {self.stored:g} -> {self.now:g} ({change}, {direction})"


def versions_key(tools: Mapping[str, str]) -> str:
    """The tool versions as one line."""
    return ", ".join(f"{name} {version}" for name, version in sorted(tools.items()))


def _metrics(row: Row) -> dict[str, float]:
    return {name: metric(row, name) for name in TOLERANCES}


def load(target: str, tools: Mapping[str, str], folder: Path = FOLDER) -> dict[str, dict[str, float]]:
    """The stored metrics by row for these tool versions.

    Raises :exc:`FlowError` where nothing is stored for them.
    """
    stored = _read(folder / f"{target}.json")
    key = versions_key(tools)
    if key not in stored:
        known = "; ".join(stored) or "none"
        raise FlowError(f"no baseline of {target} for {key}; stored: {known}. Store one with check --store")
    return stored[key]


def _read(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """What a file holds: metrics by row by tool versions; nothing where there is no file."""
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FlowError(f"baseline {path.name} cannot be read: {error}") from error
    if not _is_baseline(stored):
        raise FlowError(
            f"baseline {path.name} is damaged: it does not hold every metric of its rows as a number"
        )
    result: dict[str, dict[str, dict[str, float]]] = stored
    return result


def _is_baseline(stored: Any) -> bool:
    if not isinstance(stored, dict) or not all(isinstance(rows, dict) for rows in stored.values()):
        return False
    metrics = [row for rows in stored.values() for row in rows.values()]
    return all(
        isinstance(row, dict) and all(isinstance(row.get(name), int | float) for name in TOLERANCES)
        for row in metrics
    )


def store(target: str, tools: Mapping[str, str], rows: Sequence[Row], folder: Path = FOLDER) -> Path:
    """Keep the metrics of these rows for these tool versions; other versions stay, and so do rows not run."""
    path = folder / f"{target}.json"
    stored = _read(path)
    kept = stored.setdefault(versions_key(tools), {})
    kept.update({row.key: _metrics(row) for row in rows})
    write_text(path, json.dumps(stored, indent=1, sort_keys=True) + "\n")
    return path


def compare(
    rows: Sequence[Row], stored: Mapping[str, Mapping[str, float]]
) -> tuple[list[Movement], list[str]]:
    """What moved by more than its tolerance, and the rows that are not stored."""
    moved, unknown = [], []
    for row in rows:
        before = stored.get(row.key)
        if before is None:
            unknown.append(row.key)
            continue
        for name, now in _metrics(row).items():
            if abs(now - before[name]) > TOLERANCES[name] * abs(before[name]) + 1e-9:
                moved.append(Movement(row.key, name, before[name], now))
    return moved, unknown
