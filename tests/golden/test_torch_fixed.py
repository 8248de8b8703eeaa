"""The modules for PyTorch in the hardware's integers."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from l1bn_golden import Contract, backward, forward, norms
from l1bn_golden.backend import GoldenBackend
from l1bn_golden.torch import LAYERS, L1BatchNorm1d, L1BatchNorm2d, L2BatchNorm1d, convert
from l1bn_golden.torch.blocks import block_exponent

# The tests run on all cores already.
torch.set_num_threads(1)

NORMS = sorted(norms.NORMS)
FLAT = {norm: LAYERS[norm, 1] for norm in NORMS}
CENTRED = [norm for norm in NORMS if norms.norm_of(norm).centred]
MAPS = {norm: LAYERS[norm, 2] for norm in NORMS}
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
    """x and dy are on the grid, at any power of two, and dx has room: what goes in and comes out is then exact."""
    formats = contract(norm, width, dy_fraction=width - 1, dx_fraction=width - 4)
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
    # Epsilon counts in units of x as the unit reads it.
    eps = math.ldexp(layer.eps, (formats.x_fraction - 3) * norms.norm_of(norm).power)
    reals = FLAT[norm](3, eps=eps, dtype=torch.float64).eval()
    reals.load_state_dict(layer.state_dict())
    with torch.no_grad():
        expected = np.clip(np.ldexp(reals(x).numpy(), formats.y_fraction), formats.y_min, formats.y_max)
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
    level = 0.3 if norm in CENTRED else 0.0
    x = torch.full((16, 2), level)
    x[:8, 1] = -1.7
    x.requires_grad_()
    y = layer(x)
    y.backward(torch.randn(16, 2))
    assert (y[:, 0] == 0.5).all() and (x.grad[:, 0] == 0).all() and (x.grad[:, 1] != 0).any()
    assert math.isclose(float(layer.running_var[0]), 0.9, rel_tol=1e-6)  # 0 counts a tenth


@pytest.mark.parametrize("width", [4, 5, 8, 16, 32])
def test_block_exponent(width: int, rng) -> None:
    limit = (1 << (width - 1)) - 1
    exact = [math.ldexp(limit, shift) for shift in (-200, -3, 0, 90)]
    for largest in [*exact, *np.nextafter(exact, np.inf), *rng.lognormal(0, 30, 100), 2.0**-1074, 1e300]:
        exponent = block_exponent(np.array([[0.0, -largest]]), width)
        assert math.ldexp(largest, exponent) <= limit
        assert math.ldexp(largest, exponent) > limit / 2
    assert block_exponent(np.zeros((2, 2)), width) == 0


def test_any_backend_takes_the_place_of_the_model() -> None:
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
            self.result = super().forward(x, gamma, beta)
            return self.result

        def backward(self, x, dy, gamma, statistics):
            calls.append("backward")
            assert dy.shape == x.shape and dy.dtype.kind == "i"
            for name in ("mean", "r_mantissa", "r_exponent", "sign_count"):
                np.testing.assert_array_equal(getattr(statistics, name), getattr(self.result, name))
            return super().backward(x, dy, gamma, statistics)

    formats = contract("l1", 10)
    layer = L1BatchNorm2d(3, eps=1e-3, formats=formats, backend=Recorder)
    model = copy.deepcopy(layer)
    for batch in (4, 4, 2):
        model(torch.randn(batch, 3, 2, 2, requires_grad=True)).sum().backward()
    units = [formats.replace(counts=(n,), epsilon=1e-3) for n in (16, 8)]
    assert made == units
    assert calls == ["forward", "backward"] * 3
    copy.deepcopy(model)(torch.randn(4, 3, 2, 2))
    assert made == [*units, units[0]]
    same = convert(nn.Sequential(nn.BatchNorm2d(3)), "l1", formats, Recorder)[0]
    same(torch.randn(4, 3, 2, 2))
    assert made[3:] == [formats.replace(counts=(16,), epsilon=same.eps)]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"formats.norm = 'l2' is not possible; allowed: l1"):
        L1BatchNorm2d(3, formats=contract("l2", 8))
    layer = L1BatchNorm1d(3, formats=contract("l1", 8))
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        layer(torch.rand(1, 3))
    with pytest.raises(
        ValueError, match="L1BatchNorm in integers: count = 2097152 is not possible; allowed: "
    ):
        L1BatchNorm1d(1, formats=contract("l1", 8))(torch.zeros(1 << 21, 1))


# -- types and formats --------------------------------------------------------------------------------

TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", TYPES)
def test_results_have_the_type_of_what_they_belong_to(norm: str, dtype: torch.dtype, training: bool) -> None:
    for kind in {dtype, torch.promote_types(dtype, torch.float32)}:
        for autocast in (False, True):
            layer = MAPS[norm](3, formats=contract(norm, 8), dtype=kind).train(training)
            x = torch.randn(4, 3, 5, 5).to(dtype).requires_grad_()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                y = layer(x)
            y.sum().backward()
            assert y.dtype == x.grad.dtype == dtype
            for values in (layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var):
                assert values.dtype == kind


@pytest.mark.parametrize("norm", NORMS)
def test_statistics_of_a_short_type_are_those_of_a_long_one(norm: str, rng) -> None:
    """Sums beyond the range of float16, means and spreads finer than its digits."""
    x = torch.from_numpy(rng.standard_normal((64, 3, 32, 32))).half() * 100 + 200
    layers = [
        MAPS[norm](3, formats=contract(norm, 16), dtype=kind) for kind in (torch.float32, torch.float64)
    ]
    for layer, values in zip(layers, (x, x.double()), strict=True):
        values.requires_grad_()
        layer(values).backward(torch.ones_like(values))
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(
            getattr(layers[0], name).double(), getattr(layers[1], name), rtol=1e-6, atol=0
        )
    torch.testing.assert_close(layers[0].bias.grad, torch.full((3,), 65536.0))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("norm", NORMS)
def test_every_output_is_a_number_of_the_format(norm: str, dtype: torch.dtype) -> None:
    digits = 1 - round(math.log2(torch.finfo(dtype).eps))
    for width in range(4, 33):
        formats = contract(norm, width)
        layer = FLAT[norm](2, formats=formats, dtype=torch.promote_types(dtype, torch.float32))
        with torch.no_grad():
            layer.weight.fill_(3)
        x = torch.randn(64, 2).to(dtype)
        for y in (layer(x), layer.eval()(x), layer(1000 * x)):
            integers = np.ldexp(y.detach().double().numpy(), formats.y_fraction)
            assert (integers == np.round(integers)).all()
            assert formats.y_min <= integers.min() and integers.max() <= formats.y_max
        # Saturated at both ends: at the last number that the type has.
        largest = (1 << (width - 1)) - 1
        excess = max(0, width - 1 - digits)
        assert integers.min() == formats.y_min and integers.max() == largest >> excess << excess


def test_rounding_passes_no_error_through_a_difference() -> None:
    layer = L1BatchNorm1d(1, formats=Contract(norm="l1", width=8), dtype=torch.bfloat16).eval()
    layer.running_var.fill_(1e-4)
    y = layer(torch.tensor([[-1.0], [-0.5], [0.5], [1.0]], dtype=torch.bfloat16))
    assert y.flatten().tolist() == [-8, -8, 7.9375, 7.9375]


# -- inference ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8, 12, 16])
@pytest.mark.parametrize(
    ("mean", "spread", "x"),
    [(1, 1, 1e-4), (3, 1.5, 0.01), (-500, 100, 1e-30), (0, 1e4, 1)],
)
@pytest.mark.parametrize("norm", NORMS)
def test_the_power_of_two_fits_x_mean_and_r(
    norm: str, mean: float, spread: float, x: float, width: int
) -> None:
    formats = Contract(norm=norm, width=width)
    layer = FLAT[norm](1, formats=formats).eval()
    layer.running_mean.fill_(mean)
    layer.running_var.fill_(spread ** norms.norm_of(norm).power)
    mean = mean if norm in CENTRED else 0.0
    y = layer(torch.tensor([[float(x)], [-x]])).detach().flatten().numpy()
    error = np.ldexp(y - (np.array([x, -x]) - mean) / spread, formats.y_fraction)
    assert np.abs(error).max() < 0.75


@pytest.mark.parametrize("norm", NORMS)
def test_inference_is_within_its_bound_of_the_exact_result(norm: str, rng) -> None:
    """Scales of x, mean and r from the smallest to the largest numbers, apart and together; docs/training.md."""
    for _ in range(300):
        width, guard_bits = int(rng.integers(4, 33)), [None, 0, 3][rng.integers(3)]
        guard_bits = guard_bits if norm in CENTRED else None
        formats = contract(norm, width, guard_bits=guard_bits, running_fraction=[None, 6][rng.integers(2)])
        scale = rng.uniform(-140, 140)
        x, mean, deviation = (
            rng.standard_normal(shape) * 10.0 ** np.clip(scale + rng.normal(0, 4, (1, 3)), -140, 140)
            for shape in ((20, 3), (1, 3), (1, 3))
        )
        deviation = np.abs(deviation)
        layer = FLAT[norm](
            3, eps=[0.0, 1e-5, 1.0][rng.integers(3)], formats=formats, dtype=torch.float64
        ).eval()
        gamma, beta = rng.integers(-(1 << 15), 1 << 15, 3), rng.integers(formats.y_min, formats.y_max, 3)
        with torch.no_grad():
            layer.weight.copy_(tensor(gamma, -formats.gamma_fraction))
            layer.bias.copy_(tensor(beta, -formats.beta_fraction))
            layer.running_mean.copy_(torch.from_numpy(mean[0]))
            layer.running_var.copy_(torch.from_numpy(deviation[0] ** norms.norm_of(norm).power))
            y = np.ldexp(layer(torch.from_numpy(x)).numpy(), formats.y_fraction)
        if norm not in CENTRED:  # what stands there is not read
            mean = np.zeros((1, 3))
        # Everything in LSB of x as the layer takes it.
        largest = max(np.abs(values).max() for values in (x, mean, deviation))
        e = width - 1 - math.frexp(largest)[1]
        e -= math.ldexp(largest, e) > 2 ** (width - 1) - 1
        x, mean, deviation = (np.ldexp(values, e) for values in (x, mean, deviation))
        if norms.norm_of(norm).power == 1:
            r = deviation + math.ldexp(layer.eps, formats.x_fraction)
        else:
            r = np.hypot(deviation, math.ldexp(math.sqrt(layer.eps), formats.x_fraction))
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            k = np.ldexp(gamma.astype(float), formats.y_fraction - formats.gamma_fraction) / r
            exact = k * (x - mean) + beta
            Gr = formats.T if formats.running_fraction is None else formats.running_fraction
            d = np.minimum(np.abs(exact - beta), 2 ** (width - 1) + np.abs(beta))
            bound = 0.5 + np.abs(k) * (0.5 + 2.0 ** -(formats.G + 1))
            bound = bound + np.maximum(d * 2.0**-formats.scale_width, 2.0**-5) + d * 2.0 ** -(formats.T - 2)
            bound += d * 2.0**-Gr / r
            error = np.abs(y - np.clip(exact, formats.y_min, formats.y_max))
        assert (error <= bound)[np.isfinite(exact)].all()


@pytest.mark.parametrize("norm", NORMS)
def test_inference_has_the_gradient_of_its_affine_map(norm: str, rng) -> None:
    """Once and twice, with respect to x, weight and bias."""
    state = {
        "weight": [0.5, -2.0],
        "bias": [0.25, 1.0],
        "running_mean": [0.5, -1.0],
        "running_var": [0.25, 4.0],
    }
    layers = [
        FLAT[norm](2, formats=formats, dtype=torch.float64).eval() for formats in (None, contract(norm, 16))
    ]
    dy, v = (torch.from_numpy(rng.standard_normal((8, 2))) for _ in range(2))
    x = torch.from_numpy(rng.standard_normal((8, 2)))
    results = []
    for layer in layers:
        with torch.no_grad():
            for name, values in state.items():
                getattr(layer, name).copy_(torch.tensor(values))
        leaf = x.clone().requires_grad_()
        inputs = [leaf, layer.weight, layer.bias]
        first = torch.autograd.grad(layer(leaf), inputs, dy, create_graph=True)
        second = torch.autograd.grad((first[0] * v).sum() + first[1].sum(), inputs[:2])
        results.append([*first, *second])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


# -- gradients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [8, 12, 16, 24, 32])
@pytest.mark.parametrize("norm", NORMS)
def test_dx_does_not_saturate(norm: str, width: int, rng) -> None:
    """Whatever the unit reads x as, and in a narrow channel beside a wide one."""
    ends: list[int] = []

    class Watched(GoldenBackend):
        def backward(self, x, dy, gamma, statistics):
            result = super().backward(x, dy, gamma, statistics)
            ends.append(np.count_nonzero(np.abs(result.dx + 0.5) > 2 ** (width - 1) - 1))
            return result

    scales = torch.tensor([1.0, 1.0, 0.5, 1 / 8]).reshape(1, 4, 1, 1)
    x = torch.from_numpy(rng.standard_normal((8, 4, 8, 8))) * scales
    dy = torch.from_numpy(rng.standard_normal((8, 4, 8, 8))) / scales
    for x_fraction in (width // 2, width - 4, width - 2, width - 1):
        formats = Contract(norm=norm, width=width, x_fraction=x_fraction)
        gradients = []
        for layer in (
            MAPS[norm](4, dtype=torch.float64),
            MAPS[norm](4, formats=formats, backend=Watched, dtype=torch.float64),
        ):
            leaf = x.clone().requires_grad_()
            layer(leaf).backward(dy)
            gradients.append(leaf.grad)
        exact, fixed = gradients
        # dy of 8 bits has 4 of them left where dx is 8 times larger.
        assert (fixed - exact).norm() / exact.norm() < (0.4 if width == 8 else 0.03)
        assert abs(fixed.norm() / exact.norm() - 1) < (0.1 if width == 8 else 0.01)
    assert ends and not any(ends)


def test_no_second_derivative_vanishes() -> None:
    layer = L1BatchNorm1d(3, formats=contract("l1", 8))
    x = torch.randn(8, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x).pow(3).sum(), x, create_graph=True)
    assert gradient.requires_grad
    with pytest.raises(NotImplementedError, match="no second derivative in training"):
        gradient.square().sum().backward()
    with pytest.raises(NotImplementedError, match="no second derivative in training"):
        torch.autograd.functional.hessian(lambda values: layer(values).pow(3).sum(), x)
    for mode in (layer.train(), layer.eval()):
        with pytest.raises(NotImplementedError, match="no derivative in forward mode"):
            torch.func.jvp(mode, (x.detach(),), (x.detach(),))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("norm", NORMS)
def test_what_is_not_finite_makes_its_channel_nan(norm: str, bad: float) -> None:
    x, dy = torch.randn(8, 3, 2, 2), torch.randn(8, 3, 2, 2)
    spoilt_x, spoilt_dy = x.clone(), dy.clone()
    spoilt_x[5, 1, 0, 1] = spoilt_dy[2, 1, 1, 0] = bad
    # An element that the other channels' power of two does not depend on.
    x[5, 1] = dy[2, 1] = 0
    clean = MAPS[norm](3, formats=contract(norm, 8))

    def run(layer: nn.Module, x: Tensor, dy: Tensor) -> list[Tensor]:
        leaf = x.clone().requires_grad_()
        y = layer(leaf)
        y.backward(dy)
        state = layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var
        return [*(values.detach().transpose(0, 1) for values in (y, leaf.grad)), *state]

    for training in (True, False):
        of_x = run(copy.deepcopy(clean).train(training), spoilt_x, dy)
        of_dy = run(copy.deepcopy(clean).train(training), x, spoilt_dy)
        mean = training and norm in CENTRED
        for values, spoilt in zip(of_x, (True, training, True, training, mean, training), strict=True):
            assert not values[1].isfinite().any() or not spoilt
            assert values[[0, 2]].isfinite().all()
        for values, spoilt in zip(of_dy[1:4], (training, True, True), strict=True):
            assert not values[1].isfinite().all() if spoilt else True
            assert values[[0, 2]].isfinite().all()
    for name in ("weight", "bias", *["running_mean"] * (norm in CENTRED), "running_var"):
        layer = copy.deepcopy(clean).eval()
        with torch.no_grad():
            getattr(layer, name)[1] = bad
            y = layer(x)
            assert y[:, 1].isnan().all() and y[:, [0, 2]].isfinite().all()


def test_a_gradient_scaler_skips_the_step_and_lowers_the_scale() -> None:
    model = nn.Sequential(nn.Linear(4, 3), L2BatchNorm1d(3, formats=contract("l2", 8)), nn.Linear(3, 1))
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    before = copy.deepcopy(list(model.parameters()))
    scaler.scale((model(torch.randn(8, 4)) * 100).square().sum()).backward()
    scaler.step(optimiser)
    scaler.update()
    assert scaler.get_scale() == 2.0**126
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)


# -- shapes, extremes, other devices ------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
def test_the_memory_format_is_that_of_x(norm: str, training: bool) -> None:
    x = torch.randn(4, 3, 5, 6)
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        layer = MAPS[norm](3, formats=contract(norm, 8)).train(training)
        leaf = x.to(memory_format=memory_format).requires_grad_()
        inner = leaf * 1
        y = layer(inner)
        (dx,) = torch.autograd.grad(y.square().sum(), inner, retain_graph=True)
        (of_ones,) = torch.autograd.grad(y.sum(), inner)
        for values in (y, dx, of_ones):
            assert values.is_contiguous(memory_format=memory_format)
        results.append((y, dx))
    for plain, last in zip(*results, strict=True):
        assert torch.equal(plain, last)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
def test_an_empty_batch_gives_an_empty_result(norm: str, training: bool) -> None:
    for layer, shape in ((FLAT[norm], (0, 3)), (FLAT[norm], (2, 3, 0)), (MAPS[norm], (0, 3, 4, 4))):
        layer = layer(3, formats=contract(norm, 8)).train(training)
        x = torch.empty(shape, requires_grad=True)
        y = layer(x)
        y.sum().backward()
        assert y.shape == x.grad.shape == shape
        assert (layer.weight.grad == 0).all() and (layer.bias.grad == 0).all()
        assert (layer.running_mean == 0).all() and (layer.running_var == 1).all()


@pytest.mark.parametrize("width", [4, 8, 16, 25, 32])
@pytest.mark.parametrize("norm", NORMS)
def test_y_and_dx_follow_x_to_the_ends_of_its_type(norm: str, width: int, rng) -> None:
    formats = contract(norm, width)
    x = integers(rng, min(width, 10), (16, 2))
    dy = torch.from_numpy(rng.standard_normal((16, 2)))
    base = None
    for exponent in (0, -1074, -1000, -149, 127, 900, 1000):
        layer = FLAT[norm](2, formats=formats, dtype=torch.float64)
        leaf = tensor(x, exponent).requires_grad_()
        y = layer(leaf)
        y.backward(dy)
        base = y.detach() if base is None else base
        assert torch.equal(y, base)
        assert not leaf.grad.isnan().any() and layer.weight.grad.isfinite().all()
        assert not layer.running_mean.isnan().any() and not layer.running_var.isnan().any()
        if layer.running_var.isfinite().all():
            assert layer.eval()(leaf).isfinite().all()


@pytest.mark.parametrize("norm", NORMS)
def test_states_that_torch_takes(norm: str) -> None:
    x = torch.randn(8, 2)
    layer = FLAT[norm](2, formats=contract(norm, 8)).eval()
    for value in (0.0, 1e-45, 1e-38, 3e38):
        for name in ("running_mean", "running_var", "weight", "bias"):
            state = copy.deepcopy(layer)
            with torch.no_grad():
                getattr(state, name).fill_(value)
            leaf = x.clone().requires_grad_()
            y = state(leaf)
            y.sum().backward()
            assert y.isfinite().all() and not leaf.grad.isnan().any()
    with torch.no_grad():
        layer.running_var.fill_(-1.0)
        assert layer(x).isnan().all()
    for momentum, track in ((None, True), (0.1, False), (0.0, True), (1.0, True)):
        layer = FLAT[norm](2, momentum=momentum, track_running_stats=track, formats=contract(norm, 8))
        assert layer(x).isfinite().all() and layer.eval()(x).isfinite().all()
