"""Channels on their way through the units that keep or use running averages: inference and training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from l1bn_golden import Contract, backward, forward
from l1bn_golden.running import Running, fold, inference, running_start, running_update

from .channel import channel_packets
from .forward import ForwardChannel, forward_inputs
from .packets import Integers, expected_packets, packets
from .traffic import Columns, Traffic

__all__ = ["inference_traffic", "training_traffic"]


def inference_traffic(channels: Sequence[ForwardChannel]) -> Traffic:
    """The streams of an inference unit; the averages of each channel are its own statistics, come to rest."""
    golden = channels[0].contract
    averages, outputs, folded = [], [], []
    for channel in channels:
        mean, spread = int(channel.result.mean[0]), _spread(golden, channel)
        stored = _running(mean << golden.momentum_shift, spread << golden.momentum_shift)
        result = inference(golden, _whole(channel)[None], stored, channel.gamma, channel.beta)
        constants = fold(golden, stored, channel.gamma, channel.beta)
        averages.append((mean, spread))
        outputs.append(result.y[0])
        folded.append(
            {
                "scale": abs(int(constants.scale[0])),
                "negative": bool(result.negative[0]),
                "shift": constants.shift[0],
                "b": constants.bias[0],
            }
        )
    inputs = {**forward_inputs(channels, sendings=1), "i_averages": _known(golden, averages)}
    expected = expected_packets(outputs, golden.lanes, [channel.error for channel in channels])
    return Traffic(inputs, {"o": expected, "o_fold": {name: [row[name] for row in folded] for name in folded[0]}})


def training_traffic(
    channels: Sequence[ForwardChannel],
    gradients: Sequence[Integers],
    layer: int,
    sendings: tuple[int, int],
) -> Traffic:
    """The streams of a training unit after its reset.

    The channels of a ``layer`` of so many come in turn, so that each average is that of the channel a layer before.
    ``gradients`` are a dy of the right length for each channel; ``sendings``, forward and backward, as
    :attr:`l1bn.config.Configuration.sendings` of the two directions.
    """
    golden = channels[0].contract
    start = running_start(layer)
    averages = [_running(*pair) for pair in zip(start.mean, start.spread, strict=True)]
    half = (1 << golden.momentum_shift) >> 1
    whole, found, back, read = [], [], [], []
    for visit, (channel, dy) in enumerate(zip(channels, gradients, strict=True)):
        x = _whole(channel)
        seen = forward(golden, x[None], channel.gamma, channel.beta)
        place = visit % layer
        if not channel.error:
            averages[place] = running_update(golden, averages[place], seen)
        stored = averages[place]
        mean, spread = ((int(value[0]) + half) >> golden.momentum_shift for value in (stored.mean, stored.spread))
        whole.append(x)
        found.append(seen)
        read.append((mean, spread))
        back.append(backward(golden, x[None], dy[None], channel.gamma, seen, channel.count))
    late = [channel.error for channel in channels]
    errors = [error or bool(result.flagged[0]) for error, result in zip(late, back, strict=True)]
    inputs = {
        **forward_inputs(channels, sendings[0]),
        "i_x": channel_packets(channels, whole, sendings[1]),
        "i_dy": packets(gradients, golden.lanes, sendings[1]),
    }
    outputs = {
        "o": expected_packets([seen.y[0] for seen in found], golden.lanes, late),
        "o_averages": _known(golden, read),
        "o_dx": expected_packets([result.dx[0] for result in back], golden.lanes, errors),
        "o_gradients": {
            "dgamma": [result.dgamma[0] for result in back],
            "dbeta": [result.dbeta[0] for result in back],
            "error": errors,
        },
    }
    return Traffic(inputs, outputs)


def _known(golden: Contract, averages: Sequence[tuple[int, int]]) -> Columns:
    """The averages that a unit of the norm has."""
    means, spreads = zip(*averages, strict=True)
    columns: dict[str, Any] = {"mean": means} if golden.traits.centred else {}
    return {**columns, "spread": spreads}


def _running(mean: int, spread: int) -> Running:
    """The averages of one channel, as they are stored."""
    return Running(np.array([mean], dtype=object), np.array([spread], dtype=object))


def _spread(golden: Contract, channel: ForwardChannel) -> int:
    """The spread of a channel as an average that has come to rest."""
    shift = golden.Gr - int(channel.result.r_exponent[0])
    spread = int(channel.result.r_mantissa[0]) << max(0, shift) >> max(0, -shift)
    return min(spread, 1 << (golden.width + golden.Gr))


def _whole(channel: ForwardChannel) -> Integers:
    """What the unit takes a packet for: its samples, as many as there should be, zeros for those that are missing."""
    count = channel.count
    return np.concatenate([channel.x[:count], np.zeros(max(0, count - len(channel.x)), channel.x.dtype)])
