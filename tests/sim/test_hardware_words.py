"""Columns as 32-bit words: the same vectors as those that the cocotb benches use, for every layout."""

from __future__ import annotations

import random

import numpy as np
import pytest

from l1bn_sim.hardware_words import pack, unpack
from l1bn_vectors.payloads import Field, Payload

WIDTHS = (1, 5, 8, 12, 16, 31, 32, 33, 48, 63, 64, 65, 100)


def draw_payload(draw: random.Random) -> Payload:
    fields, offset = [], 0
    for index in range(draw.randint(1, 6)):
        length = draw.choice([None, None, 1, 3, 16])
        field = Field(f"f{index}", offset, draw.choice(WIDTHS), draw.random() < 0.5, length)
        fields.append(field)
        offset += field.width * (length or 1)
    return Payload(offset, tuple(fields))


def draw_column(draw: random.Random, field: Field, items: int) -> np.ndarray:
    low, high = field.limits
    values = [draw.choice([low, high, draw.randint(low, high)]) for _ in range(items * (field.length or 1))]
    column = np.array(values, dtype=np.int64 if field.width < 64 and draw.random() < 0.5 else object)
    return column if field.length is None else column.reshape(items, field.length)


def test_words_are_the_vectors_of_the_payload(seed):
    draw = random.Random(seed)
    for _ in range(200):
        payload = draw_payload(draw)
        columns = {
            field.name: draw_column(draw, field, draw_items) for draw_items in [5] for field in payload.fields
        }
        words = pack(payload, columns)
        vectors = payload.pack(**columns)
        assert [sum(int(word) << 32 * j for j, word in enumerate(row)) for row in words] == vectors
        expected = payload.unpack(vectors)
        for name, column in unpack(payload, words).items():
            assert column.dtype == expected[name].dtype
            assert column.tolist() == expected[name].tolist()


PAYLOAD = Payload(17, (Field("data", 0, 8, True, 2), Field("last", 16, 1)))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.uint64, object])
def test_every_type_of_integer_packs(kind):
    columns = {"data": np.array([[1, 0]], dtype=kind), "last": np.array([1], dtype=kind)}
    assert pack(PAYLOAD, columns).tolist() == [[0x10001]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"data": [[1, 2]]}, "fields data given; the payload has data, last"),
        ({"data": [[1, 128]], "last": [1]}, "data = 128 is not possible; allowed: -128 to 127 (8 bits)"),
        ({"data": [[1, 2]], "last": [-1]}, "last = -1 is not possible; allowed: 0 to 1 (1 bits)"),
        ({"data": [[1.0, 2.0]], "last": [1]}, "data of type float64 is not possible; allowed: integers"),
        ({"data": [["1", 2]], "last": [1]}, "data of type <U21 is not possible; allowed: integers"),
        (
            {"data": [[1, 2, 3]], "last": [1]},
            "data of shape (1, 3) is not possible; allowed: an item a row of 2 elements",
        ),
        ({"data": [[1, 2]], "last": [[1]]}, "last of shape (1, 1) is not possible; allowed: an item a row"),
        ({"data": [[1, 2]], "last": [1, 0]}, "columns of different lengths: {'data': 1, 'last': 2}"),
    ],
)
def test_what_does_not_fit_is_named(columns, message):
    with pytest.raises(ValueError) as error:
        pack(PAYLOAD, columns)
    assert str(error.value) == message
