"""What every operator is fed, and what the golden model says must come out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from l1bn_golden import Contract, gradients, integer

from .stimuli import beats, channels, integers

__all__ = ["EXERCISES", "Exercise"]

Columns = Mapping[str, Any]
Arguments = Mapping[str, Any]
ITEMS = 120
"""Items for an operator that takes one at a time."""


@dataclass(frozen=True)
class Exercise:
    """Items for every input stream, and what every output stream must deliver.

    ``flow`` says how items follow each other, which decides what latency and throughput mean:
    ``item`` one result an item, ``held`` the same with an item that waits at the input until its result leaves,
    ``channel`` one result a packet, ``packet`` one beat a beat.
    """

    flow: Literal["item", "held", "channel", "packet"]
    inputs: Mapping[str, Columns]
    outputs: Mapping[str, Columns]


def _channels(arguments: Arguments, seed: int, count: int) -> np.ndarray:
    patterns = channels(np.random.default_rng(seed), arguments["width"], count)
    return np.stack(list(patterns.values()))


def _packets(samples: np.ndarray, lanes: int) -> Columns:
    data, last = beats(samples, lanes)
    return {"data": data, "last": last}


def sum_accumulator(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    return Exercise("channel", {"i": _packets(x, arguments["lanes"])}, {"o": {"sum": integer.channel_sum(x)}})


def extremes_accumulator(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    expected = {"maximum": x.max(axis=1), "minimum": x.min(axis=1)}
    return Exercise("channel", {"i": _packets(x, arguments["lanes"])}, {"o": expected})


def deviation_sums(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    sums = integer.channel_sum(x)
    floors = np.array([total // x.shape[1] for total in sums])
    whole = np.array([total % x.shape[1] == 0 for total in sums])
    distances = x - floors[:, None]
    expected = {
        "absolute_sum": abs(distances).sum(axis=1),
        "score": 2 * (distances > 0).sum(axis=1) + whole * (distances == 0).sum(axis=1),
    }
    inputs = {"i": _packets(x, arguments["lanes"]), "i_mean": {"floor": floors, "whole": whole}}
    return Exercise("channel", inputs, {"o": expected})


def sign_abs_accumulator(arguments: Arguments, seed: int) -> Exercise:
    guard_bits, lanes = arguments["guard_bits"], arguments["lanes"]
    x = _channels(arguments, seed, arguments["counts"][0])
    sums = integer.channel_sum(x)
    means = [integer.divide_by_count(total, guard_bits, x.shape[1]) for total in sums]
    deviations, sign_counts = integer.sign_abs(x, means, guard_bits)
    offset = arguments.get("offsets", [0])[0]
    inputs = {"i": _packets(x, lanes), "i_mean": {"mean": means}}
    expected = {"deviation": [deviation + offset for deviation in deviations], "sign_count": sign_counts}
    return Exercise("channel", inputs, {"o": expected})


def square_accumulator(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    expected = {"square_sum": integer.square_sum(x)}
    return Exercise("channel", {"i": _packets(x, arguments["lanes"])}, {"o": expected})


def centred_square_accumulator(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    sums = integer.channel_sum(x)
    floors = [total // x.shape[1] for total in sums]
    expected = {
        "square_sum": integer.centred_square_sum(x, floors),
        "centred_sum": [total % x.shape[1] for total in sums],
    }
    inputs = {"i": _packets(x, arguments["lanes"]), "i_floor": {"value": floors}}
    return Exercise("channel", inputs, {"o": expected})


def divide_by_constant(arguments: Arguments, seed: int) -> Exercise:
    dividends = integers(random.Random(seed), arguments["width"], True, ITEMS)
    quotients = [integer.divide_by_count(a, arguments["fraction"], arguments["count"]) for a in dividends]
    return Exercise("item", {"i": {"value": dividends}}, {"o": {"value": quotients}})


def divide_by_count(arguments: Arguments, seed: int) -> Exercise:
    draw = random.Random(seed)
    counts = arguments["counts"]
    dividends = integers(draw, arguments["width"], True, ITEMS)
    selects = [draw.randrange(len(counts)) for _ in dividends]
    select = {"select": selects} if len(counts) > 1 else {}
    quotients = [
        integer.divide_by_count(a, arguments["fraction"], counts[index])
        for a, index in zip(dividends, selects, strict=True)
    ]
    return Exercise(
        "item", {"i": {"dividend": dividends, **select}}, {"o": {"quotient": quotients, **select}}
    )


def square_root(arguments: Arguments, seed: int) -> Exercise:
    width = arguments["width"]
    draw = random.Random(seed)
    squares = [root**2 for root in integers(draw, width // 2, False, ITEMS // 4)]
    around = [near for square in squares for near in (square - 1, square) if near >= 0]
    radicands = around + integers(draw, width, False, ITEMS - len(around))
    return Exercise(
        "item",
        {"i": {"value": radicands}},
        {"o": {"value": [integer.integer_sqrt(radicand) for radicand in radicands]}},
    )


def normalizer(arguments: Arguments, seed: int) -> Exercise:
    width, radix = arguments["width"], arguments.get("radix_bits", 1)
    values = [max(1, value) for value in integers(random.Random(seed), width, False, ITEMS)]
    zeros = [(width - value.bit_length()) // radix for value in values]
    mantissas = [value << (radix * places) for value, places in zip(values, zeros, strict=True)]
    return Exercise("item", {"i": {"value": values}}, {"o": {"mantissa": mantissas, "zeros": zeros}})


def scale(arguments: Arguments, seed: int) -> Exercise:
    contract = Contract.from_parameters(arguments)
    draw = random.Random(seed)
    gammas = integers(draw, contract.gamma_width, True, ITEMS)
    # Spreads of every size that a channel can have: of one sample that is off, of a few, of all.
    sizes = integers(draw, contract.width - 1, False, ITEMS)
    x = np.zeros((ITEMS, contract.counts[0]), dtype=np.int64)
    for row, size in zip(x, sizes, strict=True):
        row[: draw.choice([1, 2, len(row) // 2])] = size
    x[len(x) // 2 :] *= -1
    found = integer.forward(contract, x, gammas, 0)
    inputs = {
        "gamma": gammas,
        "r_mantissa": found.r_mantissa.tolist(),
        "r_exponent": found.r_exponent.tolist(),
    }
    scales, shifts, negatives = found.scale.tolist(), found.shift.tolist(), found.negative.tolist()
    return Exercise("item", {"i": inputs}, {"o": {"scale": scales, "shift": shifts, "negative": negatives}})


def _offset(contract: Contract, scale: int, negative: bool, mean: int) -> int:
    """What the affine operator subtracts, with the 1 that it subtracts itself: see its docstring."""
    bias = integer.bias(contract, scale, negative, mean)
    return bias if negative else -bias - 1


def offset(arguments: Arguments, seed: int) -> Exercise:
    contract = Contract.from_parameters(arguments)
    draw = random.Random(seed)
    means = integers(draw, contract.width + contract.G, True, ITEMS)
    scales = integers(draw, contract.scale_width, False, ITEMS)
    draw.shuffle(scales)
    negatives = [draw.random() < 0.5 for _ in means]
    expected = [_offset(contract, *rest) for rest in zip(scales, negatives, means, strict=True)]
    inputs = {"mean": means, "scale": scales, "negative": negatives}
    return Exercise("item", {"i": inputs}, {"o": {"value": expected}})


def affine(arguments: Arguments, seed: int) -> Exercise:
    """The constants of real channels, then any that the formats hold."""
    contract = Contract.from_parameters(arguments)
    count, lanes = contract.counts[0], contract.lanes
    x = np.repeat(_channels({"width": contract.width}, seed, count), 2, axis=0)
    draw = random.Random(seed)
    gammas = integers(draw, contract.gamma_width, True, len(x))
    betas = integers(draw, contract.beta_width, True, len(x))
    draw.shuffle(betas)
    real = integer.forward(contract, x, gammas, betas, count)
    means, scales, shifts, negatives = (
        c.tolist() for c in (real.mean, real.scale, real.shift, real.negative)
    )
    for channel in range(1, len(x), 2):
        scales[channel] = draw.getrandbits(contract.scale_width)
        shifts[channel] = draw.randint(contract.SHIFT_MIN, contract.SHIFT_MAX) + contract.F - 1
    y = integer.affine(contract, x, means, scales, shifts, negatives, betas)
    errors = np.array([draw.random() < 0.3 for _ in range(len(y) * count // lanes)])
    constants = {
        "scale": scales,
        "negative": negatives,
        "shift": shifts,
        "offset": [_offset(contract, *rest) for rest in zip(scales, negatives, means, strict=True)],
        "beta": betas,
        "error": [draw.random() < 0.3 for _ in range(len(y))],
    }
    inputs = {"i": {**_packets(x, lanes), "error": errors}, "i_scale": constants}
    either = errors | np.repeat(constants["error"], count // lanes)
    return Exercise("packet", inputs, {"o": {**_packets(y, lanes), "error": either}})


def multiplier(arguments: Arguments, seed: int) -> Exercise:
    draw = random.Random(seed)
    shapes = [arguments[name] for name in ("a_shape", "b_shape", "c_shape")]
    a, b, c = (integers(draw, width, signed, ITEMS) for width, signed in shapes)
    draw.shuffle(b)
    draw.shuffle(c)
    products = [x * y + z for x, y, z in zip(a, b, c, strict=True)]
    return Exercise("item", {"i": {"a": a, "b": b, "c": c}}, {"o": {"value": products}})


def gradient_sums(arguments: Arguments, seed: int) -> Exercise:
    count, lanes = arguments["count"], arguments["lanes"]
    x = _channels(arguments, seed, count)
    # dy is of another kind than x.
    dy = np.roll(_channels({"width": arguments["gradient_width"]}, seed + 1, count), 5, axis=0)
    data, last = beats(dy, lanes)
    draw = np.random.default_rng(seed)
    varies = draw.random((len(x), count // lanes)) < draw.choice([0, 2 * lanes / count, 1], (len(x), 1))
    inputs = {"x": beats(x, lanes)[0], "dy": data, "varies": varies.ravel(), "last": last}
    expected = {
        "gradient_sum": integer.channel_sum(dy),
        "product_sum": integer.product_sum(x, dy),
        "varies": varies.any(axis=1),
    }
    return Exercise("channel", {"i": inputs}, {"o": expected})


def _centred(contract: Contract, draw: random.Random) -> tuple[Columns, list[int]]:
    """Sums of every size with means of every size, and C of them."""
    columns = {
        "product_sum": integers(draw, contract.width + contract.gradient_width - 1, True, ITEMS),
        "gradient_sum": integers(draw, contract.gradient_width, True, ITEMS),
        "mean": integers(draw, contract.width + contract.G, True, ITEMS),
    }
    for column in columns.values():
        draw.shuffle(column)
    rows = zip(columns["product_sum"], columns["gradient_sum"], columns["mean"], strict=True)
    return columns, [gradients.centred_products(contract, *row) for row in rows]


def centre(arguments: Arguments, seed: int) -> Exercise:
    inputs, expected = _centred(Contract.from_parameters(arguments), random.Random(seed))
    return Exercise("held", {"i": inputs}, {"o": {"value": expected}})


def projection(arguments: Arguments, seed: int) -> Exercise:
    contract = Contract.from_parameters(arguments)
    draw = random.Random(seed)
    _, centred = _centred(contract, draw)
    top = 1 << (contract.T - 1)
    mantissas = [top + value for value in integers(draw, contract.T - 1, False, ITEMS)]
    exponents = [draw.choice(contract.r_exponents) for _ in mantissas]
    exponents[:2] = contract.r_exponents[0], contract.r_exponents[-1]
    rows = zip(centred, mantissas, exponents, strict=True)
    expected = [gradients.projection(contract, *row) for row in rows]
    inputs = {"centred": centred, "r_mantissa": mantissas, "r_exponent": exponents}
    return Exercise("item", {"i": inputs}, {"o": {"value": expected}})


EXERCISES: dict[str, Callable[[Arguments, int], Exercise]] = {
    "Affine": affine,
    "Centre": centre,
    "CentredSquareAccumulator": centred_square_accumulator,
    "DeviationSums": deviation_sums,
    "DivideByConstant": divide_by_constant,
    "DivideByCount": divide_by_count,
    "ExtremesAccumulator": extremes_accumulator,
    "GradientSums": gradient_sums,
    "IterativeSquareRoot": square_root,
    "Normalizer": normalizer,
    "Offset": offset,
    "PipelinedSquareRoot": square_root,
    "Projection": projection,
    "Scale": scale,
    "SequentialMultiplier": multiplier,
    "SignAbsAccumulator": sign_abs_accumulator,
    "SquareAccumulator": square_accumulator,
    "SumAccumulator": sum_accumulator,
}
