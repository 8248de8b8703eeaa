"""Exercises of every operator with numbers that find errors: the edges of every format, then random ones."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from l1bn_golden import Contract, gradients, integer

from . import exercises
from .edges import channels, integers
from .exercises import Arguments, Exercise, count_of, per_channel, per_item
from .packets import Integers, packets
from .traffic import Columns

__all__ = ["EXERCISES"]

ITEMS = 120
"""Items for an operator that takes one at a time."""


def _channels(arguments: Arguments, seed: int, count: int) -> Integers:
    patterns = channels(np.random.default_rng(seed), arguments["width"], count)
    return np.stack(list(patterns.values()))


def _of_channels(make: Callable[[Arguments, Integers], Exercise]) -> Callable[[Arguments, int], Exercise]:
    """An exercise of channels alone, with a channel of every kind."""
    return lambda arguments, seed: make(arguments, _channels(arguments, seed, count_of(arguments)))


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
    return per_channel(arguments, x, expected, i_mean={"floor": floors, "whole": whole})


def centred_square_accumulator(arguments: Arguments, seed: int) -> Exercise:
    x = _channels(arguments, seed, arguments["count"])
    sums = integer.channel_sum(x)
    floors = [total // x.shape[1] for total in sums]
    expected = {
        "square_sum": integer.centred_square_sum(x, floors),
        "centred_sum": [total % x.shape[1] for total in sums],
    }
    return per_channel(arguments, x, expected, i_floor={"value": floors})


def divide_by_constant(arguments: Arguments, seed: int) -> Exercise:
    return exercises.divide_by_constant(arguments, integers(random.Random(seed), arguments["width"], True, ITEMS))


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
    return per_item({"dividend": dividends, **select}, {"quotient": quotients, **select})


def divider(arguments: Arguments, seed: int) -> Exercise:
    """Quotients of every size; some that do not fit, which overflow."""
    draw = random.Random(seed)
    width, divisor_width = arguments["dividend_width"], arguments["divisor_width"]
    dividends = integers(draw, width, False, ITEMS)
    divisors = [max(1, value) for value in integers(draw, divisor_width, False, ITEMS)]
    draw.shuffle(divisors)
    return exercises.divider(arguments, dividends, divisors)


def square_root(arguments: Arguments, seed: int) -> Exercise:
    width = arguments["width"]
    draw = random.Random(seed)
    squares = [root**2 for root in integers(draw, width // 2, False, ITEMS // 4)]
    around = [near for square in squares for near in (square - 1, square) if near >= 0]
    radicands = around + integers(draw, width, False, ITEMS - len(around))
    return exercises.square_root(arguments, radicands)


def normalizer(arguments: Arguments, seed: int) -> Exercise:
    width, radix = arguments["width"], arguments.get("radix_bits", 1)
    values = [max(1, value) for value in integers(random.Random(seed), width, False, ITEMS)]
    zeros = [(width - value.bit_length()) // radix for value in values]
    mantissas = [value << (radix * places) for value, places in zip(values, zeros, strict=True)]
    return per_item({"value": values}, {"mantissa": mantissas, "zeros": zeros})


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
    return exercises.scale(contract, gammas, found.r_mantissa.tolist(), found.r_exponent.tolist())


def offset(arguments: Arguments, seed: int) -> Exercise:
    contract = Contract.from_parameters(arguments)
    draw = random.Random(seed)
    means = integers(draw, contract.width + contract.G, True, ITEMS)
    scales = integers(draw, contract.scale_width, False, ITEMS)
    draw.shuffle(scales)
    negatives = [draw.random() < 0.5 for _ in means]
    return exercises.offset(contract, scales, negatives, means)


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
    constants = {"scale": scales, "negative": negatives, "shift": shifts, "mean": means, "beta": betas}
    errors = np.array([draw.random() < 0.3 for _ in range(len(x) * count // lanes)])
    flags = [draw.random() < 0.3 for _ in range(len(x))]
    return exercises.affine(contract, x, constants, errors, flags)


def multiplier(arguments: Arguments, seed: int) -> Exercise:
    draw = random.Random(seed)
    shapes = [arguments[name] for name in ("a_shape", "b_shape", "c_shape")]
    a, b, c = (integers(draw, width, signed, ITEMS) for width, signed in shapes)
    draw.shuffle(b)
    draw.shuffle(c)
    products = [x * y + z for x, y, z in zip(a, b, c, strict=True)]
    return per_item({"a": a, "b": b, "c": c}, {"value": products})


def gradient_sums(arguments: Arguments, seed: int) -> Exercise:
    count, lanes = arguments["count"], arguments["lanes"]
    x = _channels(arguments, seed, count)
    # dy is of another kind than x.
    dy = np.roll(_channels({"width": arguments["gradient_width"]}, seed + 1, count), 5, axis=0)
    draw = np.random.default_rng(seed)
    varies = draw.random((len(x), count // lanes)) < draw.choice([0, 2 * lanes / count, 1], (len(x), 1))
    beats = packets(dy, lanes)
    inputs = {"x": packets(x, lanes)["data"], "dy": beats["data"], "varies": varies.ravel(), "last": beats["last"]}
    expected = {
        "gradient_sum": integer.channel_sum(dy),
        "product_sum": integer.product_sum(x, dy),
        "varies": varies.any(axis=1),
    }
    return Exercise({"i": inputs}, {"o": expected}, "channel")


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
    return Exercise({"i": inputs}, {"o": {"value": expected}}, "held")


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
    return per_item(inputs, {"value": expected})


EXERCISES: dict[str, Callable[[Arguments, int], Exercise]] = {
    "Affine": affine,
    "Centre": centre,
    "CentredSquareAccumulator": centred_square_accumulator,
    "DeviationSums": deviation_sums,
    "DivideByConstant": divide_by_constant,
    "DivideByCount": divide_by_count,
    "ExtremesAccumulator": _of_channels(exercises.extremes_accumulator),
    "GradientSums": gradient_sums,
    "IterativeDivider": divider,
    "IterativeSquareRoot": square_root,
    "Normalizer": normalizer,
    "Offset": offset,
    "PipelinedDivider": divider,
    "PipelinedSquareRoot": square_root,
    "Projection": projection,
    "Scale": scale,
    "SequentialMultiplier": multiplier,
    "SignAbsAccumulator": _of_channels(exercises.sign_abs_accumulator),
    "SquareAccumulator": _of_channels(exercises.square_accumulator),
    "SumAccumulator": _of_channels(exercises.sum_accumulator),
}
