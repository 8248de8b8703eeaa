"""The gateware's formats against the golden model's, and against the values that they have to hold."""

from __future__ import annotations

import random

import pytest

from l1bn.config import PARAMETERS, Configuration
from l1bn.norms import NORMS
from l1bn.norms.l1 import sign_count_width
from l1bn.norms.l2 import square_sum_width
from l1bn.norms.rms.spread import square_sum_width as rms_square_sum_width
from l1bn.numbers.formats import Formats
from l1bn_golden import Contract, integer

NUMBER = 1500
OTHER_DIRECTIONS = frozenset(
    ("dy_width", "dy_fraction", "dx_width", "dx_fraction", "momentum_shift", "running_fraction", "channels")
) | {"window_shift", "suspects"}
"""Parameters on which no format of a forward unit depends: they keep their defaults here."""


def any_configuration(draw: random.Random) -> Configuration:
    """Every parameter anywhere in its range, at the ends more often than elsewhere."""

    def pick(low: int, high: int) -> int:
        return draw.choice([low, high, draw.randint(low, high), draw.randint(low, high)])

    norm = draw.choice(sorted(NORMS))
    lanes = 1 << pick(0, 6)
    # Counts of any size, not only of the largest.
    counts = {
        lanes * pick(2 if lanes == 1 else 1, (1 << draw.randint(2, 20)) // lanes or 2)
        for _ in range(pick(1, 5))
    }
    if draw.random() < 0.3:
        counts = {1 << draw.randint(lanes.bit_length(), 20) for _ in range(pick(1, 3))}
    parameters: dict[str, object] = {
        "norm": norm,
        "form": draw.choice(list(NORMS[norm].forms)),
        "lanes": lanes,
        "counts": tuple(draw.sample(sorted(counts), len(counts))),
        "epsilon": draw.choice([0.0, 1.0, 1e-5, 1e-12, 0.1, draw.random() ** 8]),
        "guard_bits": draw.choice([None, None, pick(0, 64)]) if NORMS[norm].centred else None,
        "scale_width": pick(8, 24),
        "interval": draw.choice([None, pick(8, 1 << 16)]),
    }
    for name, low in (("width", 4), ("y_width", 4), ("gamma_width", 2), ("beta_width", 2)):
        if name == "width" or draw.random() < 0.8:
            parameters[name] = pick(low, 32)
    configuration = Configuration(**parameters)
    finest = {
        "x_fraction": configuration.width - 1,
        "y_fraction": configuration.y_width - 1,
        "gamma_fraction": configuration.gamma_width - 1,
    }
    parameters |= {name: pick(0, high) for name, high in finest.items() if draw.random() < 0.7}
    configuration = Configuration(**parameters)
    if draw.random() < 0.7:
        parameters["beta_fraction"] = pick(0, min(configuration.beta_width - 1, configuration.y_fraction))
    return Configuration(**parameters)


@pytest.fixture(scope="module")
def configurations(seed: int) -> list[Configuration]:
    draw = random.Random(seed)
    return [any_configuration(draw) for _ in range(NUMBER)]


def test_the_configurations_reach_the_ends(configurations: list[Configuration]) -> None:
    for name, parameter in PARAMETERS.items():
        if parameter.range and name not in {"counts", "beta_fraction"} | OTHER_DIRECTIONS:
            values = {getattr(configuration, name) for configuration in configurations}
            low, high = parameter.range
            assert low in values, name
            assert high in values, name
    counts = {count for configuration in configurations for count in configuration.counts}
    assert {2, 1 << 20} <= counts


def test_constants(configurations: list[Configuration]) -> None:
    """Parameters, their defaults and all constants are those of the golden contract."""
    for configuration in configurations:
        golden = Contract.from_parameters(configuration.to_mapping())
        formats = Formats(configuration)
        ours = {
            "L": formats.count_bits,
            "K_bits": formats.scale_bits,
            "G": formats.guard_bits,
            "T": formats.mantissa_width,
            "SHIFT_MAX": formats.scale.shift_max,
            "SHIFT_MIN": formats.scale.shift_min,
            "F": formats.scale.scale_fraction,
            "w": formats.spread_width,
            "f": formats.odd_fraction,
            "h": formats.epsilon_fraction,
            "powers_of_two": formats.only_powers_of_two,
        }
        assert ours == {name: getattr(golden, name) for name in ours}, configuration
        assert list(formats.epsilons) == [golden.E(count) for count in configuration.counts], configuration
        for name in PARAMETERS:
            assert getattr(golden, name) == getattr(configuration, name), (name, configuration)


def test_defaults() -> None:
    """Parameters that are not given mean the same on both sides."""
    for width in range(4, 33):
        for gamma_width in (2, 3, 16, 32):
            given = {"width": width, "gamma_width": gamma_width, "counts": (24,)}
            golden = Contract.from_parameters(given)
            configuration = Configuration(**given)
            for name in PARAMETERS:
                if name != "form":
                    assert getattr(golden, name) == getattr(configuration, name), (name, given)


def test_widths_hold_the_extremes(configurations: list[Configuration]) -> None:
    """Nothing that a channel of extremes makes is wider than its format, and formats waste no more than they say."""
    for configuration in configurations:
        golden = Contract.from_parameters(configuration.to_mapping())
        formats = Formats(configuration)
        low, high = -(1 << (configuration.width - 1)), (1 << (configuration.width - 1)) - 1
        for count in configuration.counts:
            assert fits(low * count, formats.sum_width)
            for sample in (low, high) if configuration.traits.centred else ():
                assert fits(integer.divide_by_count(sample * count, golden.G, count), formats.mean_width)
            assert count < 1 << formats.tally_width
            assert fits(-count, sign_count_width(formats))
            assert fits(count, sign_count_width(formats))
            # Half of the samples at either end have the largest spread there is.
            half = count // 2
            total, squares = low * half + high * (count - half), low**2 * half + high**2 * (count - half)
            if configuration.norm == "range":
                largest, smallest = (golden.traits.r(golden, spread, count) for spread in (high - low, 0))
                assert largest[0] < 1 << (formats.spread_width + formats.epsilon_fraction)
            elif configuration.norm == "mean-absolute":
                largest, smallest = (golden.traits.r(golden, spread, count) for spread in (-low * count, 0))
                assert largest[0] < 1 << (formats.spread_width + formats.epsilon_fraction)
            elif configuration.norm == "rms":
                assert low * low * count < 1 << rms_square_sum_width(formats)
                spread = count * count * low * low
                assert spread + (golden.E(count) >> golden.h) < 1 << formats.spread_width
                largest, smallest = (golden.traits.r(golden, each, count) for each in (spread, 0))
            elif configuration.norm == "l1":
                mean = integer.divide_by_count(total, golden.G, count)
                deviation = abs((low << golden.G) - mean) * half + abs((high << golden.G) - mean) * (
                    count - half
                )
                largest = golden.traits.r(golden, deviation, count)
                assert largest[0] < 1 << (formats.spread_width + formats.epsilon_fraction)
                smallest = golden.traits.r(golden, 0, count)
            else:
                floor = total // count
                centred = (low - floor) ** 2 * half + (high - floor) ** 2 * (count - half)
                if configuration.form == "one-pass":
                    assert low * low * count < 1 << square_sum_width(formats)
                else:
                    assert centred < 1 << square_sum_width(formats)
                whole = count * squares - total**2 + (golden.E(count) >> golden.h)
                assert whole < 1 << formats.spread_width
                largest = golden.traits.r(golden, count * squares - total**2, count)
                smallest = golden.traits.r(golden, 0, count)
            for _, mantissa, exponent in (largest, smallest):
                assert mantissa.bit_length() == formats.mantissa_width
                assert exponent in formats.r_exponents, configuration
                assert fits(exponent, formats.r_exponent_shape.width)


def fits(value: int, width: int) -> bool:
    """Whether a signed number of so many bits holds the value."""
    return -(1 << (width - 1)) <= value < 1 << (width - 1)
