"""The description of the registers: no two at one address, tables on their borders, and every width they need."""

from __future__ import annotations

import pytest

from l1bn.bus.axi_stream import lane_bits
from l1bn.bus.register_map import check_channels, forward_map, statistics_words
from l1bn.bus.registers import Field, Member, Register, RegisterMap, Table
from l1bn.config import Configuration, ConfigurationError
from l1bn.numbers.formats import Formats
from l1bn.streams.layouts import fields, statistics

VALUE = (Field("value", 0, 32, "a value"),)


def table(offset: int, entries: int = 4) -> Table:
    return Table("table", offset, entries, 1, True, "a table", (Member("entry", 0, VALUE),))


@pytest.mark.parametrize(
    ("registers", "tables"),
    [
        ([("a", 0), ("b", 0)], []),
        ([("a", 0x100)], []),
        ([], [0x80]),
        ([], [0x108]),
        ([], [0x100, 0x100]),
    ],
)
def test_a_map_that_cannot_be_is_refused(registers: list[tuple[str, int]], tables: list[int]) -> None:
    with pytest.raises(ValueError, match=r"overlaps|among the tables|not aligned"):
        RegisterMap(
            "map",
            "a map",
            tuple(Register(name, offset, "status", "a register", VALUE) for name, offset in registers),
            tuple(table(offset) for offset in tables),
        )


@pytest.mark.parametrize("channels", [1, 2, 5, 64, 65, 4096])
@pytest.mark.parametrize("width", [4, 8, 32])
def test_tables_have_a_place(channels: int, width: int) -> None:
    formats = Formats(Configuration(width=width, counts=(12, 16), guard_bits=64 if width == 32 else None))
    built = forward_map(formats, channels, "1.2.3", 0x12345678)
    assert built.register("version").reset == 0x010203
    assert built.register("configuration_id").reset == 0x12345678
    assert built.register("channels").reset == channels
    assert built.register("capability").reset == channels | 2 << 16 | 1 << 24
    assert all(part.offset + part.size <= 1 << built.address_width for part in built.tables)


@pytest.mark.parametrize("channels", [0, -1, 4097, True, "5", 2.0])
def test_channels_out_of_range(channels: object) -> None:
    with pytest.raises(ConfigurationError, match=r"channels = .* a whole number from 1 to 4096"):
        check_channels(channels)


def test_statistics_have_a_word_for_every_bit() -> None:
    formats = Formats(Configuration(width=32, counts=(12, 16), guard_bits=64))
    words = statistics_words(formats)
    assert [member.word for member in words] == list(range(len(words)))
    bits = sum(field.width for member in words for field in member.fields)
    assert bits == statistics(formats).size + 16
    assert {member.name.rpartition("_")[0] for member in words if member.value == "mean"} == {"mean"}
    flags = {field.name for field in words[-1].fields}
    assert flags == {"negative", "error", "select", "sequence"} & {*fields(statistics(formats)), "sequence"}


@pytest.mark.parametrize(("width", "bits"), [(4, 8), (8, 8), (9, 16), (16, 16), (17, 32), (24, 32), (32, 32)])
def test_lanes_begin_at_bytes(width: int, bits: int) -> None:
    assert lane_bits(width) == bits
