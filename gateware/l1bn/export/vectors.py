"""Words for the shipped test benches: channels, and what the golden model makes of them.

The generator knows the golden model in its export only, which stays an oracle of its own: it gives the expected values
of a test bench, and nothing in the hardware comes from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from amaranth.lib import wiring

from l1bn_golden import Contract
from l1bn_golden.one_pass import Pivots
from l1bn_vectors.backward import BackwardChannel, backward_traffic
from l1bn_vectors.forward import ForwardChannel, forward_traffic, guessed
from l1bn_vectors.packets import packets
from l1bn_vectors.payloads import Payload
from l1bn_vectors.running import inference_traffic, training_traffic
from l1bn_vectors.shapes import stream_ports
from l1bn_vectors.traffic import Columns, Traffic

from ..bus.axi_stream import lane_bits
from ..bus.register_map import statistics_words
from ..bus.registers import WORD, Member, ceil_power_of_two
from ..config import Configuration
from ..numbers.formats import Formats

__all__ = ["AxiGroup", "Words", "axi_groups", "axi_words", "channels", "native_words"]

SEED = 20190730
"""Of all random channels."""
SAMPLES = 1 << 14
"""Samples of each count, about; every count has one channel at least."""
CHANNELS = 6
"""Most channels of a count."""


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
    channels: tuple[ForwardChannel, ...]


@cache
def channels(config: Configuration) -> tuple[ForwardChannel, ...]:
    """Channels of every count: random and skewed ones, the edges of the format, and packets of the wrong length."""
    contract = Contract.from_parameters(config.to_mapping())
    rng = np.random.default_rng(SEED)
    low, high = -(1 << (config.width - 1)), (1 << (config.width - 1)) - 1
    made: list[ForwardChannel] = []
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
    if config.guesses:
        # No channel comes twice, so it does not matter how far ahead a guess is made.
        made = guessed(Pivots(contract), made[: config.channels])
    return tuple(made)


def _channel(contract: Contract, rng: np.random.Generator, select: int, x: np.ndarray, index: int) -> ForwardChannel:
    """A channel with random parameters, the edges of their formats first."""

    def parameter(width: int) -> int:
        edges = ((1 << (width - 1)) - 1, -(1 << (width - 1)), 0)
        if index % 4 == 3:
            return edges[index // 4 % len(edges)]
        return int(rng.integers(-(1 << (width - 1)), 1 << (width - 1)))

    gamma, beta = parameter(contract.gamma_width), parameter(contract.beta_width)
    return ForwardChannel(contract, x, gamma, beta, select)


def random_gradients(width: int, sent: Sequence[ForwardChannel]) -> list[np.ndarray]:
    """A dy of the right length for each channel."""
    rng = np.random.default_rng(SEED + 1)
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    return [rng.integers(low, high, channel.count) for channel in sent]


def forward_words(unit: wiring.Component) -> dict[str, Words]:
    """What goes into the streams of a forward unit and has to come out of them."""
    return _words(unit, forward_traffic(channels(unit.config), sendings=1), {"i": unit.config.sendings})


def backward_words(unit: wiring.Component) -> dict[str, Words]:
    """What goes into the streams of a backward unit and has to come out of them."""
    config = unit.config
    sent = channels(config)
    with_gradients = [
        BackwardChannel.of(channel.contract, channel.x, dy, channel.gamma, channel.select)
        for channel, dy in zip(sent, random_gradients(config.dy_width, sent), strict=True)
    ]
    return _words(unit, backward_traffic(with_gradients, sendings=1), dict.fromkeys(("i_x", "i_dy"), config.sendings))


def inference_words(unit: wiring.Component) -> dict[str, Words]:
    """What goes into the streams of an inference unit and has to come out of them."""
    return _words(unit, inference_traffic(channels(unit.config)), {})


def training_words(unit: wiring.Component) -> dict[str, Words]:
    """What goes into the streams of a training unit after its reset and has to come out of them."""
    config = unit.config
    sent = channels(config)
    traffic = training_traffic(sent, random_gradients(config.dy_width, sent), config.channels, (1, 1))
    back = dict.fromkeys(("i_x", "i_dy"), config.backward_sendings)
    return _words(unit, traffic, {"i": config.sendings, **back})


NATIVE = {
    "forward": forward_words,
    "backward": backward_words,
    "inference": inference_words,
    "training": training_words,
}
"""By direction."""


def native_words(unit: wiring.Component) -> dict[str, Words]:
    """What goes into the streams of a unit and has to come out of them; a channel of :func:`channels` each."""
    return NATIVE[unit.config.direction](unit)


def _words(unit: wiring.Component, traffic: Traffic, times: Mapping[str, int]) -> dict[str, Words]:
    """The words of every stream of a unit; ``times``: how often the packets of a stream are sent in a row."""
    columns = {**traffic.inputs, **traffic.outputs}
    return {
        port.name: _stream_words(port.payload, columns[port.name], times.get(port.name, 1))
        for port in stream_ports(unit)
    }


def _stream_words(payload: Payload, columns: Columns, times: int) -> Words:
    offsets = {field.name: field.offset for field in payload.fields}
    words = payload.pack(**columns)
    packet = "last" in offsets
    return Words(
        payload.width, words, offsets["last"] if packet else None, offsets.get("error") if packet else None, times
    )


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
    plain = tuple(dataclasses.replace(channel, gamma=one, beta=0) for channel in groups[0].channels[:1])
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
    times = config.sendings
    out: dict[str, list[int]] = {name: [] for name in ("s", "m", "gamma", "beta", "statistics", "groups")}
    sequence = 0
    for group in groups:
        before = len(out["s"]), len(out["m"])
        for channel in group.channels:
            sequence += 1
            packet_in = [
                _tdata(beat, config.width) | last << (config.lanes * lane_bits(config.width))
                for beat, last in _beats(channel.x, config.lanes)
            ]
            out["s"] += packet_in
            step = config.lanes * lane_bits(config.y_width)
            out["m"] += [
                _tdata(beat, config.y_width) | last << step | (last and channel.error) << (step + 1)
                for beat, last in _beats(channel.result.y[0], config.lanes)
            ]
            out["gamma"].append(channel.gamma & ((1 << WORD) - 1))
            out["beta"].append(channel.beta & ((1 << WORD) - 1))
            out["statistics"] += _entry(members, stride, {**_statistics(channel), "sequence": sequence})
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


def _beats(samples: np.ndarray, lanes: int) -> Iterable[tuple[list[int], bool]]:
    """The beats of a packet, and which one is the last."""
    columns = packets([samples], lanes)
    return zip(columns["data"].tolist(), columns["last"].tolist(), strict=True)


def _statistics(channel: ForwardChannel) -> dict[str, int]:
    """The statistics of a channel, as many as any unit has."""
    values = {name: int(column[0]) for name, column in channel.result.statistics.items()}
    return {**values, "select": channel.select, "error": int(channel.error)}


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
