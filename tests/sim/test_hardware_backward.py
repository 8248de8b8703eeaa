"""The backward unit as a function, against the golden model; what does not fit it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from l1bn.config import Configuration, ConfigurationError
from l1bn_golden import Contract, backward, forward
from l1bn_sim.hardware import HardwareError
from l1bn_sim.hardware_units import BackwardHardware, ForwardHardware
from l1bn_vectors.edges import channels

SAMPLE = [
    ({"norm": "l1", "width": 8, "lanes": 2, "counts": [64, 36]}, {"idle": 0.4, "stall": 0.4}),
    ({"norm": "l2", "width": 8, "lanes": 1, "count": 64, "storage": "outside"}, {"stall": {"o": 0.5}}),
]


def configuration(parameters) -> Configuration:
    return Configuration.from_mapping(parameters | {"direction": "backward"})


@pytest.mark.parametrize(("parameters", "rates"), SAMPLE, ids=str)
def test_backward_units_are_the_golden_model(parameters, rates, libraries, seed):
    config = configuration(parameters)
    contract = Contract.from_parameters(config.to_mapping())
    draw = np.random.default_rng(seed)
    with BackwardHardware(config, store=libraries, **rates) as gradients:
        for count in config.counts:
            x = np.array(list(channels(draw, config.width, count).values()))
            dy = draw.permutation(np.array(list(channels(draw, config.width, count).values())))
            gamma = draw.integers(-(1 << 15), 1 << 15, len(x))
            statistics = forward(contract, x, gamma, 0)
            result = gradients(x, dy, gamma, statistics)
            expected = backward(contract, x, dy, gamma, statistics)
            for name in ("dx", "dgamma", "dbeta"):
                assert getattr(result, name).tolist() == getattr(expected, name).tolist(), name


@pytest.fixture(scope="module")
def gradients(libraries):
    with BackwardHardware(configuration(SAMPLE[0][0]), store=libraries) as hardware:
        yield hardware


@pytest.fixture(scope="module")
def statistics():
    contract = Contract.from_parameters(configuration(SAMPLE[0][0]).to_mapping())
    return forward(contract, np.arange(128).reshape(2, 64) - 64, 1, 0)


ZEROS = np.zeros((2, 64), int)


@pytest.mark.parametrize(
    ("dy", "gamma", "changes", "message"),
    [
        (ZEROS[:, :36], 1, {}, "dy of shape (2, 36) is not possible; allowed: (2, 64), that of x"),
        (ZEROS / 2, 1, {}, "dy of type float64 is not possible; allowed: integers"),
        (ZEROS + 128, 1, {}, "dy = 128 is not possible; allowed: -128 to 127 (8 bits)"),
        (
            ZEROS,
            [1, 2, 3],
            {},
            "gamma of shape (3,) is not possible; allowed: one, or one for each of 2 channels",
        ),
        (ZEROS, 1, {"mean": np.array([1])}, "mean of shape (1,) is not possible; allowed: (2,)"),
        (
            ZEROS,
            1,
            {"r_mantissa": np.array([1, -1])},
            "stream i_stats: r_mantissa = -1 is not possible; allowed: 0 to 16777215 (24 bits)",
        ),
    ],
)
def test_what_does_not_fit_is_named(gradients, statistics, dy, gamma, changes, message):
    before = gradients.hardware.cycle
    with pytest.raises(ValueError) as error:
        gradients(ZEROS, dy, gamma, replace(statistics, **changes))
    assert str(error.value) == message
    assert gradients.hardware.cycle == before


def test_an_r_that_is_none_is_an_error_and_the_next_call_is_right(gradients, statistics):
    with pytest.raises(HardwareError, match="flags an error in channel 1"):
        gradients(ZEROS, ZEROS, 1, replace(statistics, r_mantissa=statistics.r_mantissa * [1, 0]))
    assert gradients(ZEROS, ZEROS + 3, 1, statistics).dbeta.tolist() == [192, 192]


def test_each_unit_has_its_direction():
    with pytest.raises(ConfigurationError, match="direction = 'backward' is not possible; allowed: forward"):
        ForwardHardware(configuration(SAMPLE[0][0]))
    with pytest.raises(ConfigurationError, match="direction = 'forward' is not possible; allowed: backward"):
        BackwardHardware(Configuration())
