"""What a netlist is fed, from real feature maps, and what the golden model says must come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.lib.wiring import Component
from numpy.typing import NDArray

from l1bn.config import Configuration
from l1bn_golden import Contract, Forward, forward, integer
from l1bn_golden.one_pass import Pivots
from l1bn_sim.digits import feature_maps
from l1bn_vectors.backward import BackwardChannel, backward_traffic
from l1bn_vectors.exercises import (
    Arguments,
    Exercise,
    affine,
    count_of,
    divide_by_constant,
    divider,
    per_item,
    scale,
    sign_abs_accumulator,
    square_accumulator,
    square_root,
    sum_accumulator,
)
from l1bn_vectors.forward import ForwardChannel, forward_traffic, guessed
from l1bn_vectors.payloads import Payload
from l1bn_vectors.shapes import stream_ports
from l1bn_vectors.traffic import Columns, Traffic

from .activity import Vectors

__all__ = ["STIMULI", "Stimulus", "pack"]

CHANNELS = 6
"""Channels of a run; the first ``WARM_UP`` of them are not counted."""
WARM_UP = 2
ITEMS = 400
"""Most items for an operator that takes one number at a time."""


@dataclass(frozen=True)
class Stimulus:
    """Items for every input stream, what every output stream must deliver, and what is counted as a sample.

    ``main`` is the stream whose items pace the run: counting starts with the item ``warm_up`` and ends before the
    final one, and each of these items stands for ``samples`` samples.
    """

    inputs: Mapping[str, Columns]
    outputs: Mapping[str, Columns]
    main: str
    warm_up: int
    end: int
    samples: int


def pack(component: Component, stimulus: Stimulus) -> Vectors:
    """Pack the fields of a stimulus into the payloads of a component's streams."""
    ports = {port.name: port for port in stream_ports(component)}
    inputs, outputs, masks = {}, {}, {}
    for name, columns in stimulus.inputs.items():
        inputs[name] = ports[name].payload.pack(**columns)
    for name, columns in stimulus.outputs.items():
        outputs[name] = ports[name].payload.pack(**columns)
        masks[name] = _mask(ports[name].payload, columns)
    widths = {name: port.payload.width for name, port in ports.items()}
    return Vectors(
        inputs, outputs, masks, widths, stimulus.main, stimulus.warm_up, stimulus.end, stimulus.samples
    )


def _mask(payload: Payload, columns: Columns) -> list[int]:
    """The bits of each item that mean something: all but those of masked entries."""
    everything = (1 << payload.width) - 1
    words = [everything] * len(np.ma.getdata(next(iter(columns.values()))))
    for field in payload.fields:
        column = columns[field.name]
        if not np.ma.isMaskedArray(column):
            continue
        bits = ((1 << field.width * (field.length or 1)) - 1) << field.offset
        for index in np.flatnonzero(np.ma.getmaskarray(column)):
            words[index] &= ~bits
    return words


def _maps(width: int, count: int, channels: int = CHANNELS) -> NDArray[np.int64]:
    """Feature maps with their mean somewhere below 0 in every other channel, as a layer before ReLU has them."""
    maps = feature_maps(width, width - 4, count, channels)
    low = -(1 << (width - 1))
    maps[1::2] = np.maximum(low, low // 4 - maps[1::2])
    return maps


def _step_before(x: NDArray[np.int64], channels: int, width: int) -> NDArray[np.int64]:
    """Channels whose means are off by 1/32 of what the samples are off theirs: few training steps move more."""
    spread = np.abs(x - x.mean(axis=1, keepdims=True)).mean(axis=1, keepdims=True)
    low = -(1 << (width - 1))
    moved = np.clip(x + np.rint(spread / 32).astype(np.int64), low, ~low)
    return moved[np.arange(channels) % len(x)]


def _numbers(width: int) -> list[int]:
    """Signed samples of feature maps, one after the other."""
    return [int(value) for value in _maps(width, ITEMS // 2, 2).ravel()]


def _per_channel(traffic: Traffic, lanes: int, count: int, main: str = "i", before: int = 0) -> Stimulus:
    """Channels of which, beside the warm-up, the first ones ``before`` are not counted."""
    channel = count // lanes
    first, last = before + WARM_UP, before + CHANNELS - 1
    return Stimulus(traffic.inputs, traffic.outputs, main, first * channel, last * channel, lanes)


def _per_item(traffic: Traffic, main: str = "i") -> Stimulus:
    items = len(np.ma.getdata(next(iter(traffic.inputs[main].values()))))
    return Stimulus(traffic.inputs, traffic.outputs, main, items // 8, items - 1, 1)


def _of_maps(make: Callable[[Arguments, NDArray[np.int64]], Exercise]) -> Callable[[Arguments], Stimulus]:
    """The stimulus of an accumulator whose exercise is of channels alone: feature maps."""

    def stimulus(arguments: Arguments) -> Stimulus:
        count = count_of(arguments)
        return _per_channel(make(arguments, _maps(arguments["width"], count)), arguments["lanes"], count)

    return stimulus


def _dividends(arguments: Arguments) -> Stimulus:
    # The running sums of a channel fill the dividend's width.
    samples = np.cumsum(_numbers(min(arguments["width"], 16))).tolist()
    largest = max(abs(value) for value in samples)
    dividends = [value * ((1 << (arguments["width"] - 1)) - 1) // largest for value in samples]
    return _per_item(divide_by_constant(arguments, dividends))


def _quotients(arguments: Arguments) -> Stimulus:
    """Numbers of every size by numbers that leave quotients of every size that fits."""
    rng = np.random.default_rng(1)
    width, divisor_width = arguments["dividend_width"], arguments["divisor_width"]
    bits = arguments.get("quotient_width", width)
    dividends, divisors = [], []
    for _ in range(ITEMS // 2):
        divisor = int(rng.integers(1, 1 << int(rng.integers(1, divisor_width + 1))))
        largest = min((1 << bits) - 1, ((1 << width) - divisor) // divisor)
        quotient = int(rng.integers(0, largest + 1)) >> int(rng.integers(0, bits))
        divisors.append(divisor)
        dividends.append(quotient * divisor + int(rng.integers(0, divisor)))
    return _per_item(divider(arguments, dividends, divisors))


def _radicands(width: int) -> list[int]:
    """Squared distances from the mean, over the whole width of the radicand."""
    samples = np.array(_numbers(16))
    distances = (samples - int(samples.mean())).astype(object) ** 2
    return [int(value) * ((1 << width) - 1) // int(distances.max()) for value in distances]


def _roots(arguments: Arguments) -> Stimulus:
    return _per_item(square_root(arguments, _radicands(arguments["width"])))


def _statistics(contract: Contract) -> tuple[list[int], Forward]:
    """Gammas and golden results of channels of every amplitude."""
    count = min(contract.counts[0], 64)
    small = Contract(norm=contract.norm, width=contract.width, counts=(count,))
    x = _maps(contract.width, count, 96) >> np.arange(96)[:, None] % (contract.width - 3)
    rng = np.random.default_rng(1)
    gammas = rng.integers(1, 1 << (contract.gamma_width - 2), 96).tolist()
    return gammas, forward(small, x, gammas, 0)


def _scale(arguments: Arguments) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    gammas, golden = _statistics(contract)
    return _per_item(scale(contract, gammas, golden.r_mantissa.tolist(), golden.r_exponent.tolist()))


def _channel_parameters(contract: Contract, channels: int) -> tuple[list[int], list[int]]:
    """gamma around 1 and small beta, as training leaves them, drawn with a fixed seed."""
    rng = np.random.default_rng(1)
    one = 1 << int(contract.gamma_fraction)
    gammas = np.clip(rng.normal(one, one / 4, channels), 1, (1 << (contract.gamma_width - 1)) - 1)
    limit = 1 << (contract.beta_width - 1)
    betas = np.clip(rng.normal(0, limit / 32, channels), -limit, limit - 1)
    return gammas.astype(int).tolist(), betas.astype(int).tolist()


def _affine(arguments: Arguments) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count, lanes = contract.counts[0], contract.lanes
    x = _maps(contract.width, count)
    gammas, betas = _channel_parameters(contract, len(x))
    golden = forward(contract, x, gammas, betas)
    names = ("scale", "negative", "shift", "mean")
    constants = {name: getattr(golden, name).tolist() for name in names}
    errors = np.zeros(len(x) * count // lanes, dtype=bool)
    exercise = affine(contract, x, {**constants, "beta": betas}, errors, [False] * len(x))
    return _per_channel(exercise, lanes, count)


def _forward(arguments: Arguments) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count = contract.counts[0]
    x = _maps(contract.width, count)
    # Where means are guessed, all channels of the layer come before, as in the step before.
    before = contract.channels if contract.guesses else 0
    x = np.concatenate([_step_before(x, before, contract.width), x])
    rows = zip(x, *_channel_parameters(contract, len(x)), strict=True)
    channels = [ForwardChannel(contract, *row) for row in rows]
    if contract.guesses:
        channels = guessed(Pivots(contract), channels)
    traffic = forward_traffic(channels, _sendings(arguments))
    return _per_channel(traffic, contract.lanes, count, "o", before)


def _backward(arguments: Arguments) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count = contract.counts[0]
    x = _maps(contract.width, count)
    # Gradients are small numbers; those of one channel have little to do with its samples.
    dy = np.roll(_maps(contract.dy_width, count), 1, axis=0) >> 2
    gammas, _ = _channel_parameters(contract, len(x))
    channels = [BackwardChannel.of(contract, *row) for row in zip(x, dy, gammas, strict=True)]
    return _per_channel(backward_traffic(channels, _sendings(arguments)), contract.lanes, count, "o")


def _sendings(arguments: Arguments) -> int:
    return Configuration.from_mapping(arguments).sendings


def _absolute(arguments: Arguments) -> Stimulus:
    x = _numbers(arguments["width"])
    return _per_item(per_item({"value": x}, {"value": np.abs(x)}))


def _absolute_and_sign(arguments: Arguments) -> Stimulus:
    x = _numbers(arguments["width"])
    inputs = {"i_absolute": {"value": x}, "i_sign": {"value": x}}
    outputs = {"o_absolute": {"value": np.abs(x)}, "o_sign": {"value": np.sign(x)}}
    return _per_item(Traffic(inputs, outputs), "i_absolute")


def _square_and_root(arguments: Arguments) -> Stimulus:
    x = _numbers(arguments["width"])
    radicands = _radicands(arguments["width"])
    roots = [integer.integer_sqrt(value) for value in radicands]
    inputs = {"i_square": {"value": x}, "i_root": {"value": radicands}}
    outputs: dict[str, Columns] = {"o_square": {"value": np.square(x)}, "o_root": {"value": roots}}
    return _per_item(Traffic(inputs, outputs), "i_square")


def _register(arguments: Arguments) -> Stimulus:
    x = _numbers(arguments["width"])
    return _per_item(per_item({"value": x}, {"value": x}))


STIMULI: dict[str, Callable[[Arguments], Stimulus]] = {
    "Absolute": _absolute,
    "AbsoluteAndSign": _absolute_and_sign,
    "Affine": _affine,
    "DivideByConstant": _dividends,
    "IterativeDivider": _quotients,
    "IterativeSquareRoot": _roots,
    "PipelinedDivider": _quotients,
    "PipelinedSquareRoot": _roots,
    "Scale": _scale,
    "SignAbsAccumulator": _of_maps(sign_abs_accumulator),
    "SkidRegister": _register,
    "SquareAccumulator": _of_maps(square_accumulator),
    "SquareAndRoot": _square_and_root,
    "SumAccumulator": _of_maps(sum_accumulator),
    "backward": _backward,
    "forward": _forward,
}
"""By kind of unit: a stimulus from the arguments of the unit's constructor."""
