"""The study as a table, as JSON and as pictures."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch

from l1bn_console.tables import Table, names, numbers

from ..norms import norm_of
from .study import STUDIED, Preset
from .summary import GOALS, LEAST, Estimate, Row

matplotlib.use("Agg")

from matplotlib import pyplot as plt

__all__ = ["TITLES", "spread", "table", "write_json", "write_pictures"]

TITLES = {
    "mlp": "perceptron, 8x8 digits: accuracy in %",
    "cnn": "residual network, MNIST: accuracy in %",
    "gan": "GAN, 8x8 digits: Frechet distance",
}

SIZE = (9.0, 3.6)


def _text(value: Estimate | None, sign: str = "") -> str:
    if value is None:
        return ""
    mean = f"{value.mean:{sign}z.2f}"
    if not math.isnan(value.half_width):
        return f"{mean} ± {value.half_width:.2f}"
    return mean if value.low == value.high else f"{mean} ({value.low:{sign}z.2f} to {value.high:{sign}z.2f})"


def spread(seeds: int) -> str:
    """What stands beside a mean over so many seeds."""
    if seeds == 1:
        return "one run each"
    return "95 % confidence interval" if seeds >= LEAST else f"lowest to highest of {seeds} seeds"


def table(task: str, rows: Sequence[Row]) -> Table:
    """One task as a table: mean and 95 % confidence interval over the seeds, or their range where they are too few."""
    figures = ("result", "from float32", "from L2BN", f"epochs to {GOALS[task]:g}")
    shares_of = ("y saturated", "x = 0", "dy = 0", "dx = 0", "dx saturated")
    result = Table(TITLES[task], [*names("norm"), *numbers(*figures, *shares_of)])
    for row in rows:
        epochs = "never" if row.epochs is None else f"{row.epochs:.1f} ({row.reached}/{row.seeds})"
        shares = (
            f"{100 * row.shares[name]:.2f} %" if name in row.shares else ""
            for name in ("y saturated", "x zero", "dy zero", "dx zero", "dx saturated")
        )
        label = row.variant.label + (f" ({row.failed} failed)" if row.failed else "")
        result.add(
            label, _text(row.result), _text(row.from_float, "+"), _text(row.from_l2, "+"), epochs, *shares
        )
    return result


def write_json(path: Path, name: str, preset: Preset, rows: Sequence[Row]) -> None:
    """Everything the tables and pictures show, the settings and the versions behind them."""
    document = {
        "preset": name,
        "seeds": preset.seeds,
        "epochs": preset.epochs,
        "images": preset.images,
        "goals": GOALS,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "rows": [dataclasses.asdict(row) | {"label": row.variant.label} for row in rows],
    }
    path.write_text(json.dumps(_without_nan(document), indent=1, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_pictures(folder: Path, rows: Sequence[Row]) -> list[Path]:
    """For each task its learning curves and its result over the width; returns the files."""
    paths = []
    for task in dict.fromkeys(row.task for row in rows):
        mine = [row for row in rows if row.task == task and row.variant.plain]
        for name, draw in (("curves", _draw_curves), ("widths", _draw_widths)):
            figure, axes = plt.subplots(1, len(STUDIED), figsize=SIZE, sharey=True, layout="constrained")
            draw(task, mine, axes)
            figure.suptitle(TITLES[task])
            path = folder / f"{task}-{name}.png"
            figure.savefig(path, dpi=120, metadata={"Software": None})
            plt.close(figure)
            paths.append(path)
    return paths


def _draw_curves(task: str, rows: Sequence[Row], axes: Any) -> None:
    for axis, norm in zip(axes, sorted(STUDIED), strict=True):
        shown = [row for row in rows if row.variant.norm in (norm, "none")]
        integers = [row for row in shown if row.variant.width is not None]
        colours = iter(matplotlib.colormaps["viridis"](np.linspace(0.9, 0, max(1, len(integers)))))
        for row in shown:
            epochs = range(1, len(row.curve) + 1)
            colour = {"none": "tab:grey"}.get(row.variant.norm, "tab:red")
            if row.variant.width is not None:
                colour = next(colours)
            label = row.variant.label.removeprefix(f"{norm_of(norm).title}BN ")
            axis.plot(epochs, row.curve, color=colour, label=label)
            axis.fill_between(epochs, row.low, row.high, color=colour, alpha=0.1, linewidth=0)
        axis.set_title(f"{norm_of(norm).title}BN; lines are means, bands all seeds", fontsize="small")
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend(fontsize="x-small")
        if task == "gan":
            axis.set_yscale("log")


def _bar(value: Estimate) -> tuple[float, float]:
    """What is drawn below and above a mean: the interval, or the range of values too few for one."""
    if math.isnan(value.half_width):
        return value.mean - value.low, value.high - value.mean
    return value.half_width, value.half_width


def _draw_widths(task: str, rows: Sequence[Row], axes: Any) -> None:
    for axis, norm in zip(axes, sorted(STUDIED), strict=True):
        for row in rows:
            if row.variant.width is None and row.variant.norm in (norm, "none"):
                colour = "tab:grey" if row.variant.norm == "none" else "tab:red"
                axis.axhline(row.result.mean, color=colour, label=row.variant.label)
        integers = [row for row in rows if row.variant.norm == norm and row.variant.width is not None]
        axis.errorbar(
            [row.variant.width for row in integers],
            [row.result.mean for row in integers],
            list(zip(*(_bar(row.result) for row in integers), strict=True)) or None,
            fmt="o-",
            capsize=3,
            label=f"{norm_of(norm).title}BN in integers",
        )
        axis.set_xlabel(f"bits of x, y, dy and dx; bars: {spread(rows[0].seeds)}")
        axis.legend(fontsize="x-small")
        if task == "gan":
            axis.set_yscale("log")
