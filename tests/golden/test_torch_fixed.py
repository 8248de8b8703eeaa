"""The modules for PyTorch in the hardware's integers."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from l1bn_golden import Contract, backward, forward
from l1bn_golden.backend import GoldenBackend
from l1bn_golden.torch import L1BatchNorm1d, L1BatchNorm2d, L2BatchNorm1d, L2BatchNorm2d, convert
from l1bn_golden.torch.fixed import block_exponent

# The tests run on all cores already.
torch.set_num_threads(1)

FLAT = {"l1": L1BatchNorm1d, "l2": L2BatchNorm1d}
MAPS = {"l1": L1BatchNorm2d, "l2": L2BatchNorm2d}
NORMS = sorted(MAPS)
WIDTHS = (4, 8, 12, 16)


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def contract(norm: str, width: int, **changes: Any) -> Contract:
    return Contract(norm=norm, width=width, y_fraction=width - 3, **changes)


def integers(rng: np.random.Generator, width: int, shape: tuple[int, ...]) -> np.ndarray:
    """Skewed samples with many ties, the largest of them the largest that ``width`` bits hold."""
    limit = (1 << (width - 1)) - 1
    values = np.minimum(np.floor(rng.standard_exponential(shape) * limit / 6), limit).astype(np.int64)
    values.flat[0] = limit
    return values


def tensor(values: np.ndarray, exponent: int = 0) -> Tensor:
    return torch.from_numpy(np.ldexp(values.astype(np.float64), exponent))


def rows(values: np.ndarray) -> np.ndarray:
    return values.swapaxes(0, 1).reshape(values.shape[1], -1)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(16, 3, 4, 4), (6, 3, 5, 1)])
def test_outputs_and_gradients_are_those_of_the_integer_model(norm: str, width: int, shape, rng) -> None:
    """x and dy are on the grid, at any power of two: what goes in and comes out is then exact."""
    formats = contract(norm, width)
    layer = MAPS[norm](3, formats=formats, dtype=torch.float64)
    gamma, beta = np.array([3 << 12, -(1 << 13), 1 << 13]), np.array([1, -1, 0])
    with torch.no_grad():
        layer.weight.copy_(tensor(gamma, -formats.gamma_fraction))
        layer.bias.copy_(tensor(beta, -formats.beta_fraction))
    x, dy = integers(rng, width, shape), -integers(rng, width, shape)
    unit = formats.replace(counts=(x.size // 3,))
    expected = forward(unit, rows(x), gamma, beta)
    gradients = backward(unit, rows(x), rows(dy), gamma, expected)
    for x_exponent, dy_exponent in ((0, 0), (-9, 4), (40, -60)):
        leaf = tensor(x, x_exponent).requires_grad_()
        y = layer(leaf)
        layer.zero_grad()
        y.backward(tensor(dy, dy_exponent))
        unit_dx = formats.x_fraction - formats.dy_fraction + formats.dx_fraction
        np.testing.assert_array_equal(rows(y.detach().numpy()), np.ldexp(expected.y, -formats.y_fraction))
        np.testing.assert_array_equal(
            rows(leaf.grad.numpy()), np.ldexp(gradients.dx, dy_exponent - x_exponent - unit_dx)
        )
        for parameter, sums in ((layer.weight, gradients.dgamma), (layer.bias, gradients.dbeta)):
            np.testing.assert_array_equal(parameter.grad, np.ldexp(sums.astype(np.float64), dy_exponent))


@pytest.mark.parametrize("norm", NORMS)
def test_sixteen_bits_are_close_to_floating_point(norm: str, rng) -> None:
    formats = contract(norm, 16, dx_fraction=10)  # dx is up to four times dy
    exact = MAPS[norm](4, dtype=torch.float64)
    fixed = MAPS[norm](4, formats=formats, dtype=torch.float64)
    x = torch.from_numpy(rng.standard_exponential((8, 4, 8, 8)))
    dy = torch.from_numpy(rng.standard_normal((8, 4, 8, 8)))
    leaves, outputs = [], []
    for layer in (exact, fixed):
        leaves.append(x.clone().requires_grad_())
        outputs.append(layer(leaves[-1]))
        outputs[-1].backward(dy)
    unsaturated = outputs[0] < 4 - 2.0**-13
    # The LSB of x is 2**-12 or finer here, of y 2**-13, of dx 2**-10.
    assert (outputs[0] - outputs[1]).abs()[unsaturated].max() < 2.0**-11
    assert (leaves[0].grad - leaves[1].grad).abs().max() < 2.0**-9
    for name in ("weight", "bias"):
        torch.testing.assert_close(getattr(fixed, name).grad, getattr(exact, name).grad, rtol=1e-3, atol=1e-2)
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(getattr(fixed, name), getattr(exact, name), rtol=1e-3, atol=1e-3)
    exact.eval(), fixed.eval()
    with torch.no_grad():
        a, b = exact(x), fixed(x)
    assert (a - b).abs()[a < 4 - 2.0**-13].max() < 2.0**-11


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("norm", NORMS)
def test_inference_is_on_the_grid_and_within_one_step(norm: str, width: int, rng) -> None:
    formats = contract(norm, width)
    layer = FLAT[norm](3, momentum=None, formats=formats, dtype=torch.float64)
    x = tensor(integers(rng, width, (64, 3)), -3)
    layer(x)
    layer.eval()
    with torch.no_grad():
        y = np.ldexp(layer(x).numpy(), formats.y_fraction)
    np.testing.assert_array_equal(y, np.round(y))
    layer.formats = None
    # Epsilon counts in units of x as the unit reads it.
    layer.eps = math.ldexp(layer.eps, (formats.x_fraction - 3) * (1 if norm == "l1" else 2))
    with torch.no_grad():
        expected = np.clip(np.ldexp(layer(x).numpy(), formats.y_fraction), formats.y_min, formats.y_max)
    assert np.abs(y - expected).max() < 0.8


@pytest.mark.parametrize("norm", NORMS)
def test_frozen_statistics_pass_the_gradient(norm: str, rng) -> None:
    layer = FLAT[norm](3, formats=contract(norm, 8)).eval()
    x = torch.randn(8, 3, requires_grad=True)
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.ones(8, 3), rtol=1e-4, atol=0)
    assert layer.weight.grad is not None


@pytest.mark.parametrize("norm", NORMS)
def test_a_constant_channel_gives_beta_and_no_gradient(norm: str) -> None:
    formats = contract(norm, 8)
    layer = FLAT[norm](2, formats=formats)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([0.5, -0.25]))
    x = torch.full((16, 2), 0.3)
    x[:8, 1] = -1.7
    x.requires_grad_()
    y = layer(x)
    y.backward(torch.randn(16, 2))
    assert (y[:, 0] == 0.5).all() and (x.grad[:, 0] == 0).all() and (x.grad[:, 1] != 0).any()


@pytest.mark.parametrize("width", [4, 5, 8, 16, 32])
def test_block_exponent(width: int, rng) -> None:
    limit = (1 << (width - 1)) - 1
    exact = [math.ldexp(limit, shift) for shift in (-200, -3, 0, 90)]
    for largest in [*exact, *np.nextafter(exact, np.inf), *rng.lognormal(0, 30, 100), 2.0**-1074, 1e300]:
        exponent = block_exponent(np.array([[0.0, -largest]]), width)
        assert math.ldexp(largest, exponent) <= limit
        assert math.ldexp(largest, exponent) > limit / 2
    assert block_exponent(np.zeros((2, 2)), width) == 0


def test_any_backend_takes_the_place_of_the_model(rng) -> None:
    made: list[Contract] = []
    calls: list[str] = []

    class Recorder(GoldenBackend):
        def __init__(self, contract: Contract) -> None:
            super().__init__(contract)
            made.append(contract)

        def forward(self, x, gamma, beta):
            calls.append("forward")
            assert x.shape == (3, x.shape[1]) and gamma.shape == beta.shape == (3,)
            assert all(values.dtype.kind == "i" for values in (x, gamma, beta))
            self.statistics = super().forward(x, gamma, beta)
            return self.statistics

        def backward(self, x, dy, gamma, statistics):
            calls.append("backward")
            assert dy.shape == x.shape and dy.dtype.kind == "i" and statistics is self.statistics
            return super().backward(x, dy, gamma, statistics)

    formats = contract("l1", 10)
    layer = L1BatchNorm2d(3, eps=1e-3, formats=formats, backend=Recorder)
    model = copy.deepcopy(layer)
    for batch in (4, 4, 2):
        model(torch.randn(batch, 3, 2, 2, requires_grad=True)).sum().backward()
    assert made == [formats.replace(counts=(n,), epsilon=1e-3) for n in (16, 8)]
    assert calls == ["forward", "backward"] * 3
    assert len(model._made) == 2 and not copy.deepcopy(model)._made
    same = convert(nn.Sequential(nn.BatchNorm2d(3)), "l1", formats, Recorder)[0]
    assert same.formats == formats.replace(epsilon=1e-5) and same.backend is Recorder


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"formats.norm = 'l2' is not possible; allowed: l1"):
        L1BatchNorm2d(3, formats=contract("l2", 8))
    layer = L1BatchNorm1d(3, formats=contract("l1", 8))
    for bad in (float("nan"), float("inf")):
        x = torch.rand(4, 3)
        x[1, 2] = bad
        with pytest.raises(ValueError, match="input = nan or inf is not possible"):
            layer(x)
        with pytest.raises(ValueError, match="gradient = nan or inf is not possible"):
            layer(torch.rand(4, 3, requires_grad=True)).backward(x)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        layer(torch.rand(1, 3))
    with pytest.raises(ValueError, match="count = 2097152 is not possible"):
        L1BatchNorm1d(1, formats=contract("l1", 8))(torch.zeros(1 << 21, 1))
