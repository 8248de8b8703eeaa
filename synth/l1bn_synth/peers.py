"""The same operators of other projects, beside ours."""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .rows import Row

__all__ = ["Comparison", "compare", "whole_units"]

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


def compare(rows: Iterable[Row]) -> list[Comparison]:
    """Every peer for which there is a row."""
    rows = list(rows)
    found = []
    for peer in _data()["peer"]:
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
        (True, True): "no larger, no slower",
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


def whole_units() -> list[dict[str, str]]:
    """Whole units of other projects, 16 bits, one lane: cells, and millions of elements per second."""
    return _data()["whole"]
