"""Words for the test bench of a backward unit: channels with gradients, and what the golden model makes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from amaranth.lib import data, wiring

from l1bn_golden import Contract, backward

from .vectors import SEED, Channel, Words, beats, channels, pack, sendings, statistics_of, words_of

__all__ = ["backward_words", "random_gradients"]


def backward_words(unit: wiring.Component) -> tuple[dict[str, Words], int]:
    """What goes into the streams of a backward unit and has to come out of them, and how many channels that is."""
    config = unit.config
    sent = channels(config)
    layouts: dict[str, data.StructLayout] = {
        name: member.signature.members["payload"].shape for name, member in unit.signature.members.items()
    }
    words: dict[str, list[int]] = {name: [] for name in layouts}
    for channel, dy in zip(sent, random_gradients(config.dy_width, sent), strict=True):
        tag = {"select": channel.select} if len(config.counts) > 1 else {}
        for name, samples, more in (("i_x", channel.x, tag), ("i_dy", dy, {})):
            words[name] += [
                pack(layouts[name], {"data": beat, "last": last, **more})
                for beat, last in beats(samples, config.lanes)
            ]
        words["i_stats"].append(pack(layouts["i_stats"], {**statistics_of(channel), "error": 0}))
        words["i_gamma"].append(pack(layouts["i_gamma"], {"gamma": channel.gamma}))
        result = backward(
            Contract.from_parameters(config.to_mapping()),
            channel.x[None, :],
            dy[None, :],
            channel.gamma,
            channel.result,
            config.counts[channel.select],
        )
        error = channel.error or bool(result.flagged[0])
        for beat, last in beats(result.dx[0], config.lanes):
            words["o"].append(pack(layouts["o"], {"data": beat, "last": last, "error": last and error}))
        gradients = {"dgamma": result.dgamma[0], "dbeta": result.dbeta[0], "error": error}
        words["o_gradients"].append(pack(layouts["o_gradients"], gradients))
    times = {"i_x": sendings(config), "i_dy": sendings(config)}
    return {name: words_of(layouts[name], words[name], times.get(name, 1)) for name in layouts}, len(sent)


def random_gradients(width: int, sent: Sequence[Channel]) -> list[np.ndarray]:
    """A dy of the right length for each channel."""
    rng = np.random.default_rng(SEED + 1)
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    return [rng.integers(low, high, len(channel.y)) for channel in sent]
