"""The forward units against the golden model: every output bit, every statistic, every cycle."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from l1bn.channels.turns import ALONE
from l1bn.config import Configuration
from l1bn.norms import NORMS
from l1bn.units import unit
from l1bn_golden import Contract
from l1bn_vectors.forward import ForwardChannel, forward_traffic

from ..bench import UnitBench, shuffled
from ..edge_channels import channels

FORMS: dict[str, dict[str, Any]] = {
    "l1": {"norm": "l1"},
    "l2-one-pass": {"norm": "l2", "form": "one-pass"},
    "l2-two-pass": {"norm": "l2", "form": "two-pass"},
    "range": {"norm": "range"},
    "rms": {"norm": "rms"},
    "mean-absolute": {"norm": "mean-absolute"},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "inside": {"width": 16, "counts": (32,)},
    "outside": {"width": 8, "counts": (16,), "lanes": 2, "storage": "outside"},
    "mixed counts": {"width": 12, "counts": (12, 16, 5), "epsilon": 0.1},
    "mixed counts outside": {"width": 7, "counts": (4, 12, 8), "lanes": 4, "storage": "outside"},
    "one beat": {"width": 6, "counts": (8,), "lanes": 8},
    "one beat outside": {"width": 6, "counts": (2, 6), "lanes": 2, "storage": "outside"},
    "narrowest": {"width": 4, "counts": (64,), "lanes": 4, "scale_width": 8, "gamma_width": 2},
    "widest": {"width": 32, "counts": (24,), "lanes": 2, "scale_width": 24, "gamma_width": 32},
    "no guard bits": {"width": 8, "counts": (20,), "lanes": 2, "guard_bits": 0},
    "three guard bits": {"width": 9, "counts": (16, 32), "guard_bits": 3, "y_width": 12, "y_fraction": 11},
    "narrow y": {"width": 14, "counts": (8,), "y_width": 4, "y_fraction": 0, "beta_width": 2, "epsilon": 0.0},
    "long": {"width": 8, "counts": (128,)},
}

IN_TURNS = ("inside", "mixed counts", "one beat", "widest")
"""Variants with several of what works once a channel, as many as the default asks for; the others have one of each."""

CASES = {
    f"{form}, {variant}": {**FORMS[form], **VARIANTS[variant], **({} if variant in IN_TURNS else {"interval": ALONE})}
    for variant in VARIANTS
    for form in FORMS
    if "guard_bits" not in VARIANTS[variant] or NORMS[FORMS[form]["norm"]].centred
}
# What the norms have in common is timed with some of them.
TIMED = [
    name
    for name in CASES
    if NORMS[CASES[name]["norm"]].centred or name.endswith((", inside", "counts", "counts outside", "widest"))
]
STEADY = {"inside": 5, "outside": 3}
"""Channels in a row, of which the last three have to be exactly as far apart as stated."""


class ForwardBench(UnitBench):
    """A forward unit, and channels on their way through it."""

    traffic = staticmethod(forward_traffic)


def parameters(config: Configuration, seed: int) -> Iterable[tuple[int, int]]:
    """Gammas and betas: the ends of their ranges, 0, and any others."""
    gammas = shuffled(seed, config.gamma_width, True, 17)
    betas = shuffled(seed + 1, config.beta_width, True, 19)
    return zip(cycle(gammas), cycle(betas), strict=False)


def every_kind(config: Configuration, seed: int) -> list[ForwardChannel]:
    """A channel of every edge kind and of some random ones, the counts in turn."""
    counts = config.counts
    golden = Contract.from_parameters(config.to_mapping())
    rows = channels(seed, config.width, counts)
    selects = cycle(range(len(counts)))
    chosen = zip(rows, parameters(config, seed), selects, strict=False)
    return [ForwardChannel(golden, row, gamma, beta, select) for row, (gamma, beta), select in chosen]


def any_samples(config: Configuration, seed: int, count: int, number: int, select: int) -> list[ForwardChannel]:
    rng = np.random.default_rng([seed, count, select])
    low, high = -(1 << (config.width - 1)), 1 << (config.width - 1)
    chosen = zip(range(number), parameters(config, seed), strict=False)
    golden = Contract.from_parameters(config.to_mapping())
    return [ForwardChannel(golden, rng.integers(low, high, count), gamma, beta, select) for _, (gamma, beta) in chosen]


@pytest.mark.parametrize("name", TIMED)
def test_timing(name: str, seed: int) -> None:
    """Latency and cycles per channel are exactly as stated, for each of the counts; every value is right.

    There is one of everything: several in turns have the distances of ``test_rate.py``.
    """
    device = unit(Configuration(**{**CASES[name], "interval": ALONE}))
    bench = ForwardBench(device, seed=seed)
    config = device.config
    steady = STEADY[config.storage]
    for select, count in enumerate(config.counts):
        bench.pass_through(any_samples(config, seed, count, steady, select))
        # Until the unit, which took some channels ahead, is idle again.
        ahead = steady - 2
        bench.pause(
            "i", max(map(device.latency, config.counts)) + ahead * device.cycles_per_channel(count)
        )
    bench.run()

    accepted, taken = (
        np.array(cycles) for cycles in (bench.sources["i"].accepted, bench.sinks["o"].taken)
    )
    for select, count in enumerate(config.counts):
        beats, sent = bench.beats(select), bench.config.sendings * bench.beats(select)
        into, accepted = np.split(accepted, [steady * sent])
        out, taken = np.split(taken, [steady * beats])
        assert out[0] - into[0] == device.latency(count)
        periods = np.diff(out[::beats])
        assert set(periods[-2:].tolist()) == {device.cycles_per_channel(count)}
        if device.cycles_per_channel(count) == beats:
            assert set(np.diff(into).tolist()) == set(np.diff(out).tolist()) == {1}


def test_some_units_take_a_beat_a_cycle() -> None:
    """The cases have units of both kinds: held up by what they do per channel, and never held up."""
    for form in FORMS:
        held_up = {
            device.cycles_per_channel(count) > count // device.config.lanes
            for device in (
                unit(Configuration(**{**case, "interval": ALONE}))
                for name, case in CASES.items()
                if name.startswith(f"{form},")
            )
            if device.config.storage == "inside"
            for count in device.config.counts
        }
        assert held_up == {True, False}, form


@pytest.mark.parametrize("name", CASES)
def test_values(name: str, seed: int) -> None:
    """Channels of every kind, packets of wrong length among them, with pauses on all sides."""
    device = unit(Configuration(**CASES[name]))
    bench = ForwardBench(device, idle=0.25, stall=0.25, seed=seed)
    bench.pass_through(every_kind(device.config, seed))
    bench.pass_through(wrong_lengths(device.config, seed))
    bench.run()


def wrong_lengths(config: Configuration, seed: int) -> list[ForwardChannel]:
    """Packets too short and too long, alone and in a row, with right ones after them; the counts in turn."""
    lanes = config.lanes
    work: list[ForwardChannel] = []
    kinds = ("short", "long", "right", "one beat", "one beat", "longest", "right", "longer", "right")
    for index, kind in enumerate(kinds):
        select = index % len(config.counts)
        count = config.counts[select]
        lengths = {
            "short": max(count - lanes, lanes),
            "right": count,
            "long": count + lanes,
            "one beat": lanes,
            "longer": 2 * count + lanes,
            "longest": 3 * count,
        }
        work += any_samples(config, seed + index, lengths[kind], 1, select)
    return work


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("slow", ["i", "i_affine", "o", "o_stats"])
def test_one_slow_stream(form: str, slow: str, seed: int) -> None:
    """A stream that hardly moves holds the others up and loses nothing."""
    device = unit(Configuration(**FORMS[form], width=6, counts=(8,)))
    rate = 0.9 if slow in ("i", "o") else 0.89
    bench = ForwardBench(device, idle={slow: rate}, stall={slow: rate}, seed=seed)
    bench.pass_through(every_kind(device.config, seed)[:9])
    bench.run()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("storage", ["inside", "outside"])
def test_late_parameters_and_statistics(form: str, storage: str, seed: int) -> None:
    """Samples run in until the unit is full; gamma and beta, and who reads the statistics, come long after."""
    device = unit(Configuration(**FORMS[form], width=6, counts=(4, 6), lanes=2, storage=storage))
    bench = ForwardBench(device, seed=seed)
    late = 600
    bench.pause("i_affine", late)
    bench.sinks["o_stats"].stall = (cycle < 2 * late for cycle in range(1 << 30))
    bench.pass_through(every_kind(device.config, seed)[:9])
    bench.run()
    assert min(bench.sinks["o"].taken) > late
    assert min(bench.sinks["o_stats"].taken) > 2 * late
    # A unit that gives no statistics away stops, and does not drop them.
    assert sum(taken <= 2 * late for taken in bench.sinks["o"].taken) < len(
        bench.sinks["o"].taken
    )


@pytest.mark.parametrize("form", FORMS)
def test_one_wrong_pass(form: str, seed: int) -> None:
    """When only one pass of a replayed channel has the wrong length, that channel is marked and no other."""
    config = Configuration(**FORMS[form], width=6, counts=(12, 20), lanes=2, storage="outside")
    device = unit(config)
    bench = ForwardBench(device, idle=0.2, stall=0.2, seed=seed)
    draw = random.Random(seed)
    for round_, wrong_pass in enumerate([*range(bench.config.sendings)] * 4):
        select = round_ % 2
        good, bad = any_samples(config, seed + round_, config.counts[select], 2, select)
        for index in range(bench.config.sendings):
            samples = bad.x
            if index == wrong_pass:
                samples = samples[:-2] if draw.random() < 0.5 else np.concatenate([samples, samples[:6]])
            bench.send_packet("i", samples.reshape(-1, 2), select)
        bench.send("i_affine", gamma=[bad.gamma], beta=[bad.beta])
        # The statistics are on their way before the last pass ends.
        expect_marked(bench, select, known_early=wrong_pass < bench.config.sendings - 1)
        bench.pass_through([good])
    bench.run()


def expect_marked(bench: ForwardBench, select: int, known_early: bool) -> None:
    """A full packet of y, whatever it says, with the flag; and statistics with or without it."""
    anything = np.ma.masked_all((bench.beats(select), bench.config.lanes), dtype=np.int64)
    bench.expect_packet("o", anything, error=True)
    names = [name for name, _ in bench.device.o_stats.payload.shape() if name not in ("select", "error")]
    unknown = {name: np.ma.masked_all(1, dtype=np.int64) for name in names}
    bench.expect("o_stats", **unknown, select=[select], error=[known_early])
