"""Payloads as rows of 32-bit words, the lowest first, packed and unpacked by whole columns.

The same vectors as those of :class:`l1bn_vectors.payloads.Payload`, in the form that a compiled model takes: word j
of an item holds bits 32 j to 32 j + 31.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from l1bn_vectors.payloads import Columns, Field, Payload

__all__ = ["Words", "integers", "pack", "unpack", "words_per_item"]

Words = NDArray[np.uint32]

WORD = 32
INTEGER = 64
"""Bits of NumPy's widest integers."""
VIEWS = {8: np.int8, 16: np.int16, 32: np.int32}
"""Types of the elements that lie in memory just as the vector has them."""


def words_per_item(payload: Payload) -> int:
    """Words that an item takes."""
    return -(-payload.width // WORD)


def pack(payload: Payload, columns: Mapping[str, ArrayLike]) -> Words:
    """A row of words an item, from one column of integers for every field.

    Raises :exc:`ValueError` for a field too many or too few, for columns of different lengths, for a value that
    is no integer and for one that does not fit its field.
    """
    names = [field.name for field in payload.fields]
    if sorted(names) != sorted(columns):
        raise ValueError(f"fields {', '.join(columns)} given; the payload has {', '.join(names)}")
    checked = {field.name: _checked(field, columns[field.name]) for field in payload.fields}
    lengths = {name: len(column) for name, column in checked.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths: {lengths}")
    words = np.zeros((next(iter(lengths.values()), 0), words_per_item(payload)), dtype=np.uint32)
    for field in payload.fields:
        values = checked[field.name]
        if _is_aligned(field):
            start = field.offset // field.width
            words.view(VIEWS[field.width])[:, start : start + values.shape[1]] = values
        else:
            for element, offset in enumerate(field.offsets):
                _place(words, offset, field.width, values[:, element])
    return words


def unpack(payload: Payload, words: Words) -> Columns:
    """The inverse of :func:`pack`: int64 columns, or Python integers for fields that int64 cannot hold."""
    columns: Columns = {}
    for field in payload.fields:
        length = field.length or 1
        if _is_aligned(field) and field.signed:
            start = field.offset // field.width
            elements = words.view(VIEWS[field.width])[:, start : start + length].astype(np.int64)
        else:
            parts = [_extract(words, offset, field) for offset in field.offsets]
            elements = np.stack(parts, axis=1) if parts else np.empty((len(words), 0), np.int64)
        columns[field.name] = elements[:, 0] if field.length is None else elements
    return columns


def integers(name: str, values: ArrayLike, width: int, signed: bool) -> NDArray[Any]:
    """``values`` as int64, or as they are where int64 may not hold ``width`` bits.

    Raises :exc:`ValueError` with ``name`` in the message unless all are integers of ``width`` bits.
    """
    array = np.asarray(values)
    if array.dtype == object:
        whole = all(isinstance(value, int | np.integer) for value in array.flat)
    else:
        whole = array.dtype.kind in "iub" or not array.size
    if not whole:
        raise ValueError(f"{name} of type {array.dtype} is not possible; allowed: integers")
    low, high = Field(name, 0, width, signed).limits
    for extreme in (array.min(), array.max()) if array.size else ():
        if not low <= int(extreme) <= high:
            raise ValueError(f"{name} = {extreme} is not possible; allowed: {low} to {high} ({width} bits)")
    return array.astype(np.int64, copy=False) if width < INTEGER else array


def _checked(field: Field, values: ArrayLike) -> NDArray[Any]:
    """The column of a field as rows of elements."""
    column = integers(field.name, values, field.width, field.signed)
    expected = 1 if field.length is None else 2
    if column.ndim != expected or (field.length is not None and column.shape[1] != field.length):
        elements = "" if field.length is None else f" of {field.length} elements"
        raise ValueError(
            f"{field.name} of shape {column.shape} is not possible; allowed: an item a row{elements}"
        )
    return column[:, None] if field.length is None else column


def _is_aligned(field: Field) -> bool:
    return field.width in VIEWS and field.offset % field.width == 0


def _chunks(offset: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """For every 32 bits of a value: (its first bit, mask, word, bit in the word)."""
    for bit in range(0, width, WORD):
        word, shift = divmod(offset + bit, WORD)
        yield bit, (1 << min(WORD, width - bit)) - 1, word, shift


def _place(words: Words, offset: int, width: int, values: NDArray[Any]) -> None:
    """Set the bits of one element in all rows; they are 0 before."""
    for bit, mask, word, shift in _chunks(offset, width):
        placed = ((values >> bit) & mask).astype(np.uint64) << np.uint64(shift)
        words[:, word] |= placed.astype(np.uint32)
        if mask << shift >> WORD:
            words[:, word + 1] |= (placed >> np.uint64(WORD)).astype(np.uint32)


def _extract(words: Words, offset: int, field: Field) -> NDArray[Any]:
    """The values of one element in all rows."""
    fits = field.width + (not field.signed) <= INTEGER
    kind: type = np.int64 if fits else object
    whole: NDArray[Any] = np.zeros(len(words), dtype=kind)
    for bit, mask, word, shift in _chunks(offset, field.width):
        pair = words[:, word].astype(np.uint64)
        if mask << shift >> WORD:
            pair |= words[:, word + 1].astype(np.uint64) << np.uint64(WORD)
        chunk = (pair >> np.uint64(shift)) & np.uint64(mask)
        whole |= chunk.astype(kind) << bit
    if not field.signed or field.width == INTEGER:
        return whole
    sign = 1 << (field.width - 1)
    return (whole ^ sign) - sign
