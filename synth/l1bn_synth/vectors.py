"""What a netlist is fed, from real feature maps, and what the golden model says must come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.lib.wiring import Component
from numpy.typing import NDArray

from l1bn_golden import Contract, backward, forward, integer
from l1bn_sim.design import stream_ports
from l1bn_sim.digits import feature_maps
from l1bn_sim.fields import Payload
from l1bn_sim.stimuli import beats

from .activity import Vectors

__all__ = ["STIMULI", "Columns", "Stimulus", "pack"]

Columns = Mapping[str, Any]
"""One array a field of a stream, a row an item; masked entries mean nothing."""
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
        values = {field: np.ma.getdata(column) for field, column in columns.items()}
        outputs[name] = ports[name].payload.pack(**values)
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


def _numbers(width: int) -> list[int]:
    """Signed samples of feature maps, one after the other."""
    return [int(value) for value in _maps(width, ITEMS // 2, 2).ravel()]


def _packets(samples: NDArray[np.int64], lanes: int) -> dict[str, Any]:
    data, last = beats(samples, lanes)
    return {"data": data, "last": last}


def _per_channel(
    arguments: Mapping[str, Any], count: int, inputs: Mapping[str, Columns], outputs: Mapping[str, Columns]
) -> Stimulus:
    channel = count // arguments["lanes"]
    end = (CHANNELS - 1) * channel
    return Stimulus(inputs, outputs, "i", WARM_UP * channel, end, arguments["lanes"])


def _per_item(inputs: Mapping[str, Columns], outputs: Mapping[str, Columns], main: str = "i") -> Stimulus:
    items = len(np.ma.getdata(next(iter(inputs[main].values()))))
    return Stimulus(inputs, outputs, main, items // 8, items - 1, 1)


def _sums(arguments: Mapping[str, Any]) -> Stimulus:
    x = _maps(arguments["width"], arguments["count"])
    outputs = {"o": {"sum": integer.channel_sum(x)}}
    return _per_channel(arguments, arguments["count"], {"i": _packets(x, arguments["lanes"])}, outputs)


def _sign_abs(arguments: Mapping[str, Any]) -> Stimulus:
    count, guard_bits = arguments["counts"][0], arguments["guard_bits"]
    x = _maps(arguments["width"], count)
    sums = integer.channel_sum(x)
    means = [integer.divide_by_count(total, guard_bits, count) for total in sums]
    deviations, sign_counts = integer.sign_abs(x, means, guard_bits)
    inputs = {"i": _packets(x, arguments["lanes"]), "i_mean": {"mean": means}}
    outputs = {"o": {"deviation": deviations, "sign_count": sign_counts}}
    return _per_channel(arguments, count, inputs, outputs)


def _squares(arguments: Mapping[str, Any]) -> Stimulus:
    x = _maps(arguments["width"], arguments["count"])
    outputs = {"o": {"square_sum": integer.square_sum(x)}}
    return _per_channel(arguments, arguments["count"], {"i": _packets(x, arguments["lanes"])}, outputs)


def _dividends(arguments: Mapping[str, Any]) -> Stimulus:
    width, fraction, count = arguments["width"], arguments["fraction"], arguments["count"]
    # The running sums of a channel fill the dividend's width.
    samples = np.cumsum(_numbers(min(width, 16))).tolist()
    largest = max(abs(value) for value in samples)
    dividends = [value * ((1 << (width - 1)) - 1) // largest for value in samples]
    quotients = [integer.divide_by_count(value, fraction, count) for value in dividends]
    return _per_item({"i": {"value": dividends}}, {"o": {"value": quotients}})


def _quotients(arguments: Mapping[str, Any]) -> Stimulus:
    """Numbers of every size by numbers that leave quotients of every size that fits."""
    rng = np.random.default_rng(1)
    width, divisor_width = arguments["dividend_width"], arguments["divisor_width"]
    bits = arguments.get("quotient_width", width)
    divisors, quotients, remainders = [], [], []
    for _ in range(ITEMS // 2):
        divisor = int(rng.integers(1, 1 << int(rng.integers(1, divisor_width + 1))))
        largest = min((1 << bits) - 1, ((1 << width) - divisor) // divisor)
        quotient = int(rng.integers(0, largest + 1)) >> int(rng.integers(0, bits))
        divisors.append(divisor)
        quotients.append(quotient)
        remainders.append(int(rng.integers(0, divisor)))
    dividends = [q * d + r for q, d, r in zip(quotients, divisors, remainders, strict=True)]
    outputs = {"quotient": quotients, "remainder": remainders, "overflow": [0] * len(dividends)}
    return _per_item({"i": {"dividend": dividends, "divisor": divisors}}, {"o": outputs})


def _radicands(width: int) -> list[int]:
    """Squared distances from the mean, over the whole width of the radicand."""
    samples = np.array(_numbers(16))
    distances = (samples - int(samples.mean())).astype(object) ** 2
    return [int(value) * ((1 << width) - 1) // int(distances.max()) for value in distances]


def _roots(arguments: Mapping[str, Any]) -> Stimulus:
    radicands = _radicands(arguments["width"])
    roots = [integer.integer_sqrt(value) for value in radicands]
    return _per_item({"i": {"value": radicands}}, {"o": {"value": roots}})


def _statistics(contract: Contract) -> tuple[list[int], list[int], Any]:
    """Gammas, betas and golden results of channels of every amplitude."""
    count = min(contract.counts[0], 64)
    small = Contract(norm=contract.norm, width=contract.width, counts=(count,))
    x = _maps(contract.width, count, 96) >> np.arange(96)[:, None] % (contract.width - 3)
    rng = np.random.default_rng(1)
    gammas = rng.integers(1, 1 << (contract.gamma_width - 2), 96).tolist()
    betas = rng.integers(-64, 64, 96).tolist()
    return gammas, betas, forward(small, x, gammas, betas)


def _scale(arguments: Mapping[str, Any]) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    gammas, _, golden = _statistics(contract)
    mantissas, exponents = golden.r_mantissa.tolist(), golden.r_exponent.tolist()
    results = [
        integer.scale(contract, *channel) for channel in zip(gammas, mantissas, exponents, strict=True)
    ]
    scales, shifts, negatives = zip(*results, strict=True)
    return _per_item(
        {"i": {"gamma": gammas, "r_mantissa": mantissas, "r_exponent": exponents}},
        {"o": {"scale": scales, "shift": shifts, "negative": negatives}},
    )


def _channel_parameters(contract: Contract, channels: int) -> tuple[list[int], list[int]]:
    """gamma around 1 and small beta, as training leaves them, drawn with a fixed seed."""
    rng = np.random.default_rng(1)
    one = 1 << int(contract.gamma_fraction)
    gammas = np.clip(rng.normal(one, one / 4, channels), 1, (1 << (contract.gamma_width - 1)) - 1)
    limit = 1 << (contract.beta_width - 1)
    betas = np.clip(rng.normal(0, limit / 32, channels), -limit, limit - 1)
    return gammas.astype(int).tolist(), betas.astype(int).tolist()


def _affine(arguments: Mapping[str, Any]) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count, lanes = contract.counts[0], contract.lanes
    x = _maps(contract.width, count)
    gammas, betas = _channel_parameters(contract, len(x))
    golden = forward(contract, x, gammas, betas)
    negative = golden.negative.tolist()
    biases = [
        integer.bias(contract, int(k), sign, int(mean))
        for k, sign, mean in zip(golden.scale, negative, golden.mean, strict=True)
    ]
    # The operator subtracts the offset and 1, and complements its result where gamma is negative.
    offsets = [bias if sign else ~bias for bias, sign in zip(biases, negative, strict=True)]
    constants = {
        "scale": golden.scale,
        "negative": negative,
        "shift": golden.shift,
        "offset": offsets,
        "beta": betas,
        "error": np.zeros(len(x), dtype=bool),
    }
    errors = np.zeros(len(x) * count // lanes, dtype=bool)
    inputs = {"i": {**_packets(x, lanes), "error": errors}, "i_scale": constants}
    outputs = {"o": {**_packets(golden.y, lanes), "error": errors}}
    return _per_channel({"lanes": lanes}, count, inputs, outputs)


def _forward(arguments: Mapping[str, Any]) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count, lanes = contract.counts[0], contract.lanes
    x = _maps(contract.width, count)
    gammas, betas = _channel_parameters(contract, len(x))
    golden = forward(contract, x, gammas, betas)
    passes = 1
    if arguments["storage"] == "outside":
        passes = 3 if arguments["form"] == "two-pass" else 2
    packets = _packets(np.repeat(x, passes, axis=0), lanes)
    results = _packets(golden.y, lanes)
    # `error` means something with the final beat only.
    errors = np.ma.masked_array(np.zeros(len(results["last"])), mask=~np.asarray(results["last"]))
    channel = count // lanes
    return Stimulus(
        {"i": packets, "i_affine": {"gamma": gammas, "beta": betas}},
        {"o": {**results, "error": errors}, "o_stats": {**golden.statistics, "error": np.zeros(len(x), dtype=bool)}},
        "o",
        WARM_UP * channel,
        (CHANNELS - 1) * channel,
        lanes,
    )


def _backward(arguments: Mapping[str, Any]) -> Stimulus:
    contract = Contract.from_parameters(arguments)
    count, lanes = contract.counts[0], contract.lanes
    x = _maps(contract.width, count)
    # Gradients are small numbers; those of one channel have little to do with its samples.
    dy = np.roll(_maps(contract.dy_width, count), 1, axis=0) >> 2
    gammas, _ = _channel_parameters(contract, len(x))
    statistics = forward(contract, x, gammas, 0)
    golden = backward(contract, x, dy, gammas, statistics)
    passes = 2 if arguments["storage"] == "outside" else 1
    inputs: dict[str, Columns] = {
        name: _packets(np.repeat(samples, passes, axis=0), lanes)
        for name, samples in (("i_x", x), ("i_dy", dy))
    }
    right = np.zeros(len(x), dtype=bool)
    received = ("mean", "r_mantissa", "r_exponent", *contract.traits.statistics)
    inputs["i_stats"] = {**{name: statistics.statistics[name] for name in received}, "error": right}
    inputs["i_gamma"] = {"gamma": gammas}
    results = _packets(golden.dx, lanes)
    # `error` means something with the final beat only.
    errors = np.ma.masked_array(np.zeros(len(results["last"])), mask=~np.asarray(results["last"]))
    channel = count // lanes
    return Stimulus(
        inputs,
        {
            "o": {**results, "error": errors},
            "o_gradients": {"dgamma": golden.dgamma, "dbeta": golden.dbeta, "error": right},
        },
        "o",
        WARM_UP * channel,
        (CHANNELS - 1) * channel,
        lanes,
    )


def _absolute(arguments: Mapping[str, Any]) -> Stimulus:
    x = _numbers(arguments["width"])
    return _per_item({"i": {"value": x}}, {"o": {"value": np.abs(x)}})


def _absolute_and_sign(arguments: Mapping[str, Any]) -> Stimulus:
    x = _numbers(arguments["width"])
    return _per_item(
        {"i_absolute": {"value": x}, "i_sign": {"value": x}},
        {"o_absolute": {"value": np.abs(x)}, "o_sign": {"value": np.sign(x)}},
        "i_absolute",
    )


def _square_and_root(arguments: Mapping[str, Any]) -> Stimulus:
    x = _numbers(arguments["width"])
    radicands = _radicands(arguments["width"])
    return _per_item(
        {"i_square": {"value": x}, "i_root": {"value": radicands}},
        {
            "o_square": {"value": np.square(x)},
            "o_root": {"value": [integer.integer_sqrt(value) for value in radicands]},
        },
        "i_square",
    )


def _register(arguments: Mapping[str, Any]) -> Stimulus:
    x = _numbers(arguments["width"])
    return _per_item({"i": {"value": x}}, {"o": {"value": x}})


STIMULI: dict[str, Callable[[Mapping[str, Any]], Stimulus]] = {
    "absolute": _absolute,
    "absolute-and-sign": _absolute_and_sign,
    "affine": _affine,
    "backward": _backward,
    "divide": _dividends,
    "forward": _forward,
    "mean-sum": _sums,
    "quotient": _quotients,
    "register": _register,
    "scale": _scale,
    "sign-abs": _sign_abs,
    "square": _squares,
    "square-and-root": _square_and_root,
    "square-root": _roots,
}
"""By kind of unit: a stimulus from the arguments of the unit's constructor."""
