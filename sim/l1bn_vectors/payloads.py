"""Payloads of streams: one vector in the Verilog, named fields in Python.

A description is plain data, so that it can go to the simulator's process as JSON; nothing here needs
Amaranth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Columns", "Field", "Payload", "StreamPort", "integers"]

Columns = dict[str, NDArray[Any]]
"""One array a field: a row an item, and a column an element where the field is an array."""


def integers(column: ArrayLike) -> NDArray[Any]:
    """A column as Python's integers, 0 where it is masked: none is rounded on its way through NumPy."""
    if isinstance(column, np.ndarray):
        column = np.ma.filled(column, 0).tolist()
    return np.array(column, dtype=object)


@dataclass(frozen=True)
class Field:
    """A number, or an array of ``length`` numbers, element 0 lowest, that starts at bit ``offset``."""

    name: str
    offset: int
    width: int
    signed: bool = False
    length: int | None = None

    @property
    def offsets(self) -> range:
        """Bit offsets of the elements."""
        return range(self.offset, self.offset + self.width * (self.length or 1), self.width)

    @property
    def limits(self) -> tuple[int, int]:
        """Smallest and largest value of an element."""
        magnitude = 1 << (self.width - self.signed)
        return (-magnitude if self.signed else 0), magnitude - 1

    @property
    def all_ones(self) -> int:
        """The value of an element whose bits are all 1."""
        return -1 if self.signed else self.limits[1]

    def elements(self, values: ArrayLike) -> list[list[int]]:
        """``values`` as a list for each element; raises :exc:`ValueError` where one does not fit."""
        column = integers(values)
        expected = 1 if self.length is None else 2
        if column.ndim != expected or (self.length is not None and column.shape[1] != self.length):
            elements = "" if self.length is None else f", {self.length} elements each"
            raise ValueError(f"{self.name}: shape {column.shape} is not one row an item{elements}")
        low, high = self.limits
        if column.size and not (low <= column.min() and column.max() <= high):
            raise ValueError(f"{self.name}: {column.min()} to {column.max()} does not fit {low} to {high}")
        rows = column[:, None] if self.length is None else column
        return [[int(value) for value in rows[:, element]] for element in range(rows.shape[1])]


@dataclass(frozen=True)
class Payload:
    """A vector of ``width`` bits made of fields."""

    width: int
    fields: tuple[Field, ...]

    def pack(self, **columns: ArrayLike) -> list[int]:
        """One unsigned vector an item, from one column for every field; a masked entry is 0.

        Raises :exc:`ValueError` for a field too many or too few, or a value that does not fit its field.
        """
        names = [field.name for field in self.fields]
        if sorted(names) != sorted(columns):
            raise ValueError(f"fields {', '.join(columns)} given; the payload has {', '.join(names)}")
        words: list[int] | None = None
        for field in self.fields:
            mask = (1 << field.width) - 1
            for offset, values in zip(field.offsets, field.elements(columns[field.name]), strict=True):
                shifted = [(value & mask) << offset for value in values]
                words = shifted if words is None else [a | b for a, b in zip(words, shifted, strict=True)]
        return words or []

    def unpack(self, words: Sequence[int]) -> Columns:
        """The inverse of :meth:`pack`: int64 arrays, or Python integers for fields that int64 cannot hold."""
        columns: Columns = {}
        for field in self.fields:
            mask = (1 << field.width) - 1
            sign = 1 << (field.width - 1) if field.signed else 0
            kind = np.int64 if field.width + (not field.signed) <= 64 else object
            elements = np.empty((len(words), field.length or 1), dtype=kind)
            for element, offset in enumerate(field.offsets):
                elements[:, element] = [(((word >> offset) & mask) ^ sign) - sign for word in words]
            columns[field.name] = elements[:, 0] if field.length is None else elements
        return columns


@dataclass(frozen=True)
class StreamPort:
    """A stream of a component: ``name__payload``, ``name__valid`` and ``name__ready`` in the Verilog."""

    name: str
    direction: Literal["in", "out"]
    payload: Payload

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> StreamPort:
        payload = values["payload"]
        fields = tuple(Field(**field) for field in payload["fields"])
        return cls(values["name"], values["direction"], Payload(payload["width"], fields))
