"""Words for the test benches of inference and training units, and what the golden model makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from amaranth.lib import data, wiring

from l1bn_golden import Contract, backward, forward
from l1bn_golden.running import Running, fold, inference, running_start, running_update

from .backward_vectors import random_gradients
from .vectors import Channel, Words, beats, channels, pack, sendings, words_of

__all__ = ["inference_words", "training_words"]

Values = Mapping[str, Any]


class Streams:
    """Words of every stream of a unit, as they are added."""

    def __init__(self, unit: wiring.Component):
        self.lanes = unit.config.lanes
        self.layouts: dict[str, data.StructLayout] = {
            name: member.signature.members["payload"].shape for name, member in unit.signature.members.items()
        }
        self.words: dict[str, list[int]] = {name: [] for name in self.layouts}

    def add(self, stream: str, **values: Any) -> None:
        self.words[stream].append(pack(self.layouts[stream], values))

    def add_packet(self, stream: str, samples: np.ndarray, *, error: bool = False, select: int = 0) -> None:
        """A packet; ``error`` and ``select`` go into it where it has them."""
        names = dict(self.layouts[stream])
        for beat, last in beats(samples, self.lanes):
            more = {"error": last and error, "select": select}
            more = {name: value for name, value in more.items() if name in names}
            self.add(stream, data=beat, last=last, **more)

    def finished(self, times: Mapping[str, int]) -> dict[str, Words]:
        """All of them, the packets of some sent several times in a row."""
        return {
            name: words_of(layout, self.words[name], times.get(name, 1)) for name, layout in self.layouts.items()
        }


def inference_words(unit: wiring.Component) -> tuple[dict[str, Words], int]:
    """What goes into an inference unit and has to come out of it, and how many channels that is."""
    golden = Contract.from_parameters(unit.config.to_mapping())
    streams = Streams(unit)
    sent = channels(unit.config)
    for channel in sent:
        mean, spread = int(channel.result.mean[0]), _spread(golden, channel)
        averages = _running(mean << golden.momentum_shift, spread << golden.momentum_shift)
        result = inference(golden, _whole(golden, channel)[None], averages, channel.gamma, channel.beta)
        folded = fold(golden, averages, channel.gamma, channel.beta)
        streams.add_packet("i", channel.x, select=channel.select)
        streams.add("i_averages", **_known(golden, mean, spread))
        streams.add("i_affine", gamma=channel.gamma, beta=channel.beta)
        streams.add_packet("o", result.y[0], error=channel.error)
        streams.add(
            "o_fold",
            scale=abs(int(folded.scale[0])),
            negative=bool(result.negative[0]),
            shift=folded.shift[0],
            b=folded.bias[0],
        )
    return streams.finished({}), len(sent)


def training_words(unit: wiring.Component) -> tuple[dict[str, Words], int]:
    """What goes into a training unit after its reset and has to come out of it, and how many channels that is.

    The channels of a layer come in turn, so that each average is that of the channel a layer before.
    """
    config = unit.config
    golden = Contract.from_parameters(config.to_mapping())
    streams = Streams(unit)
    sent = channels(config)
    start = running_start(config.channels)
    averages = [_running(*pair) for pair in zip(start.mean, start.spread, strict=True)]
    half = (1 << golden.momentum_shift) >> 1
    for visit, (channel, dy) in enumerate(zip(sent, random_gradients(config.dy_width, sent), strict=True)):
        x, count = _whole(golden, channel)[None], golden.counts[channel.select]
        found = forward(golden, x, channel.gamma, channel.beta)
        result = backward(golden, x, dy[None], channel.gamma, found, count)
        place = visit % config.channels
        if not channel.error:
            averages[place] = running_update(golden, averages[place], found)
        read = ((int(stored[0]) + half) >> golden.momentum_shift for stored in vars(averages[place]).values())
        error = channel.error or bool(result.flagged[0])
        streams.add_packet("i", channel.x, select=channel.select)
        streams.add("i_affine", gamma=channel.gamma, beta=channel.beta)
        streams.add_packet("o", found.y[0], error=channel.error)
        streams.add("o_averages", **_known(golden, *read))
        streams.add_packet("i_x", x[0], select=channel.select)
        streams.add_packet("i_dy", dy)
        streams.add_packet("o_dx", result.dx[0], error=error)
        streams.add("o_gradients", dgamma=result.dgamma[0], dbeta=result.dbeta[0], error=error)
    back = sendings(dataclasses.replace(config, direction="backward"))
    return streams.finished({"i": sendings(config), "i_x": back, "i_dy": back}), len(sent)


def _known(golden: Contract, mean: int, spread: int) -> dict[str, int]:
    """The averages that a unit of the norm has."""
    return {"mean": mean, "spread": spread} if golden.traits.centred else {"spread": spread}


def _running(mean: int, spread: int) -> Running:
    """The averages of one channel, as they are stored."""
    return Running(np.array([mean], dtype=object), np.array([spread], dtype=object))


def _spread(golden: Contract, channel: Channel) -> int:
    """The spread of a channel as an average that has come to rest."""
    shift = golden.Gr - int(channel.result.r_exponent[0])
    spread = int(channel.result.r_mantissa[0]) << max(0, shift) >> max(0, -shift)
    return min(spread, 1 << (golden.width + golden.Gr))


def _whole(golden: Contract, channel: Channel) -> np.ndarray:
    """What the unit takes a packet for: its samples, as many as there should be, zeros for those that are missing."""
    count = golden.counts[channel.select]
    return np.concatenate([channel.x[:count], np.zeros(max(0, count - len(channel.x)), channel.x.dtype)])
