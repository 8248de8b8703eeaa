"""The backward units against the golden model: every output bit, every gradient, every cycle."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, repeat
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Shape

from l1bn.channels.turns import ALONE
from l1bn.config import Configuration
from l1bn.norms import NORMS
from l1bn.numbers.backward_formats import BackwardFormats
from l1bn.units import unit
from l1bn.units import unit as forward_unit
from l1bn.units.backward import BackwardBatchNorm
from l1bn_golden import Contract
from l1bn_vectors.backward import BackwardChannel, backward_inputs, backward_traffic

from ..bench import UnitBench, shuffled
from ..edge_channels import channels

VARIANTS: dict[str, dict[str, Any]] = {
    "inside": {"width": 16, "counts": (16,), "scale_width": 8, "gamma_width": 8},
    "outside": {"width": 8, "counts": (8,), "lanes": 4, "storage": "outside", "scale_width": 10},
    "mixed counts": {"width": 10, "dy_width": 6, "dx_width": 9, "counts": (12, 16, 5), "epsilon": 0.1},
    "mixed counts outside": {
        **{"width": 5, "dy_width": 7, "counts": (4, 12), "lanes": 4, "storage": "outside", "guard_bits": 3},
        **{"scale_width": 8, "gamma_width": 4},
    },
    "one beat": {
        **{"target": "logic", "width": 6, "dx_width": 4, "dx_fraction": 3, "counts": (8,), "lanes": 8},
        **{"scale_width": 8},
    },
    "widest": {"width": 32, "counts": (6,), "lanes": 2, "scale_width": 24, "gamma_width": 32},
    "long": {"width": 4, "counts": (256,), "scale_width": 8, "gamma_width": 4},
}


def of_norm(norm: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a norm has."""
    left_out = set() if NORMS[norm].centred else {"guard_bits"}
    return {name: value for name, value in parameters.items() if name not in left_out}


IN_TURNS = ("inside", "mixed counts", "one beat")
"""Variants with several of what works once a channel, as many as the default asks for; the others have one of each."""

CASES = {
    f"{norm}, {variant}": {
        **{"norm": norm, "direction": "backward"},
        **of_norm(norm, VARIANTS[variant]),
        **({} if variant in IN_TURNS else {"interval": ALONE}),
    }
    for variant in VARIANTS
    for norm in NORMS
}
# What the norms have in common is timed with one of them.
TIMED = [
    name for name in CASES if name.startswith("l1") or name.endswith(("inside", "counts outside", "long"))
]
VALUED = [
    name
    for name in CASES
    if not name.endswith("long")
    and name not in ("l2, outside", "l2, mixed counts outside")
    and (name.startswith(("l1", "l2")) or name.endswith((", inside", "counts outside")))
]
NARROW: dict[str, Any] = {"direction": "backward", "width": 4, "scale_width": 8, "gamma_width": 4}
STEADY = {"inside": 4, "outside": 3}
"""Channels in a row, of which the last three have to be exactly as far apart as stated."""


class BackwardBench(UnitBench):
    """A backward unit, and channels on their way through it."""

    traffic = staticmethod(backward_traffic)


def signed_range(width: int) -> tuple[int, int]:
    return -(1 << (width - 1)), 1 << (width - 1)


def any_elements(
    config: Configuration, seed: int, counts: tuple[int, int], number: int, select: int
) -> list[BackwardChannel]:
    """Channels of so many random x and dy."""
    rng = np.random.default_rng([seed, *counts, select])
    gammas = cycle(shuffled(seed, config.gamma_width, True, 17))
    golden = Contract.from_parameters(config.to_mapping())
    return [
        BackwardChannel.of(
            golden,
            rng.integers(*signed_range(config.width), counts[0]),
            rng.integers(*signed_range(config.dy_width), counts[1]),
            next(gammas),
            select,
        )
        for _ in range(number)
    ]


def every_kind(config: Configuration, seed: int) -> list[BackwardChannel]:
    """x of every edge kind and of some random ones, dy of the others in turn, the counts in turn."""
    selects = cycle(range(len(config.counts)))
    rows = channels(seed, config.width, config.counts)
    # As many steps on as brings a dy of the same length, but of another kind.
    gradients = channels(seed + 1, config.dy_width, config.counts)
    gradients = gradients[3 * len(config.counts) :] + gradients[: 3 * len(config.counts)]
    gammas = cycle(shuffled(seed, config.gamma_width, True, 17))
    golden = Contract.from_parameters(config.to_mapping())
    found = []
    for x, dy, gamma, select in zip(rows, gradients, gammas, selects, strict=False):
        count = config.counts[select]
        found.append(BackwardChannel.of(golden, x, np.resize(dy, count), gamma, select))
    return found


def extremes(config: Configuration, seed: int) -> list[BackwardChannel]:
    """Statistics that do not belong to x, at the ends of what their fields hold, r that is none among them."""
    golden = Contract.from_parameters(config.to_mapping())
    top, exponents = 1 << (golden.T - 1), golden.r_exponents
    low, high = signed_range(config.width + golden.G)
    mantissas = cycle([top, 2 * top - 1, 0, top - 1, 2 * top - 1])
    # One step out of range on either side, where the port can tell.
    end = 1 << (BackwardFormats(config).r_exponent_shape.width - 1)
    beyond = (max(exponents[0] - 1, -end), min(exponents[-1] + 1, end - 1))
    given = cycle([exponents[-1], exponents[0], exponents[-1], *beyond, exponents[0]])
    # Of the extremes of a range the samples have the one, the other, or both.
    ranges = {name: golden.traits.statistic_range(golden, name) for name in golden.traits.statistics}
    own = {name: cycle([low, high, 0]) for name, (low, high) in ranges.items()}
    if "minimum" in own:
        own["minimum"] = cycle([*reversed(ranges["minimum"]), 0, 0])
    ends = [signed_range(config.width), signed_range(config.dy_width)]
    work = []
    for index, mean in enumerate([low, high - 1, 0, -1, high - 1, low, 12345 % high]):
        select = index % len(config.counts)
        count = config.counts[select]
        x, dy = (np.full(count, end[index % 2] - index % 2, dtype=np.int64) for end in ends)
        if index % 3 == 2:
            dy = dy * np.where(np.arange(count) % 2, 1, 0)
        changes = {"r_mantissa": [next(mantissas)], "r_exponent": [next(given)]}
        if config.traits.centred:
            changes["mean"] = [mean]
        changes |= {name: [next(values)] for name, values in own.items()}
        gamma = -(1 << (config.gamma_width - 1)) + (index & 1)
        channel = BackwardChannel.of(golden, x, dy, gamma, select)
        work.append(replace(channel, statistics=channel.statistics.but(changes)))
    return work


def wrong_lengths(config: Configuration, seed: int) -> list[BackwardChannel]:
    """Packets too short and too long, of x, of dy and of both, with right ones after them; the counts in turn."""
    lanes = config.lanes
    kinds = [
        ("short", "right"),
        ("right", "long"),
        ("right", "right"),
        ("one beat", "longer"),
        ("right", "right"),
    ]
    work: list[BackwardChannel] = []
    for index, kind in enumerate(kinds):
        select = index % len(config.counts)
        count = config.counts[select]
        lengths = {
            "short": max(count - lanes, lanes),
            "right": count,
            "long": count + lanes,
            "one beat": lanes,
            "longer": 2 * count + lanes,
        }
        work += any_elements(config, seed + index, (lengths[kind[0]], lengths[kind[1]]), 1, select)
    return work


@pytest.mark.parametrize("name", TIMED)
def test_timing(name: str, seed: int) -> None:
    """Latency and cycles per channel are exactly as stated, for each of the counts; every value is right.

    There is one of everything: several in turns have the distances of ``test_rate.py``.
    """
    device = unit(Configuration(**{**CASES[name], "interval": ALONE}))
    assert isinstance(device, BackwardBatchNorm)
    bench = BackwardBench(device, patience=4000, seed=seed)
    config = device.config
    steady = STEADY[config.storage]
    for select, count in enumerate(config.counts):
        # Until the unit, which took some channels ahead, is idle again and holds the next statistics.
        idle = max(map(device.latency, config.counts)) + steady * device.cycles_per_channel(count)
        bench.pause("i_x", idle if select else 9)
        bench.pass_through(any_elements(config, seed, (count, count), steady, select))
    bench.run()

    accepted, taken = (
        np.array(cycles) for cycles in (bench.sources["i_x"].accepted, bench.sinks["o"].taken)
    )
    for select, count in enumerate(config.counts):
        beats = bench.beats(select)
        into, accepted = np.split(accepted, [steady * device.sendings * beats])
        out, taken = np.split(taken, [steady * beats])
        assert out[0] - into[0] == device.latency(count)
        assert set(np.diff(out[::beats])[-2:].tolist()) == {device.cycles_per_channel(count)}
        if device.cycles_per_channel(count) == beats:
            assert set(np.diff(into).tolist()) == set(np.diff(out).tolist()) == {1}


@pytest.mark.parametrize("norm", NORMS)
def test_some_units_take_a_beat_a_cycle(norm: str) -> None:
    """The cases have units of both kinds: held up by what they do per channel, and never held up."""
    held_up = {
        device.cycles_per_channel(count) > count // device.config.lanes
        for device in (
            unit(Configuration(**{**case, "interval": ALONE})) for case in CASES.values() if case["norm"] == norm
        )
        if device.config.storage == "inside"
        for count in device.config.counts
    }
    assert held_up == {True, False}


@pytest.mark.parametrize("name", VALUED)
def test_values(name: str, seed: int) -> None:
    """Channels of every kind, statistics that are none, packets of wrong length, with pauses on all sides."""
    device = unit(Configuration(**CASES[name]))
    assert isinstance(device, BackwardBatchNorm)
    bench = BackwardBench(device, patience=4000, idle=0.25, stall=0.25, seed=seed)
    kinds = every_kind(device.config, seed)
    bench.pass_through(kinds[:: 1 if name.endswith("inside") else 5])
    bench.pass_through(extremes(device.config, seed))
    if not name.endswith("widest"):
        bench.pass_through(wrong_lengths(device.config, seed))
    bench.run()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("slow", ["i_x", "i_dy", "i_stats", "i_gamma", "o", "o_gradients"])
def test_one_slow_stream(norm: str, slow: str, seed: int) -> None:
    """A stream that hardly moves holds the others up and loses nothing; the unit waits for statistics."""
    device = unit(Configuration(**NARROW, norm=norm, counts=(4, 6), lanes=2))
    assert isinstance(device, BackwardBatchNorm)
    rates = {slow: 0.9 if slow in ("i_x", "i_dy", "o") else 0.0}
    bench = BackwardBench(device, patience=4000, idle=rates, stall=rates, seed=seed)
    late = 0 if rates[slow] else 700
    if slow in bench.sources:
        bench.pause(slow, late)
    else:
        bench.sinks[slow].stall = (
            (late > cycle for cycle in range(1 << 30)) if late else repeat(False)
        )
    bench.pass_through(any_elements(device.config, seed, (4, 4), 2, 0))
    bench.pass_through(any_elements(device.config, seed, (6, 6), 1, 1))
    bench.run()
    if slow in ("i_stats", "i_gamma"):
        assert min(bench.sinks["o"].taken) > late


@pytest.mark.parametrize("norm", NORMS)
def test_one_wrong_pass(norm: str, seed: int) -> None:
    """When one pass of a replayed channel has the wrong length, that channel is marked and no other."""
    device = unit(Configuration(**NARROW, norm=norm, counts=(4, 6), lanes=2, storage="outside"))
    assert isinstance(device, BackwardBatchNorm)
    bench = BackwardBench(device, patience=4000, idle=0.2, stall=0.2, seed=seed)
    for wrong_pass in range(2):
        good, bad = any_elements(device.config, seed + wrong_pass, (6, 6), 2, 1)
        for index in range(2):
            length = 6 - 2 * (index == wrong_pass)
            x, dy = (bad.x[:length], bad.dy) if wrong_pass else (bad.x, bad.dy[:length])
            bench.send_packet("i_x", x.reshape(-1, 2), bad.select)
            bench.send_packet("i_dy", dy.reshape(-1, 2))
        inputs = backward_inputs([bad], sendings=2)
        bench.send("i_stats", **inputs["i_stats"])
        bench.send("i_gamma", **inputs["i_gamma"])
        anything = np.ma.masked_all(1, dtype=np.int64)
        # The gradients are on their way before the last pass ends.
        bench.expect("o_gradients", dgamma=anything, dbeta=anything, error=[wrong_pass == 0])
        bench.expect_packet("o", np.ma.masked_all((3, 2), dtype=np.int64), error=True)
        bench.pass_through([good])
    bench.run()


@pytest.mark.parametrize("norm", NORMS)
def test_a_sum_of_many_is_far_wider_than_a_product(norm: str, seed: int) -> None:
    """What a unit for long channels subtracts from dy may be wider than dy * k: for Range, a sum over the channel."""
    device = unit(Configuration(**NARROW, norm=norm, counts=(4, 1 << 18), storage="outside"))
    assert isinstance(device, BackwardBatchNorm)
    bench = BackwardBench(device, patience=4000, seed=seed)
    bench.pass_through(any_elements(device.config, seed, (4, 4), 6, 0))
    bench.run()


def test_statistics_of_a_forward_unit_fit() -> None:
    """Every field that a backward unit takes, the forward unit of the same configuration gives in the same shape."""
    for norm in NORMS:
        config = Configuration(norm=norm, counts=(12, 8))
        given = dict(forward_unit(config).o_stats.payload.shape())
        for name, field in unit(replace(config, direction="backward")).i_stats.payload.shape():
            assert given[name].shape == field.shape


def test_bits_that_an_element_waits_with() -> None:
    """2 bits say of x all that the second pass of L1 needs."""
    stored = {norm: BackwardFormats(Configuration(norm=norm, dy_width=12)).stored_width for norm in NORMS}
    sided, paired = 12 + 2, 12 + 16
    assert stored == {"l1": sided, "l2": paired, "range": sided, "rms": paired, "mean-absolute": sided}
    for norm, width in stored.items():
        formats = BackwardFormats(Configuration(norm=norm, dy_width=12))
        assert Shape.cast(formats.gradient.stored(formats)).width == width + 1
