"""Samples as packets of a stream: beats of ``lanes`` samples, the final one marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Integers", "expected_packets", "packets"]

Integers = NDArray[Any]


def packets(rows: Iterable[Integers], lanes: int, times: int = 1) -> dict[str, Any]:
    """The columns ``data`` and ``last`` of one packet a row, each packet ``times`` times in a row.

    Rows may be of different lengths; raises :exc:`ValueError` for one that is no whole number of beats.
    """
    beats = [_beats(row, lanes) for row in rows for _ in range(times)]
    last = [np.arange(len(packet)) == len(packet) - 1 for packet in beats]
    if not beats:
        return {"data": np.empty((0, lanes), dtype=np.int64), "last": np.empty(0, dtype=bool)}
    return {"data": np.concatenate(beats), "last": np.concatenate(last)}


def expected_packets(rows: Sequence[Integers], lanes: int, errors: Sequence[bool]) -> dict[str, Any]:
    """:func:`packets` with their column ``error``, which means something with the final beat only."""
    columns = packets(rows, lanes)
    flags = np.repeat(np.asarray(errors, dtype=bool), [row.size // lanes for row in rows])
    return {**columns, "error": np.ma.masked_array(flags, mask=~columns["last"])}


def _beats(row: Integers, lanes: int) -> Integers:
    if row.size % lanes or not row.size:
        raise ValueError(f"{row.size} samples are no whole number of beats of {lanes}")
    return row.reshape(-1, lanes)
