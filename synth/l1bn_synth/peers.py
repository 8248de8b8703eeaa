"""The same operators of other projects, beside ours."""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .rows import Row

__all__ = ["Comparison", "compare", "page", "peers", "whole_units"]

BETTER = "no larger, no slower"
_COLUMNS = {"LFE5U-85F-6": "ecp5", "HX8K": "hx8k"}


@dataclass(frozen=True)
class Comparison:
    """A peer's operator and ours on one device; ``verdict`` compares LUTs and results per second."""

    what: str
    device: str
    project: str
    theirs: str
    ours: str
    verdict: str


def _data() -> dict[str, list[dict[str, Any]]]:
    text = importlib.resources.files(__package__).joinpath("peers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def peers() -> list[dict[str, Any]]:
    """The operators of other projects, as :file:`peers.toml` has them."""
    return _data()["peer"]


def compare(rows: Iterable[Row]) -> list[Comparison]:
    """Every peer for which there is a row."""
    rows = list(rows)
    found = []
    for peer in peers():
        for device, column in _COLUMNS.items():
            ours = [
                row
                for row in rows
                if (row.unit, row.width, row.device) == (peer["unit"], peer["width"], device)
                and row.lanes == 1
            ]
            if column in peer and ours:
                found.append(_comparison(peer, peer[column], ours[0]))
    return found


def _comparison(peer: dict[str, Any], theirs: dict[str, float], ours: Row) -> Comparison:
    smaller = ours.lut <= theirs["lut"]
    faster = ours.fmax_mhz["median"] / ours.cycles_per_channel >= theirs["mhz"] / peer["cycles"]
    verdict = {
        (True, True): BETTER,
        (True, False): "smaller, slower",
        (False, True): "faster, larger",
        (False, False): "larger and slower",
    }[smaller, faster]
    cells = "/".join(f"{theirs[name]:g}" for name in ("lut", "ff") if name in theirs)
    own = f"{ours.lut}/{ours.ff}" if "ff" in theirs else f"{ours.lut}"
    return Comparison(
        peer["what"],
        ours.device,
        peer["project"],
        f"{cells}, {theirs['mhz']:g} MHz, {peer['cycles']} cycle(s)",
        f"{own}, {ours.fmax_mhz['median']:g} MHz, {ours.cycles_per_channel} cycle(s)",
        verdict,
    )


def page(rows: Iterable[Row], tools: Mapping[str, str]) -> str:
    """The table as Markdown, with what it was made by, and a sentence that counts."""
    rows = list(rows)
    found = compare(rows)
    lines = [
        "| operator | device | project | theirs | ours | ours is |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {c.what} | {c.device} | {c.project} | {c.theirs} | {c.ours} | {c.verdict} |" for c in found]
    behind = [c for c in found if c.verdict != BETTER]
    seeds = max((int(row.fmax_mhz["seeds"]) for row in rows), default=0)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(tools.items()))
    lines += [
        "",
        f"{len(found) - len(behind)} of {len(found)} rows: {BETTER}. Theirs is the median of 3 seeds, ours of {seeds}. "
        f"Made by {versions}.",
    ]
    lines += [f"- {c.what}, {c.device}: {c.verdict}." for c in behind]
    return "\n".join(lines)


def whole_units() -> list[dict[str, str]]:
    """Whole units of other projects, 16 bits, one lane: cells, and millions of elements per second."""
    return _data()["whole"]
