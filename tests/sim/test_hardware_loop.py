"""Hardware in the loop: the wrapper that compares, and the command."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from l1bn_golden import Contract
from l1bn_golden.backend import GoldenBackend
from l1bn_sim import loop_training
from l1bn_sim.loop import CheckedBackend, HardwareBackend, HardwareLoop, LoopMismatch, configuration

CONTRACT = Contract(norm="l1", width=8, y_fraction=5, counts=(64,))


class Altered(GoldenBackend):
    """The model with one bit of one output wrong."""

    def __init__(self, name: str, contract: Contract = CONTRACT):
        super().__init__(contract)
        self.name = name

    def _alter(self, result):
        if not hasattr(result, self.name):
            return result
        values = getattr(result, self.name).copy()
        values.flat[-1] = values.flat[-1] ^ 1
        if self.name in getattr(result, "extra", ()):
            return replace(result, extra={**result.extra, self.name: values})
        return replace(result, **{self.name: values})

    def forward(self, x, gamma, beta):
        return self._alter(super().forward(x, gamma, beta))

    def backward(self, x, dy, gamma, statistics):
        return self._alter(super().backward(x, dy, gamma, statistics))


def both_ways(backend: CheckedBackend, seed: int) -> None:
    draw = np.random.default_rng(seed)
    x, dy = draw.integers(-128, 128, (2, 3, 64))
    gamma, beta = np.array([100, -200, 300]), np.array([1, 2, 3])
    backend.backward(x, dy, gamma, backend.forward(x, gamma, beta))


def test_equal_backends_are_counted(seed):
    backend = CheckedBackend(GoldenBackend(CONTRACT), GoldenBackend(CONTRACT))
    both_ways(backend, seed)
    assert backend.compared == 3 * 64 + 7 * 3 + 3 * 64 + 2 * 3


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("y", "[2, 63]"),
        ("mean", "[2]"),
        ("scale", "[2]"),
        ("sign_count", "[2]"),
        ("dx", "[2, 63]"),
        ("dgamma", "[2]"),
    ],
)
def test_one_wrong_bit_is_found(name, place, seed):
    with pytest.raises(LoopMismatch) as error:
        both_ways(CheckedBackend(Altered(name), GoldenBackend(CONTRACT)), seed)
    assert str(error.value).startswith(f"{name}{place} = ")
    assert f"; 1 of {192 if name in ('y', 'dx') else 3} values differ" in str(error.value)


def test_a_result_of_another_shape_is_found():
    short = SimpleNamespace(
        forward=lambda x, gamma, beta: GoldenBackend(CONTRACT).forward(x[:1], gamma, beta)
    )
    with pytest.raises(LoopMismatch, match=r"y has the shape \(1, 64\), expected \(2, 64\)"):
        CheckedBackend(short, GoldenBackend(CONTRACT)).forward(np.zeros((2, 64), int), 1, 0)


def test_a_configuration_belongs_to_its_contract():
    contract = Contract(norm="l2", width=12, y_fraction=9, counts=(64, 48), epsilon=0.5)
    config = configuration(contract, lanes=4)
    assert Contract.from_parameters(config.to_mapping()) == contract.replace(lanes=4, form="one-pass")


def test_hardware_of_another_contract_is_found(libraries, seed):
    hardware = HardwareBackend(CONTRACT, store=libraries)
    with pytest.raises(LoopMismatch):
        both_ways(CheckedBackend(hardware, GoldenBackend(CONTRACT.replace(epsilon=0.25))), seed)
    hardware.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--width", "3"], "width = 3 is not possible; allowed: a whole number from 4 to 32"),
        (["--lanes", "3"], "lanes = 3 is not possible; allowed: 1, 2, 4, 8, 16, 32 or 64"),
        (["--images", "100"], "images = 100 is not possible; allowed: a multiple of 64, at most 1408"),
        (["--pauses", "1"], "pauses = 1.0 is not possible; allowed: 0 to 0.9"),
        (["--task", "gan"], "Invalid value for '--task': 'gan' is not one of 'mlp', 'cnn'."),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    assert loop_training.main(arguments) == 2
    assert capsys.readouterr().err == f"l1bn_sim: error: {message}\n"


def test_a_difference_ends_the_command(monkeypatch, capsys):
    def altered(loop, contract):
        return CheckedBackend(Altered("dx", contract), GoldenBackend(contract))

    monkeypatch.setattr(HardwareLoop, "backend", altered)
    assert loop_training.main(["--norm", "l1", "--epochs", "1", "--images", "64"]) == 1
    assert "l1bn_sim: error: dx[" in capsys.readouterr().err
