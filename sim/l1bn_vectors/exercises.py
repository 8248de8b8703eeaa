"""What an operator is fed, and what the golden model says must come out of it.

A function an operator: from its arguments, as plain data, and from samples or numbers, wherever they come from, to the
items of its streams. :mod:`l1bn_vectors.edge_exercises` has numbers that find errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from l1bn_golden import Contract, integer

from .packets import Integers, packets
from .traffic import Columns, Traffic

__all__ = [
    "Arguments",
    "Exercise",
    "affine",
    "count_of",
    "divide_by_constant",
    "divider",
    "extremes_accumulator",
    "offset",
    "per_channel",
    "per_item",
    "scale",
    "sign_abs_accumulator",
    "square_accumulator",
    "square_root",
    "sum_accumulator",
]

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Exercise(Traffic):
    """Items for every input stream, and what every output stream must deliver.

    ``flow`` says how items follow each other, which decides what latency and throughput mean:
    ``item`` one result an item, ``held`` the same with an item that waits at the input until its result leaves,
    ``channel`` one result a packet, ``packet`` one beat a beat.
    """

    flow: Literal["item", "held", "channel", "packet"]


def per_channel(arguments: Arguments, x: Integers, outputs: Columns, **inputs: Columns) -> Exercise:
    """Channels x go in, one result each comes out."""
    return Exercise({"i": packets(x, arguments["lanes"]), **inputs}, {"o": outputs}, "channel")


def per_item(inputs: Columns, outputs: Columns) -> Exercise:
    """One result an item."""
    return Exercise({"i": inputs}, {"o": outputs}, "item")


def count_of(arguments: Arguments) -> int:
    """Samples of the channels that an accumulator is fed: its count, or the first of its counts."""
    count: int = arguments["counts"][0] if "counts" in arguments else arguments["count"]
    return count


def sum_accumulator(arguments: Arguments, x: Integers) -> Exercise:
    return per_channel(arguments, x, {"sum": integer.channel_sum(x)})


def extremes_accumulator(arguments: Arguments, x: Integers) -> Exercise:
    return per_channel(arguments, x, {"maximum": x.max(axis=1), "minimum": x.min(axis=1)})


def square_accumulator(arguments: Arguments, x: Integers) -> Exercise:
    return per_channel(arguments, x, {"square_sum": integer.square_sum(x)})


def sign_abs_accumulator(arguments: Arguments, x: Integers) -> Exercise:
    guard_bits = arguments["guard_bits"]
    means = [integer.divide_by_count(total, guard_bits, x.shape[1]) for total in integer.channel_sum(x)]
    deviations, sign_counts = integer.sign_abs(x, means, guard_bits)
    first = arguments.get("offsets", [0])[0]
    outputs = {"deviation": [deviation + first for deviation in deviations], "sign_count": sign_counts}
    return per_channel(arguments, x, outputs, i_mean={"mean": means})


def divide_by_constant(arguments: Arguments, dividends: Sequence[int]) -> Exercise:
    quotients = [integer.divide_by_count(a, arguments["fraction"], arguments["count"]) for a in dividends]
    return per_item({"value": dividends}, {"value": quotients})


def divider(arguments: Arguments, dividends: Sequence[int], divisors: Sequence[int]) -> Exercise:
    """Quotient and remainder; where the quotient does not fit, nothing but the flag."""
    bits = arguments.get("quotient_width", arguments["dividend_width"])
    pairs = list(zip(dividends, divisors, strict=True))
    overflows = [not divisor or dividend // divisor >> bits > 0 for dividend, divisor in pairs]
    results = [(0, 0) if over else divmod(a, b) for (a, b), over in zip(pairs, overflows, strict=True)]
    quotients, remainders = zip(*results, strict=True)
    outputs = {
        "quotient": np.ma.masked_array(np.array(quotients, dtype=object), mask=overflows),
        "remainder": np.ma.masked_array(np.array(remainders, dtype=object), mask=overflows),
        "overflow": [int(over) for over in overflows],
    }
    return per_item({"dividend": dividends, "divisor": divisors}, outputs)


def square_root(arguments: Arguments, radicands: Sequence[int]) -> Exercise:
    return per_item({"value": radicands}, {"value": [integer.integer_sqrt(radicand) for radicand in radicands]})


def scale(
    contract: Contract, gammas: Sequence[int], mantissas: Sequence[int], exponents: Sequence[int]
) -> Exercise:
    rows = zip(gammas, mantissas, exponents, strict=True)
    scales, shifts, negatives = zip(*(integer.scale(contract, *row) for row in rows), strict=True)
    inputs = {"gamma": gammas, "r_mantissa": mantissas, "r_exponent": exponents}
    return per_item(inputs, {"scale": scales, "shift": shifts, "negative": negatives})


def offset(contract: Contract, scales: Sequence[int], negatives: Sequence[bool], means: Sequence[int]) -> Exercise:
    inputs = {"mean": means, "scale": scales, "negative": negatives}
    return per_item(inputs, {"value": _offsets(contract, scales, negatives, means)})


def affine(
    contract: Contract, x: Integers, constants: Mapping[str, Sequence[Any]], errors: Integers, flags: Sequence[bool]
) -> Exercise:
    """``constants``: scale, negative, shift, mean and beta of each channel, with ``flags``; ``errors`` of beats."""
    scales, negatives, means = constants["scale"], constants["negative"], constants["mean"]
    shifts, betas = constants["shift"], constants["beta"]
    y = integer.affine(contract, x, means, scales, shifts, negatives, betas)
    of_channels = {
        "scale": scales,
        "negative": negatives,
        "shift": shifts,
        "offset": _offsets(contract, scales, negatives, means),
        "beta": betas,
        "error": flags,
    }
    either = errors | np.repeat(np.asarray(flags, dtype=bool), x.shape[1] // contract.lanes)
    inputs = {"i": {**packets(x, contract.lanes), "error": errors}, "i_scale": of_channels}
    return Exercise(inputs, {"o": {**packets(y, contract.lanes), "error": either}}, "packet")


def _offsets(
    contract: Contract, scales: Sequence[int], negatives: Sequence[bool], means: Sequence[int]
) -> list[int]:
    """What the affine operator subtracts, with the 1 that it subtracts itself: see its docstring."""
    biases = [integer.bias(contract, *row) for row in zip(scales, negatives, means, strict=True)]
    return [bias if negative else -bias - 1 for bias, negative in zip(biases, negatives, strict=True)]
