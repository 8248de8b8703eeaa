"""The streams of a unit: what goes in, and what has to come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Columns", "Traffic"]

Columns = Mapping[str, Any]
"""One array a field, a row an item. A masked entry (:mod:`numpy.ma`) means nothing."""


@dataclass(frozen=True)
class Traffic:
    """The items of every stream of a unit, by the name of the stream."""

    inputs: Mapping[str, Columns]
    outputs: Mapping[str, Columns]
