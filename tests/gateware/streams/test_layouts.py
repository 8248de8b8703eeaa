"""Copying of fields between payloads: what would be lost on the way is an error."""

from __future__ import annotations

import pytest
from amaranth.hdl import Shape, Signal, signed, unsigned
from amaranth.lib import data

from l1bn.streams.layouts import copied, holds


def record(**fields: object) -> data.View:
    return Signal(data.StructLayout(fields))


@pytest.mark.parametrize(
    ("before", "after", "fits"),
    [
        (unsigned(8), unsigned(8), True),
        (unsigned(8), unsigned(9), True),
        (unsigned(8), unsigned(7), False),
        (unsigned(8), signed(9), True),
        (unsigned(8), signed(8), False),
        (signed(8), signed(8), True),
        (signed(8), signed(7), False),
        (signed(8), unsigned(16), False),
    ],
)
def test_a_field_that_does_not_fit_is_an_error(before: Shape, after: Shape, fits: bool) -> None:
    assert holds(after, before) == fits
    source, sink = record(value=before, other=1), record(value=after, more=1)
    if fits:
        assert len(copied(source, sink)) == 1
    else:
        with pytest.raises(TypeError, match="value does not fit"):
            copied(source, sink)
        assert copied(source, sink, but=("value",)) == []


@pytest.mark.parametrize("name", ["valeu", "other", "more"])
def test_what_is_left_out_is_named_right(name: str) -> None:
    source, sink = record(value=4, other=1), record(value=4, more=1)
    with pytest.raises(TypeError, match=f"{name} is no field that would be copied; there are: value"):
        copied(source, sink, but=(name,))
