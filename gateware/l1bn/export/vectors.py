"""Words for the shipped test benches: channels, and what the golden model makes of them.

This module alone of the generator knows the golden model, which stays an oracle of its own: it gives the expected
values of a test bench, and nothing in the hardware comes from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

from l1bn_golden import Contract, Forward
from l1bn_golden import forward as golden_forward

from ..bus.axi_stream import lane_bits
from ..bus.register_map import statistics_words
from ..bus.registers import WORD, Member, ceil_power_of_two
from ..config import Configuration
from ..numbers.formats import Formats
from ..streams.layouts import affine_parameters, fields, packet, statistics

__all__ = [
    "AxiGroup",
    "Channel",
    "Words",
    "axi_groups",
    "axi_words",
    "channels",
    "sendings",
    "stream_words",
    "words_of",
]

SEED = 20190730
"""Of all random channels."""
SAMPLES = 1 << 14
"""Samples of each count, about; every count has one channel at least."""
CHANNELS = 6
"""Most channels of a count."""


@dataclass(frozen=True)
class Channel:
    """A packet, its parameters, and the result of the golden model.

    ``x`` are whole beats as they are sent: ``count`` samples, or fewer or more where the packet has the wrong length.
    """

    select: int
    x: np.ndarray
    gamma: int
    beta: int
    result: Forward
    error: bool

    @property
    def y(self) -> np.ndarray:
        return self.result.y[0]


@dataclass(frozen=True)
class Words:
    """The words of a stream.

    Parameters
    ----------
    width : bits of a word
    last_bit : the bit that ends a packet, where there are packets
    error_bit : a bit that counts only together with that one
    times : how often each packet is sent in a row
    """

    width: int
    words: list[int]
    last_bit: int | None = None
    error_bit: int | None = None
    times: int = 1


@dataclass(frozen=True)
class AxiGroup:
    """Channels that are sent with one setting of the registers."""

    select: int
    affine: bool
    channels: tuple[Channel, ...]


@cache
def channels(config: Configuration) -> tuple[Channel, ...]:
    """Channels of every count: random and skewed ones, the edges of the format, and packets of the wrong length."""
    contract = Contract.from_parameters(config.to_mapping())
    rng = np.random.default_rng(SEED)
    low, high = -(1 << (config.width - 1)), (1 << (config.width - 1)) - 1
    made: list[Channel] = []
    for select, count in enumerate(config.counts):
        number = max(1, min(CHANNELS, SAMPLES // count))
        rows: list[np.ndarray] = [
            rng.integers(low, high + 1, count),
            np.clip(np.round(rng.exponential(high / 8, count) + low / 4), low, high).astype(np.int64),
            np.where(np.arange(count) % 3 == 0, high, low),
            np.full(count, int(rng.integers(low, high + 1))),
            np.where(np.arange(count) == count // 2, 1, 0),
            rng.integers(-2, 3, count),
        ][:number]
        if select == 0 and config.lanes < count <= SAMPLES:
            rows.insert(1, rng.integers(low, high + 1, count // config.lanes // 2 * config.lanes))
            rows.insert(3, rng.integers(low, high + 1, count + 2 * config.lanes))
        made += [_channel(contract, rng, select, row, index) for index, row in enumerate(rows)]
    return tuple(made)


def _channel(contract: Contract, rng: np.random.Generator, select: int, x: np.ndarray, index: int) -> Channel:
    """A channel with random parameters, the edges of their formats first."""
    count = contract.counts[select]

    def parameter(width: int) -> int:
        edges = ((1 << (width - 1)) - 1, -(1 << (width - 1)), 0)
        if index % 4 == 3:
            return edges[index // 4 % len(edges)]
        return int(rng.integers(-(1 << (width - 1)), 1 << (width - 1)))

    gamma, beta = parameter(contract.gamma_width), parameter(contract.beta_width)
    result = golden_forward(contract, x[None, :], gamma, beta, count)
    return Channel(select, x, gamma, beta, result, len(x) != count)


def with_parameters(config: Configuration, channel: Channel, gamma: int, beta: int) -> Channel:
    """The same packet with other parameters."""
    contract = Contract.from_parameters(config.to_mapping())
    count = config.counts[channel.select]
    result = golden_forward(contract, channel.x[None, :], gamma, beta, count)
    return dataclasses.replace(channel, gamma=gamma, beta=beta, result=result)


def stream_words(formats: Formats, sent: Sequence[Channel]) -> dict[str, Words]:
    """What goes into the streams of a forward unit and has to come out of them."""
    config = formats.config
    layouts = {
        "i": packet(config.width, config.lanes, formats.select_width),
        "i_affine": affine_parameters(formats),
        "o": packet(config.y_width, config.lanes, error=True),
        "o_stats": statistics(formats),
    }
    words: dict[str, list[int]] = {name: [] for name in layouts}
    for channel in sent:
        tag = {"select": channel.select} if formats.select_width else {}
        words["i"] += [
            pack(layouts["i"], {"data": beat, "last": last, **tag})
            for beat, last in beats(channel.x, config.lanes)
        ]
        words["i_affine"].append(pack(layouts["i_affine"], {"gamma": channel.gamma, "beta": channel.beta}))
        for beat, last in beats(channel.y, config.lanes):
            words["o"].append(
                pack(layouts["o"], {"data": beat, "last": last, "error": last and channel.error})
            )
        words["o_stats"].append(pack(layouts["o_stats"], statistics_of(channel)))
    times = {"i": sendings(config)}
    return {name: words_of(layout, words[name], times.get(name, 1)) for name, layout in layouts.items()}


def words_of(layout: data.StructLayout, words: list[int], times: int) -> Words:
    """The words of a stream, whose packets, where there are any, are sent so many times in a row."""
    names = fields(layout)
    last = layout["last"].offset if "last" in names else None
    error = layout["error"].offset if "last" in names and "error" in names else None
    return Words(Shape.cast(layout).width, words, last, error, times)


def sendings(config: Configuration) -> int:
    """How often the packet of a channel is sent in a row."""
    return config.passes if config.storage == "outside" else 1


def statistics_of(channel: Channel) -> dict[str, int]:
    """The statistics of a channel, as many as any unit has."""
    values = {name: int(column[0]) for name, column in channel.result.statistics.items()}
    return {**values, "select": channel.select, "error": int(channel.error)}


def axi_groups(config: Configuration, entries: int) -> list[AxiGroup]:
    """The channels as software would have them done: by count, at most ``entries`` at a time, and some plain ones."""
    groups = []
    everything = channels(config)
    for select in range(len(config.counts)):
        of_count = [channel for channel in everything if channel.select == select]
        for start in range(0, len(of_count), entries):
            groups.append(AxiGroup(select, True, tuple(of_count[start : start + entries])))
    one = min(1 << config.gamma_fraction, (1 << (config.gamma_width - 1)) - 1)
    if config.counts[0] > SAMPLES:
        return groups  # the plain one would be as long again
    plain = tuple(with_parameters(config, channel, one, 0) for channel in groups[0].channels[:1])
    return [*groups, AxiGroup(0, False, plain)]


def axi_words(formats: Formats, groups: Sequence[AxiGroup]) -> dict[str, Words]:
    """What goes into the AXI side of a forward unit and has to come out of it.

    ``s`` are ``{tlast, tdata}``, ``m`` ``{tuser, tlast, tdata}``; ``gamma`` and ``beta`` one word a channel;
    ``statistics`` the words of an entry a channel; ``groups`` ``{affine, select, channels, beats in, beats out}`` of 32
    bits each, the last one lowest.
    """
    config = formats.config
    members = statistics_words(formats)
    stride = ceil_power_of_two(len(members))
    times = sendings(config)
    out: dict[str, list[int]] = {name: [] for name in ("s", "m", "gamma", "beta", "statistics", "groups")}
    sequence = 0
    for group in groups:
        before = len(out["s"]), len(out["m"])
        for channel in group.channels:
            sequence += 1
            packet_in = [
                _tdata(beat, config.width) | last << (config.lanes * lane_bits(config.width))
                for beat, last in beats(channel.x, config.lanes)
            ]
            out["s"] += packet_in
            step = config.lanes * lane_bits(config.y_width)
            out["m"] += [
                _tdata(beat, config.y_width) | last << step | (last and channel.error) << (step + 1)
                for beat, last in beats(channel.y, config.lanes)
            ]
            out["gamma"].append(channel.gamma & ((1 << WORD) - 1))
            out["beta"].append(channel.beta & ((1 << WORD) - 1))
            out["statistics"] += _entry(members, stride, {**statistics_of(channel), "sequence": sequence})
        sizes = ((len(out["s"]) - before[0]) * times, len(out["m"]) - before[1])
        values = (group.affine, group.select, len(group.channels), *sizes)
        out["groups"].append(
            sum(int(value) << (WORD * place) for place, value in enumerate(reversed(values)))
        )
    widths = {
        "s": config.lanes * lane_bits(config.width) + 1,
        "m": config.lanes * lane_bits(config.y_width) + 2,
        "groups": 5 * WORD,
    }
    return {name: Words(widths.get(name, WORD), words) for name, words in out.items()}


def beats(samples: np.ndarray, lanes: int) -> list[tuple[list[int], int]]:
    """The beats of a packet, and which one is the last."""
    rows = samples.reshape(-1, lanes).tolist()
    return [(row, int(index == len(rows) - 1)) for index, row in enumerate(rows)]


def pack(layout: data.StructLayout, values: Mapping[str, Any]) -> int:
    """The payload with these values in its fields."""
    word = 0
    for name, field in layout:
        shape = field.shape
        if isinstance(shape, data.ArrayLayout):
            width = Shape.cast(shape.elem_shape).width
            value = sum(
                (item & ((1 << width) - 1)) << (width * lane) for lane, item in enumerate(values[name])
            )
        else:
            value = int(values[name]) & ((1 << Shape.cast(shape).width) - 1)
        word |= value << field.offset
    return word


def _tdata(samples: Sequence[int], width: int) -> int:
    step = lane_bits(width)
    return sum((sample & ((1 << step) - 1)) << (step * lane) for lane, sample in enumerate(samples))


def _entry(members: Sequence[Member], stride: int, values: Mapping[str, int]) -> list[int]:
    """The words of an entry of the statistics."""
    words = [0] * stride
    for member in members:
        if member.value is None:
            words[member.word] = sum(
                (values[field.name] & ((1 << field.width) - 1)) << field.lsb for field in member.fields
            )
        else:
            words[member.word] = values[member.value] >> (member.part * WORD)
    return [word & ((1 << WORD) - 1) for word in words]
