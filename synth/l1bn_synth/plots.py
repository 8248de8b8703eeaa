"""The plots of a report, as SVG text to be put into a page."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.patches import Patch

from l1bn.norms import NORMS

from .compare import BETTER_UP, by_lanes, metric, pairs
from .rows import Row
from .training_step import GROUP

__all__ = ["plots"]

STYLE: Any = {
    "figure.dpi": 96,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    # Fixed names within the file: the same rows give the same page.
    "svg.hashsalt": "l1bn",
}
COLOURS = {**{name: norm.colour for name, norm in NORMS.items()}, "": "#7f7f7f"}


def plots(rows: Sequence[Row]) -> dict[str, str]:
    """Every plot that these rows have something for, by its heading."""
    drawn = {
        "The norms : L2 by resource and width": ratio_bars(rows),
        "Clock frequency: median and range of all seeds": frequencies(rows),
        "Area against throughput": area_against_rate(rows),
        "Samples a second over lanes": rates_over_lanes(rows),
        "Energy per sample by kind of cell": energies(rows),
    }
    return {heading: text for heading, text in drawn.items() if text}


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _label(row: Row) -> str:
    return _labelled(row, f"{row.width} x {row.lanes}" if row.lanes > 1 else str(row.width))


def _labelled(row: Row, shape: str) -> str:
    dsp = ", DSP" if row.dsp_allowed else ""
    return f"{row.unit}, {shape}, {row.device}{dsp}"


def ratio_bars(rows: Sequence[Row]) -> str:
    names = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "BRAM", "energy": "energy", "fmax": "Fmax"}
    compared = pairs(rows)
    if not compared:
        return ""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(9, 0.5 + 0.62 * len(compared)))
        height = 0.8 / len(names)
        for offset, (name, label) in enumerate(names.items()):
            places, values = [], []
            for line, pair in enumerate(compared):
                ratio = pair.ratio(name)
                if ratio is not None:
                    places.append(line + (offset - len(names) / 2) * height)
                    values.append(ratio)
            axes.barh(places, values, height=height, label=label)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_yticks(range(len(compared)), [pair.title for pair in compared])
        axes.invert_yaxis()
        less = [label for name, label in names.items() if name not in BETTER_UP]
        more = [label for name, label in names.items() if name in BETTER_UP]
        axes.set_xlabel(
            f"Below 1 the first is better in {', '.join(less)}; above it in {', '.join(more)}."
        )
        axes.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.3, 1.0), frameon=False)
        return _svg(figure)


def frequencies(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(9, 0.5 + 0.22 * len(rows)))
        for line, row in enumerate(rows):
            fmax = row.fmax_mhz
            axes.plot(
                [fmax["min"], fmax["max"]], [line, line], color=COLOURS[row.norm], linewidth=5, alpha=0.4
            )
            axes.plot([fmax["median"]], [line], "|", color=COLOURS[row.norm], markersize=9, clip_on=False)
        axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("MHz")
        titles = {**{name: norm.title for name, norm in NORMS.items()}, "": "of several norms"}
        shown = {row.norm for row in rows}
        marks = [Patch(color=COLOURS[name], label=title) for name, title in titles.items() if name in shown]
        axes.legend(handles=marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(marks), frameon=False)
        axes.grid(axis="x", linewidth=0.3)
        return _svg(figure)


def area_against_rate(rows: Sequence[Row]) -> str:
    tops = [row for row in rows if row.group == "top"]
    if not tops:
        return ""
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(8, 4.5))
        for row, marker in zip(tops, itertools.cycle("os^Dv<>Ph*Xd"), strict=False):
            x, y = metric(row, "rate") / 1e6, metric(row, "lut")
            style: Any = {"color": COLOURS[row.norm], "markersize": 7, "alpha": 0.8}
            # A small unit lies on the axis: its marker stays whole.
            axes.plot(x, y, marker, label=_label(row), clip_on=False, zorder=3, **style)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=7)
        axes.set_xlabel("million samples per second")
        axes.set_ylabel("LUT (logic cells, combinational cells)")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(linewidth=0.3)
        return _svg(figure)


def rates_over_lanes(rows: Sequence[Row]) -> str:
    groups = by_lanes(rows)
    if not groups:
        return ""
    ticks = sorted({row.lanes for group in groups for row in group})
    with pyplot.rc_context(STYLE):
        figure, (rate, energy) = pyplot.subplots(1, 2, figsize=(10, 4.5))
        for group, marker in zip(groups, itertools.cycle("os^Dv<>Ph*Xd"), strict=False):
            lanes = [row.lanes for row in group]
            style: Any = {"color": COLOURS[group[0].norm], "marker": marker, "alpha": 0.8}
            label = _labelled(group[0], str(group[0].width))
            rate.plot(lanes, [metric(row, "rate") / 1e9 for row in group], label=label, **style)
            energy.plot(lanes, [metric(row, "energy") for row in group], **style)
        for axes, label in (rate, "billion samples per second"), (energy, "pJ per sample"):
            axes.set_xscale("log", base=2)
            axes.set_xticks(ticks, list(map(str, ticks)))
            axes.set_xlabel("lanes")
            axes.set_ylabel(label)
            axes.set_ylim(bottom=0)
            axes.grid(linewidth=0.3)
        figure.legend(loc="upper left", bbox_to_anchor=(0.92, 0.9), frameon=False, fontsize=7)
        return _svg(figure)


def energies(rows: Sequence[Row]) -> str:
    shown = [row for row in rows if row.group in ("top", "pair", GROUP)]
    if not shown:
        return ""
    parts = list(dict.fromkeys(part for row in shown for part in row.energy_parts))
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.3 * len(shown)))
        left = [0.0] * len(shown)
        for part in parts:
            values = [row.energy_parts.get(part, 0.0) for row in shown]
            axes.barh(range(len(shown)), values, left=left, label=part)
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.set_yticks(range(len(shown)), [_label(row) for row in shown])
        axes.invert_yaxis()
        axes.set_xlabel("pJ per sample")
        axes.legend(ncols=7, loc="lower center", bbox_to_anchor=(0.3, 1.0), frameon=False)
        return _svg(figure)
