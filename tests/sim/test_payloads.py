from __future__ import annotations

import json

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import Component, Out

from l1bn_sim.design import Design
from l1bn_vectors.payloads import StreamPort
from l1bn_vectors.shapes import payload

LAYOUT = data.StructLayout(
    {
        "data": data.ArrayLayout(signed(5), 3),
        "last": unsigned(1),
        "nothing": unsigned(0),
        "mean": signed(70),
        "scale": unsigned(64),
    }
)


def test_pack_is_the_layout_of_the_hardware():
    columns = {
        "data": [[-16, 15, -1], [0, 1, 2]],
        "last": [1, 0],
        "mean": [-(1 << 69), 3],
        "scale": [2**64 - 1, 5],
    }
    words = payload(LAYOUT).pack(**columns)
    for item, word in enumerate(words):
        constant = LAYOUT.const({name: values[item] for name, values in columns.items()})
        assert word == constant.as_value().value


def test_unpack_inverts_pack(seed):
    draw = np.random.default_rng(seed)
    columns = {
        "data": draw.integers(-16, 16, (50, 3)),
        "last": draw.integers(0, 2, 50),
        "mean": [int(value) << 7 for value in draw.integers(-(2**62), 2**62, 50)],
        "scale": [2 * int(value) + 1 for value in draw.integers(0, 2**63, 50)],
    }
    unpacked = payload(LAYOUT).unpack(payload(LAYOUT).pack(**columns))
    assert list(unpacked) == ["data", "last", "mean", "scale"]
    for name, values in columns.items():
        assert unpacked[name].tolist() == np.asarray(values, dtype=object).tolist()


def test_a_masked_entry_is_zero_and_no_integer_is_rounded():
    wide = payload(unsigned(70))
    assert wide.pack(value=[2**69 + 1, 0]) == [2**69 + 1, 0]
    column = np.ma.masked_array(np.array([2**69 + 1, 5], dtype=object), mask=[False, True])
    assert wide.pack(value=column) == [2**69 + 1, 0]
    assert wide.pack(value=np.ma.masked_all(1, dtype=np.int64)) == [0]


def test_a_field_of_a_structure_within_has_its_name_before_its_own():
    inner = data.StructLayout({"a": signed(3), "b": data.ArrayLayout(unsigned(2), 2)})
    outer = payload(data.StructLayout({"x": unsigned(1), "y": inner}))
    assert [(field.name, field.offset) for field in outer.fields] == [("x", 0), ("y_a", 1), ("y_b", 4)]


def test_a_plain_number_is_called_value():
    assert payload(signed(4)).pack(value=[-8, 7]) == [8, 7]
    assert payload(signed(4)).unpack([8, 7])["value"].tolist() == [-8, 7]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"value": [8]}, "8 does not fit -8 to 7"),
        ({"value": [-9]}, "does not fit"),
        ({"value": [[1]]}, "not one row an item"),
        ({"other": [1]}, "the payload has value"),
        ({}, "the payload has value"),
    ],
)
def test_what_does_not_fit_is_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        payload(signed(4)).pack(**columns)


def test_a_port_survives_json():
    port = StreamPort("o", "out", payload(LAYOUT))
    assert StreamPort.from_json(json.loads(json.dumps(port.to_json()))) == port


def test_only_streams_are_ports():
    class Lamp(Component):
        def __init__(self):
            super().__init__({"light": Out(1)})

    with pytest.raises(TypeError, match="port light of Lamp is no stream"):
        Design.of(Lamp(), "lamp")
