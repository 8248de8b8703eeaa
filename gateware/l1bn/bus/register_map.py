"""The registers and tables of a forward unit behind AXI."""

from __future__ import annotations

import struct
from typing import Any

from amaranth.hdl import Shape, unsigned

from ..config import Configuration, ConfigurationError
from ..numbers.formats import Formats
from ..streams.layouts import statistics
from .registers import REGISTERS_END, WORD, Field, Member, Register, RegisterMap, Table, ceil_power_of_two

__all__ = [
    "CHANNELS_MAX",
    "IDENTITY",
    "IN_FLIGHT",
    "SEQUENCE",
    "check_channels",
    "forward_map",
    "statistics_shapes",
    "statistics_words",
]

CHANNELS_MAX = 4096
"""Most entries of a table."""
IDENTITY = 0x4C31424E
"""What ``id`` reads: "L1BN" in ASCII."""
IN_FLIGHT = 12
"""Bits of the number of channels under way."""
SEQUENCE = 16
"""Bits of the number that every entry of the statistics carries."""

# What the members of an entry of the statistics mean, beyond the name of the field.
STATISTICS = {
    "mean": "mean mu, in 2^-guard_bits units of x's last place",
    "r_mantissa": "mantissa of the spread: r = r_mantissa * 2^-r_exponent units of x's last place",
    "r_exponent": "exponent of the spread",
    "scale": "magnitude k of the scale",
    "shift": "right shift t of the affine sum",
    "negative": "gamma is negative",
    "select": "index of the count",
    "error": "a packet of this channel was too short or too long",
}


def check_channels(channels: object) -> int:
    """Return ``channels`` when tables can have so many entries, else raise :exc:`ConfigurationError`."""
    if isinstance(channels, bool) or not isinstance(channels, int) or not 1 <= channels <= CHANNELS_MAX:
        raise ConfigurationError("channels", channels, f"a whole number from 1 to {CHANNELS_MAX}")
    return channels


def forward_map(formats: Formats, channels: int, version: str, configuration_id: int) -> RegisterMap:
    """The register map of the unit of ``formats`` with tables for ``channels`` channels.

    Parameters
    ----------
    version : of the generator, ``major.minor.patch``
    configuration_id : 32 bits that tell configurations apart
    """
    config = formats.config
    check_channels(channels)
    entries = ceil_power_of_two(channels)
    base = max(REGISTERS_END, entries * WORD // 8)
    words = statistics_words(formats)
    stride = ceil_power_of_two(len(words))
    size = entries * stride * WORD // 8
    return RegisterMap(
        name="l1bn",
        about=f"Registers of a unit for {config.traits.title} batch normalisation.",
        registers=_registers(config, channels, version, configuration_id),
        tables=(
            _parameter_table("gamma", base, channels, config.gamma_width, config.gamma_fraction),
            _parameter_table("beta", 2 * base, channels, config.beta_width, config.beta_fraction),
            Table(
                name="statistics",
                offset=-(-3 * base // size) * size,
                entries=channels,
                words=stride,
                writable=False,
                about="What the unit found of each channel, written when its statistics are complete. A reader that "
                "has to know whether two words belong together reads sequence before and after them.",
                members=words,
            ),
        ),
    )


def statistics_words(formats: Formats) -> tuple[Member, ...]:
    """The words of an entry of the statistics: numbers first, a word or more each, and flags in the last one."""
    members: list[Member] = []
    flags: list[Field] = []
    own = formats.config.traits.statistics(formats)
    meanings = STATISTICS | {name: statistic.about for name, statistic in own.items()}

    def place(name: str, shape: Shape) -> None:
        words = -(-shape.width // WORD)
        for part in range(words):
            width = min(WORD, shape.width - part * WORD)
            suffix = f"_{part}" if words > 1 else ""
            top = part == words - 1
            about = meanings[name] + (
                f", bits {part * WORD + width - 1} to {part * WORD}" if suffix else ""
            )
            field = Field("value", 0, width, about, signed=shape.signed and top)
            members.append(Member(name + suffix, len(members), (field,), name, part))

    for name, field in statistics(formats):
        shape = Shape.cast(field.shape)
        if name in ("negative", "select", "error"):
            lsb = {"negative": 0, "error": 1, "select": 8}[name]
            flags.append(Field(name, lsb, shape.width, STATISTICS[name]))
        elif shape.width:
            place(name, shape)
    flags.append(
        Field(
            "sequence",
            WORD - SEQUENCE,
            SEQUENCE,
            "number of the channel since the reset, modulo 65536, from 1 on",
        )
    )
    members.append(Member("flags", len(members), tuple(sorted(flags, key=lambda flag: flag.lsb))))
    return tuple(members)


def _parameter_table(name: str, offset: int, channels: int, width: int, fraction: int) -> Table:
    about = (
        f"{name} of the channel, {width} bits signed with {fraction} fraction bits; undefined until written"
    )
    return Table(
        name=name,
        offset=offset,
        entries=channels,
        words=1,
        writable=True,
        about=f"{name} of each channel, used where mode.affine is 1. Bits above the value are ignored and read as "
        "its sign.",
        members=(Member("entry", 0, (Field("value", 0, width, about, signed=True),), name),),
    )


def _registers(
    config: Configuration, channels: int, version: str, configuration_id: int
) -> tuple[Register, ...]:
    major, minor, patch = map(int, version.split("."))
    epsilon_low, epsilon_high = struct.unpack("<II", struct.pack("<d", config.epsilon))
    channel_bits = channels.bit_length()
    index_bits = max(1, (channels - 1).bit_length())
    select_bits = max(1, (len(config.counts) - 1).bit_length())
    counts = ", ".join(f"{index}: {count}" for index, count in enumerate(config.counts))
    return (
        Register(
            "id",
            0x00,
            "constant",
            "Says that this is a unit of l1bn.",
            (Field("value", 0, 32, "the letters L1BN", IDENTITY),),
        ),
        Register(
            "version",
            0x04,
            "constant",
            "Version of the generator.",
            (
                Field("patch", 0, 8, "patch level", patch),
                Field("minor", 8, 8, "minor version", minor),
                Field("major", 16, 8, "major version", major),
            ),
        ),
        Register(
            "configuration_id",
            0x08,
            "constant",
            "Tells configurations apart.",
            (
                Field(
                    "value", 0, 32, "the first 32 bits of configuration_id in the manifest", configuration_id
                ),
            ),
        ),
        Register(
            "capability",
            0x0C,
            "constant",
            "What the unit was built for.",
            (
                Field("channels", 0, 16, "entries of each table", channels),
                Field("counts", 16, 8, "counts that count_select can choose from", len(config.counts)),
                Field("lanes", 24, 8, "samples in a beat", config.lanes),
            ),
        ),
        Register(
            "epsilon_low",
            0x10,
            "constant",
            "epsilon, which is fixed when the unit is generated: the low half.",
            (Field("value", 0, 32, "bits 31 to 0 of epsilon as an IEEE 754 double", epsilon_low),),
        ),
        Register(
            "epsilon_high",
            0x14,
            "constant",
            "epsilon, which is fixed when the unit is generated: the high half.",
            (Field("value", 0, 32, "bits 63 to 32 of epsilon as an IEEE 754 double", epsilon_high),),
        ),
        Register(
            "control",
            0x20,
            "anytime",
            "Starts and stops at the border between two channels.",
            (
                Field(
                    "enable",
                    0,
                    1,
                    "take channels; while 0, a channel under way is finished and no new one begins",
                    1,
                ),
            ),
        ),
        Register(
            "mode",
            0x24,
            "idle",
            "What is done with normalised samples.",
            (
                Field(
                    "affine",
                    0,
                    1,
                    "1: gamma and beta come from the tables; 0: gamma is 1, or the largest below it that its format "
                    "has, and beta is 0",
                    0,
                ),
            ),
        ),
        Register(
            "channels",
            0x28,
            "idle",
            "Channels after which the tables start over. A write also sets channel_index to 0; 0 and more than "
            "capability.channels are refused.",
            (Field("value", 0, channel_bits, "number of channels", channels),),
        ),
        Register(
            "count_select",
            0x2C,
            "idle",
            f"Samples in a channel ({counts}); an index beyond the last one is refused.",
            (Field("index", 0, select_bits, "index of the count", 0),),
        ),
        Register(
            "channel_index",
            0x30,
            "idle",
            "Entry of the tables that the next channel uses; a value that is not below channels is refused.",
            (Field("index", 0, index_bits, "index of the entry", 0),),
        ),
        Register(
            "status",
            0x40,
            "status",
            "What is under way.",
            (
                Field("busy", 0, 1, "a channel is in flight: from its first beat in to its last beat out", 0),
                Field("idle", 1, 1, "no channel is in flight", 1),
                Field("in_packet", 2, 1, "the packet that comes in has not ended yet", 0),
                Field("in_flight", 16, IN_FLIGHT, "channels that have begun and not yet left", 0),
            ),
        ),
        Register(
            "channels_done",
            0x44,
            "clear",
            "Channels that have left, modulo 2^32.",
            (Field("value", 0, 32, "number of channels", 0),),
        ),
        Register(
            "packet_errors",
            0x48,
            "clear",
            "Channels that left with an error, because a packet was too short or too long; stays at its largest value.",
            (Field("value", 0, 32, "number of channels", 0),),
        ),
        Register(
            "refused",
            0x4C,
            "clear",
            "Bus accesses that were refused (SLVERR); stays at its largest value.",
            (Field("value", 0, 32, "number of accesses", 0),),
        ),
    )


def statistics_shapes(formats: Formats) -> dict[str, Any]:
    """What the memory of the statistics holds of a channel, from the lowest bit up."""
    return {**{name: field.shape for name, field in statistics(formats)}, "sequence": unsigned(SEQUENCE)}
