"""What a stream has to deliver, held against what it delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from l1bn_vectors.payloads import Columns, StreamPort

__all__ = ["Comparison", "Scoreboard"]


Masked: TypeAlias = "np.ma.MaskedArray[Any, Any]"


@dataclass
class Comparison:
    """Wrong values in each batch of expected items, and a line for every item with one.

    An item missing or too much counts as one, in the last batch.
    """

    batches: list[int]
    lines: list[str]

    @property
    def wrong(self) -> int:
        """Wrong values in all."""
        return sum(self.batches)


class Scoreboard:
    """Expected items of one output stream, in order.

    A field that :meth:`expect` is not given is not compared; neither is an entry that is masked
    (:mod:`numpy.ma`).
    """

    def __init__(self, port: StreamPort):
        self.port = port
        self.length = 0
        self._batches: list[dict[str, Masked]] = []

    def expect(self, **columns: ArrayLike) -> None:
        """Append items: one column a field, all of one length.

        Raises :exc:`ValueError` for a field that the stream has not, or columns of different lengths.
        """
        arrays: dict[str, Masked] = {name: np.ma.asarray(column) for name, column in columns.items()}
        unknown = arrays.keys() - {field.name for field in self.port.payload.fields}
        lengths = {len(array) for array in arrays.values()}
        if unknown or len(lengths) != 1:
            raise ValueError(
                f"{self.port.name}: unknown fields {sorted(unknown)} or lengths {sorted(lengths)}"
            )
        self.length += lengths.pop()
        self._batches.append(arrays)

    def compare(self, got: Columns) -> Comparison:
        """Hold ``got`` against what was expected."""
        result = Comparison([0] * max(1, len(self._batches)), [])
        start = 0
        length = len(next(iter(got.values())))
        for number, batch in enumerate(self._batches):
            stop = start + len(next(iter(batch.values())))
            present = max(0, min(stop, length) - start)
            for name, expected in batch.items():
                actual = got[name][start:stop]
                different = np.ma.filled(expected[:present] != actual, False).astype(bool)
                result.batches[number] += int(different.sum())
                for index in np.flatnonzero(different.reshape(present, -1).any(axis=1)):
                    item = f"{self.port.name}[{start + index}].{name}"
                    result.lines.append(f"{item} = {actual[index]}, expected {expected[index]}")
            start = stop
        if length != self.length:
            result.batches[-1] += abs(length - self.length)
            result.lines.append(f"{self.port.name}: {length} items, expected {self.length}")
        return result
