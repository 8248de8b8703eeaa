"""What a backward unit reads: pairs of packets, statistics that can be relied on, and the side of each x."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.numbers.backward_formats import BackwardFormats
from l1bn.streams.paired_packets import (
    PairedPackets,
    Sides,
    StatisticsGuard,
    sides_of_the_mean,
    sides_of_zero,
)
from l1bn_vectors.packets import packets

from ..bench import PAUSES, Bench, exercise, periods
from .test_guard import guarded, traffic

CASES = {
    "one count": Configuration(direction="backward", width=6, dy_width=9, counts=(6,)),
    "a beat": Configuration(direction="backward", width=8, counts=(4,), lanes=4, storage="outside"),
    "counts": Configuration(direction="backward", width=5, dy_width=8, counts=(8, 2, 10), lanes=2),
    "no mean": Configuration(direction="backward", norm="rms", width=8, counts=(8, 4), storage="outside"),
}


def formats_of(case: str) -> tuple[BackwardFormats, int]:
    config = CASES[case]
    return BackwardFormats(config), 2 if config.storage == "outside" else 1


def samples(draw: np.random.Generator, width: int, length: int) -> np.ndarray:
    return draw.integers(-(1 << (width - 1)), 1 << (width - 1), length)


@pytest.mark.parametrize(("idle", "stall"), PAUSES)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_pairs(case: str, exact: bool, idle: float, stall: float, seed: int) -> None:
    """Each packet is cut or filled up on its own; a pair has the count of its x, and the errors of both."""
    formats, sendings = formats_of(case)
    config, beats = formats.config, formats.beats
    selects, x_lengths = traffic(seed, config.lanes, beats, sendings, exact)
    _, dy_lengths = traffic(seed + 1, config.lanes, beats, sendings, exact)
    draw = np.random.default_rng(seed)
    xs = [samples(draw, config.width, length * config.lanes) for length in x_lengths]
    dys = [samples(draw, config.dy_width, length * config.lanes) for length in dy_lengths]
    wanted = [beats[select] for select in selects]
    right_x, wrong_x = guarded(xs, wanted, config.lanes)
    right_dy, wrong_dy = guarded(dys, wanted, config.lanes)
    device = PairedPackets(formats, sendings)
    bench = Bench(device, idle=idle, stall=stall, seed=seed)
    for select, x, dy in zip(selects, xs, dys, strict=True):
        bench.send_packet("i_x", x.reshape(-1, config.lanes), select)
        bench.send("i_dy", **packets([dy], config.lanes))
    pair = packets(right_x, config.lanes)
    of_packet = np.repeat(np.arange(len(wanted)), wanted)
    bench.expect(
        "o",
        x=pair["data"],
        dy=packets(right_dy, config.lanes)["data"],
        last=pair["last"],
        select=np.array(selects)[of_packet],
        number=of_packet % sendings,
        error=np.ma.masked_array((np.array(wrong_x) | np.array(wrong_dy))[of_packet], mask=~pair["last"]),
    )
    bench.run()
    if exact and not idle and not stall:
        assert periods(bench.sinks["o"].taken) == {1}
        assert bench.sinks["o"].taken[0] == bench.sources["i_x"].accepted[0] + device.latency


@pytest.mark.parametrize("case", CASES)
def test_statistics(case: str, seed: int) -> None:
    """A spread that no forward unit gives counts as the smallest mantissa at the nearest exponent, and is marked."""
    formats, _ = formats_of(case)
    draw = random.Random(seed)
    exponents, top = formats.r_exponents, 1 << (formats.mantissa_width - 1)
    low, high = -(1 << (formats.r_exponent_shape.width - 1)), (1 << (formats.r_exponent_shape.width - 1)) - 1
    sent, expected = [], []
    for r_exponent in [*range(low, high + 1), *range(low, high + 1)]:
        for r_mantissa in (top, 2 * top - 1, top - 1, 0, draw.randrange(2 * top)):
            error = draw.getrandbits(1)
            sent.append((r_mantissa, r_exponent, error))
            good = r_mantissa >= top and r_exponent in exponents
            nearest = min(max(r_exponent, exponents[0]), exponents[-1])
            expected.append((r_mantissa if good else top, nearest, error or not good))
    device = StatisticsGuard(formats)
    others = {
        field.name: [draw.randint(*field.limits) for _ in sent]
        for field in Bench(device).sources["i"].payload.fields
        if field.name not in ("r_mantissa", "r_exponent", "error")
    }
    names = ("r_mantissa", "r_exponent", "error")
    columns = {name: list(values) for name, values in zip(names, zip(*sent, strict=True), strict=True)}
    found = {name: list(values) for name, values in zip(names, zip(*expected, strict=True), strict=True)}
    bench = exercise(
        lambda: StatisticsGuard(formats), {"i": columns | others}, {"o": found | others}, seed
    )
    assert bench.sinks["o"].taken[0] == bench.sources["i"].accepted[0] + device.latency


@pytest.mark.parametrize(("idle", "stall"), PAUSES)
@pytest.mark.parametrize("case", CASES)
def test_sides(case: str, idle: float, stall: float, seed: int) -> None:
    """sgn(x - mean) as exact rationals have it, in every pass; the statistics go on with the end of the first."""
    formats, sendings = formats_of(case)
    config = formats.config
    centred = config.traits.centred
    draw, pick = np.random.default_rng(seed), random.Random(seed)
    half, fraction = 1 << (config.width - 1), formats.guard_bits if centred else 0
    selects = [index % len(config.counts) for index in range(24)]
    means = [0] * len(selects)
    if centred:  # at an integer as often as between two
        means = [pick.randrange(-half << fraction, half << fraction) >> low << low for low in 12 * [0, fraction]]
    errors = [pick.random() < 0.3 for _ in range(len(selects) * sendings)]
    known = [pick.random() < 0.2 for _ in selects]
    device: Sides = (sides_of_the_mean if centred else sides_of_zero)(formats, sendings)
    bench = Bench(device, idle=idle, stall=stall, seed=seed)
    fields = {field.name: field for field in bench.sources["i_stats"].payload.fields}
    for index, (select, mean) in enumerate(zip(selects, means, strict=True)):
        stats = {name: [pick.randint(*field.limits)] for name, field in fields.items()}
        stats |= {"error": [known[index]], **({"mean": [mean]} if centred else {})}
        bench.send("i_stats", **stats)
        passes = errors[index * sendings : (index + 1) * sendings]
        bench.expect("o_stats", **{**stats, "error": [known[index] or passes[0]]}, select=[select])
        shape = (config.counts[select] // config.lanes, config.lanes)
        for number, error in enumerate(passes):
            x, dy = samples(draw, config.width, shape), samples(draw, config.dy_width, shape)
            x[0, 0] = mean >> fraction
            last = np.arange(len(x)) == len(x) - 1
            same = {"x": x, "dy": dy, "last": last, "error": error & last}
            same |= {"select": np.full(len(x), select), "number": np.full(len(x), number)}
            bench.send("i", **same)
            difference = [[Fraction(int(each)) - Fraction(mean, 1 << fraction) for each in beat] for beat in x]
            side = np.array([[(each > 0) + 2 * (each == 0) for each in beat] for beat in difference])
            bench.expect("o", **same, side=side)
    bench.run()
    if not idle and not stall and sendings * min(formats.beats) > 1:  # statistics take a register for two cycles
        assert periods(bench.sinks["o"].taken) == {1}
