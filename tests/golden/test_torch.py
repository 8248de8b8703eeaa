"""The modules for PyTorch in floating point: gradients, equality with torch.nn.BatchNorm, states, bad input."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from l1bn_golden import norms, reference
from l1bn_golden.torch import LAYERS as EVERY_LAYER
from l1bn_golden.torch import L1BatchNorm1d, L1BatchNorm2d, L2BatchNorm1d, L2BatchNorm2d, convert

# The tests run on all cores already.
torch.set_num_threads(1)

NORMS = sorted(norms.NORMS)
LAYERS = {norm: (EVERY_LAYER[norm, 1], EVERY_LAYER[norm, 2]) for norm in NORMS}
CENTRED = [norm for norm in NORMS if norms.norm_of(norm).centred]


def skewed(generator: torch.Generator, *shape: int) -> Tensor:
    """Samples as behind a ReLU: exponential, with offsets that differ from channel to channel."""
    offset = torch.arange(shape[1], dtype=torch.float64).reshape(1, -1, *[1] * (len(shape) - 2))
    return torch.empty(shape, dtype=torch.float64).exponential_(generator=generator) + offset


@pytest.fixture
def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def functional(norm: str, eps: float) -> Callable[..., Tensor]:
    """y of a layer with this norm, in training, from x, weight and bias."""

    def y(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
        layer = LAYERS[norm][0 if x.dim() < 4 else 1](x.shape[1], eps, track_running_stats=False).to(x.dtype)
        layer.weight = layer.bias = None
        state = {name: value for name, value in (("weight", weight), ("bias", bias)) if value is not None}
        return torch.func.functional_call(layer, state, x)

    return y


def gradients(
    function: Callable[..., Any], x: Tensor, weight: Tensor, bias: Tensor, dy: Tensor
) -> list[Tensor]:
    inputs = [tensor.detach().requires_grad_() for tensor in (x, weight, bias)]
    y = function(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, dy)]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(9, 3), (4, 3, 5), (3, 2, 2, 3)])
def test_gradients_are_those_of_the_forward_pass(norm: str, shape: tuple[int, ...], generator) -> None:
    x = skewed(generator, *shape).requires_grad_()
    weight = torch.linspace(-1.5, 2, shape[1], dtype=torch.float64).requires_grad_()
    bias = torch.linspace(-1, 1, shape[1], dtype=torch.float64).requires_grad_()
    # gradcheck steps by 1e-6: no sample is that near to its mean.
    centred = x - x.mean([0, *range(2, x.dim())], keepdim=True)
    assert centred.abs().min() > 1e-5
    for eps in (1e-5, 0.3):
        assert torch.autograd.gradcheck(functional(norm, eps), (x, weight, bias))
        assert torch.autograd.gradcheck(functional(norm, eps), (x, None, None))
        assert torch.autograd.gradgradcheck(functional(norm, eps), (x, weight, bias), fast_mode=True)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", ["skewed", "ties", "constant"])
def test_gradients_are_those_of_the_reference(norm: str, kind: str, generator) -> None:
    x = skewed(generator, 8, 4, 2, 2)
    if kind == "ties":
        # Half of the samples, and in the last channels three of four, are the exact mean.
        around = torch.tensor([0.0, 0, 0, 0, -1, 1, -2, 2], dtype=torch.float64).repeat(4)
        alone = torch.tensor([0.0, 0, 0, 0, 0, 0, -3, 3], dtype=torch.float64).repeat(4)
        above = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, -3], dtype=torch.float64).repeat(4)
        x = torch.stack([around, 2 * around + 3, alone - 5, above]).reshape(4, 8, 2, 2).transpose(0, 1)
    if kind == "constant":
        x[:, 1] = 0.1
    weight = torch.tensor([1.0, -2, 0.5, 3], dtype=torch.float64)
    bias = torch.tensor([0.0, 1, -1, 2], dtype=torch.float64)
    dy = skewed(generator, 8, 4, 2, 2) - 1

    def rows(values: Tensor) -> np.ndarray:
        return values.transpose(0, 1).reshape(4, -1).numpy()

    y, dx, dgamma, dbeta = gradients(functional(norm, 1e-5), x, weight, bias, dy)
    expected = reference.backward(norm, rows(x), weight.numpy(), rows(dy))
    forward = reference.forward(norm, rows(x), weight.numpy(), bias.numpy())
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(rows(y), forward.y, **close)
    # Where all samples are equal, L2 has the gradient of torch, which is not 0.
    varies = slice(None) if kind != "constant" or norm != "l2" else [0, 2, 3]
    np.testing.assert_allclose(rows(dx)[varies], expected.dx[varies], **close)
    np.testing.assert_allclose(dgamma, expected.dgamma, **close)
    np.testing.assert_allclose(dbeta, expected.dbeta, **close)


@pytest.mark.parametrize("norm", CENTRED)
def test_the_gradient_of_skewed_samples_sums_to_zero(norm: str, generator) -> None:
    """Without M[q] the sum is some per cent of the gradient for L1."""
    layer = LAYERS[norm][1](3, eps=1e-5, dtype=torch.float64)
    x = skewed(generator, 16, 3, 4, 4).requires_grad_()
    y = layer(x)
    y.backward(skewed(generator, 16, 3, 4, 4))
    sums, sizes = x.grad.sum((0, 2, 3)).abs(), x.grad.abs().sum((0, 2, 3))
    assert (sums < 1e-12 * sizes).all()


def test_a_tie_has_sign_zero() -> None:
    x = torch.tensor([[-1.0], [0], [0], [1], [-3], [3]], dtype=torch.float64, requires_grad=True)
    dy = torch.tensor([[1.0], [5], [-2], [0], [3], [1]], dtype=torch.float64)
    L1BatchNorm1d(1, eps=1e-30, dtype=torch.float64)(x).backward(dy)
    # mean 0, r = 8/6, M[dy] = 8/6, sum dy*xhat = -7/r, M[q] = 0.
    r, mean, correlation = 8 / 6, 8 / 6, -7 / (8 / 6) / 6
    q = torch.tensor([[-1.0], [0], [0], [1], [-1], [1]], dtype=torch.float64)
    torch.testing.assert_close(x.grad, (dy - mean - q * correlation) / r)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"eps": 0.1, "momentum": 0.3},
        {"momentum": None},
        {"affine": False},
        {"track_running_stats": False},
        {"bias": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 5), (6, 4, 5, 3)])
def test_l2_is_torch_batch_norm(shape, arguments: dict[str, Any], dtype, generator) -> None:
    ours, theirs = (L2BatchNorm2d, nn.BatchNorm2d) if len(shape) == 4 else (L2BatchNorm1d, nn.BatchNorm1d)
    mine, torchs = ours(4, dtype=dtype, **arguments), theirs(4, dtype=dtype, **arguments)
    if mine.weight is not None:
        with torch.no_grad():
            mine.weight.copy_(torch.tensor([1.0, -2, 0.5, 3]))
    torchs.load_state_dict(mine.state_dict())
    for _ in range(3):
        x, dy = skewed(generator, *shape).to(dtype), (skewed(generator, *shape) - 1).to(dtype)
        results = []
        for layer in (mine, torchs):
            layer.zero_grad()
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            y.backward(dy)
            results.append([y, leaf.grad, *[p.grad for p in layer.parameters()]])
        for a, b in zip(*results, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4 if dtype == torch.float32 else 1e-9, atol=1e-5)
    mine.eval(), torchs.eval()
    assert list(mine.state_dict()) == list(torchs.state_dict())
    for name, value in mine.state_dict().items():
        torch.testing.assert_close(value, torchs.state_dict()[name])
    torch.testing.assert_close(mine(x), torchs(x))


def test_l1_statistics(generator) -> None:
    layer = L1BatchNorm2d(3, momentum=0.25, dtype=torch.float64)
    x = skewed(generator, 8, 3, 4, 4)
    y = layer(x)
    mean = x.mean((0, 2, 3), keepdim=True)
    deviation = (x - mean).abs().mean((0, 2, 3), keepdim=True)
    torch.testing.assert_close(y, (x - mean) / (deviation + 1e-5))
    torch.testing.assert_close(layer.running_mean, 0.25 * mean.flatten())
    torch.testing.assert_close(layer.running_var, 0.75 + 0.25 * deviation.flatten())
    assert layer.num_batches_tracked == 1
    before = copy.deepcopy(layer.state_dict())
    layer.eval()
    expected = (x - layer.running_mean[:, None, None]) / (layer.running_var[:, None, None] + 1e-5)
    torch.testing.assert_close(layer(x), expected)
    assert all(torch.equal(value, layer.state_dict()[name]) for name, value in before.items())


@pytest.mark.parametrize("norm", NORMS)
def test_a_model_is_converted(norm: str, generator) -> None:
    """The samples are Gaussian, where L1 and L2 differ by a factor that the parameters take up."""
    model = nn.Sequential(
        nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5), nn.BatchNorm1d(5)
    )
    model = model.double()
    model[1].eps = model[5].eps = 1e-30
    x = torch.randn(256, 2, 4, 4, dtype=torch.float64, generator=generator)
    for _ in range(50):
        model(x)
    other = convert(copy.deepcopy(model), norm)
    assert type(other[1]) is LAYERS[norm][1] and type(other[5]) is LAYERS[norm][0]
    model.eval(), other.eval()
    torch.testing.assert_close(other(x), model(x), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="norm = 'l3' is not possible"):
        convert(model, "l3")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("norm", NORMS)
def test_statistics_of_short_types_are_summed_in_float32(norm: str, dtype: torch.dtype, generator) -> None:
    """65,536 squares do not fit float16, and thousands of dy do not add up in bfloat16."""
    wide = LAYERS[norm][1](3, dtype=torch.float64)
    for state in (torch.float32, dtype):
        layer = LAYERS[norm][1](3, dtype=state)
        x = (30 * torch.randn(65, 3, 32, 32, generator=generator) + 5).to(dtype).requires_grad_()
        dy = torch.randn(65, 3, 32, 32, generator=generator).add(1).to(dtype)
        y = layer(x)
        y.backward(dy)
        exact = x.detach().double().requires_grad_()
        wide.train().zero_grad()
        wide.reset_running_stats()
        wide(exact).backward(dy.double())
        assert y.dtype == x.grad.dtype == dtype
        unit = (
            {"rtol": 2 * torch.finfo(state).eps, "atol": 0}
            if state == dtype
            else {"rtol": 1e-4, "atol": 1e-5}
        )
        for name in ("running_mean", "running_var"):
            torch.testing.assert_close(getattr(layer, name).double(), getattr(wide, name).clone(), **unit)
        for name, parameter in layer.named_parameters() if state == torch.float32 else ():
            expected = wide.get_parameter(name).grad
            torch.testing.assert_close(parameter.grad.double(), expected, rtol=1e-4, atol=1)
        unit = torch.finfo(dtype).eps * 2
        torch.testing.assert_close(
            x.grad.double(), exact.grad, rtol=unit, atol=unit * float(exact.grad.abs().max())
        )
        layer.eval(), wide.eval()
        torch.testing.assert_close(layer(x).double(), wide(exact), rtol=2 * unit, atol=4 * unit)


@pytest.mark.parametrize("norm", NORMS)
def test_a_gradient_scaler_skips_the_step_and_lowers_the_scale(norm: str) -> None:
    results = []
    for kind in (LAYERS[norm][0], nn.BatchNorm1d):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(4, 3), kind(3), nn.Linear(3, 1))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1)
        before = [parameter.clone() for parameter in model.parameters()]
        scaler.scale(model(torch.randn(8, 4)).square().sum() * 4).backward()
        scaler.step(optimiser)
        scaler.update()
        same = [torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
        results.append((scaler.get_scale(), same))
    assert results[0] == results[1] == (2.0**126, [True] * 6)


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_not_finite_stays_in_its_channel(norm: str) -> None:
    for bad in (float("nan"), float("inf"), -float("inf")):
        layers = [kind(3, affine=False) for kind in (LAYERS[norm][0], nn.BatchNorm1d)]
        x, dy = torch.rand(6, 3), torch.rand(6, 3)
        x[2, 1] = bad
        for layer in layers:
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            y.backward(dy)
            for values in (y, leaf.grad):
                # Without a mean an infinity makes zeros of the others.
                finite = values[:, 1].isfinite()
                assert not (finite.any() if norm in CENTRED else finite.all())
                assert values[:, [0, 2]].isfinite().all()
            assert layer.running_var.isfinite().tolist() == [True, False, True]
            leaf = torch.rand(6, 3, requires_grad=True)
            layer(leaf).backward(x)
            assert not leaf.grad[:, 1].isfinite().any() and leaf.grad[:, [0, 2]].isfinite().all()


@pytest.mark.parametrize("shape", [(20000, 2), (64, 2, 32, 32)])
def test_samples_far_from_zero(shape: tuple[int, ...], generator) -> None:
    """An error of some last places of the mean would be hundreds of those of y."""
    x = (torch.randn(shape, generator=generator) + 1000).requires_grad_()
    dy = torch.randn(shape, generator=generator)
    layer = LAYERS["l1"][len(shape) // 4](2)
    wide = copy.deepcopy(layer).double()
    exact = x.detach().double().requires_grad_()
    y, expected = layer(x), wide(exact)
    y.backward(dy), expected.backward(dy.double())
    torch.testing.assert_close(y.double(), expected, rtol=0, atol=1e-4)
    # The sign of a sample that is the mean up to rounding is open.
    clear = (exact - exact.mean([0, *range(2, exact.dim())], keepdim=True)).abs() > 1e-3
    assert clear.double().mean() > 0.99
    torch.testing.assert_close(x.grad.double()[clear], exact.grad[clear], rtol=0, atol=1e-4)
    torch.testing.assert_close(layer.running_mean.double(), wide.running_mean, rtol=1e-7, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_a_constant_channel_of_l1_gives_beta_and_no_gradient(dtype: torch.dtype) -> None:
    for eps in (1e-5, 1e-30):
        layer = L1BatchNorm2d(3, eps=eps, dtype=dtype)
        nn.init.constant_(layer.bias, 0.7)
        x = torch.randn(7, 3, 5, 5).to(dtype)
        x[:, 0], x[:, 2] = 0.1, -1234.5
        x.requires_grad_()
        y = layer(x)
        y.backward(torch.randn(7, 3, 5, 5).to(dtype))
        assert (y[:, [0, 2]] == layer.bias[0]).all() and (x.grad[:, [0, 2]] == 0).all()
        assert (x.grad[:, 1] != 0).all() and layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("norm", NORMS)
def test_second_derivatives_are_those_of_central_differences(norm: str, generator) -> None:
    layer = LAYERS[norm][0](1, track_running_stats=False, dtype=torch.float64)
    x = skewed(generator, 5, 1)
    weights = skewed(generator, 5, 1)

    def loss(x: Tensor) -> Tensor:
        return (layer(x).pow(3) * weights).sum()

    def gradient(x: Tensor) -> Tensor:
        leaf = x.detach().requires_grad_()
        (found,) = torch.autograd.grad(loss(leaf), leaf, create_graph=True)
        assert found.requires_grad
        return found.detach()

    hessian = torch.autograd.functional.hessian(loss, x).reshape(5, 5)
    step = 1e-6 * torch.eye(5, dtype=torch.float64).reshape(5, 5, 1)
    differences = torch.stack([(gradient(x + s) - gradient(x - s)).flatten() / 2e-6 for s in step])
    assert hessian.abs().max() > 0.1
    torch.testing.assert_close(hessian, differences, rtol=1e-5, atol=1e-5 * float(hessian.abs().max()))


@pytest.mark.parametrize("norm", NORMS)
def test_tools_know_the_layers(norm: str, generator) -> None:
    """What looks for batch norms finds these: weight decay, averaged weights, transforms."""
    model = nn.Sequential(LAYERS[norm][0](3, momentum=0.01), nn.Linear(3, 3))
    assert isinstance(model[0], nn.modules.batchnorm._BatchNorm)
    batches = [skewed(generator, 8, 3).float() for _ in range(3)]
    torch.optim.swa_utils.update_bn(batches, model)
    expected = torch.stack(batches).mean((0, 1)) if norm in CENTRED else torch.zeros(3)
    torch.testing.assert_close(model[0].running_mean, expected)
    assert (model[0]._buffers["running_var"] != 1).all()
    assert model[0].momentum == 0.01
    torch.func.replace_all_batch_norm_modules_(model)
    assert model[0].running_mean is None and model[0].running_var is None


def test_running_var_of_l1_is_no_variance() -> None:
    layer = L1BatchNorm1d(3)
    layer.running_var.fill_(0.25)
    layer.running_var[1] = 2
    assert layer.state_dict()["running_var"].tolist() == [0.25, 2, 0.25]
    assert type(layer.state_dict()["running_var"]) is Tensor
    assert type(layer.running_var * 2) is Tensor and ((layer.running_var - 1) ** 2).mean().sqrt() > 0
    layer.running_var = torch.ones(3)
    assert layer.running_var.tolist() == [1, 1, 1]
    other = L1BatchNorm1d(3)
    other.running_var += 1
    layer.running_var = other.running_var
    for values in (layer.state_dict()["running_var"], copy.deepcopy(layer.running_var)):
        assert type(values) is Tensor and values.tolist() == [2, 2, 2]
    assert type(pickle.loads(pickle.dumps(layer.running_var))) is Tensor
    for variance in (
        lambda v: (v + 1e-5).sqrt(),
        lambda v: torch.rsqrt(v),
        lambda v: (v.float() + 1e-5) ** -0.5,
        lambda v: v.detach().clone().add(1e-5).pow(0.5),
        lambda v: v.data.to(torch.float64).sqrt_(),
        lambda v: nn.functional.batch_norm(torch.rand(4, 3), v, v),
    ):
        with pytest.raises(RuntimeError, match="mean absolute deviation, not a variance"):
            variance(layer.running_var)
    with pytest.raises(RuntimeError, match=r"running_var.data = ... is not possible"):
        layer.running_var.data = torch.ones(3)


def raised(layer: nn.Module, *inputs: Tensor) -> str:
    """The name of what the layer raises, or the types and shapes of what it gives."""
    try:
        return str([(y.dtype, y.shape) for y in map(layer, inputs)])
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMS)
def test_takes_and_refuses_what_torch_does(norm: str, training: bool) -> None:
    def without(*names: str) -> Callable[[nn.Module], None]:
        return lambda layer: [setattr(layer, name, None) for name in names] and None

    def untracked(layer: nn.Module) -> None:
        layer.track_running_stats = False

    arguments: list[dict[str, Any]] = [
        {}, {"eps": 0.0}, {"eps": -1.0}, {"eps": float("nan")}, {"momentum": None}, {"momentum": 0},
        {"momentum": 1.5}, {"affine": False}, {"bias": False}, {"track_running_stats": False},
        {"affine": False, "track_running_stats": False},
    ]  # fmt: skip
    changes: list[Callable[[nn.Module], None]] = [
        lambda layer: None, untracked, without("running_mean"), without("running_var"),
        without("running_mean", "running_var"), without("num_batches_tracked"), without("weight"),
    ]  # fmt: skip
    types = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
    inputs = [torch.rand(4, 3).to(dtype) for dtype in (*types, torch.int64, torch.complex64)]
    inputs += [
        torch.rand(shape) for shape in ((1, 3), (0, 3), (2, 3, 0), (2, 3, 1), (4, 5), (3,), (2, 3, 1, 1))
    ]
    compared = 0
    for argument in arguments:
        for change in changes:
            for dtype in types:
                layers = [kind(3, dtype=dtype, **argument) for kind in (LAYERS[norm][0], nn.BatchNorm1d)]
                for layer in layers:
                    layer.train(training)
                    change(layer)
                for x in inputs:
                    mine, torchs = (raised(layer, x) for layer in layers)
                    assert mine == torchs, (argument, change, dtype, x.dtype, x.shape)
                    compared += 1
    assert compared == 11 * 7 * 4 * 13


@pytest.mark.parametrize(
    "arguments", [{"num_features": 2.5}, {"num_features": -1}, {"device": "none"}], ids=str
)
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises((TypeError, RuntimeError)) as torchs:
        nn.BatchNorm2d(**{"num_features": 3} | arguments)
    with pytest.raises(torchs.type, match=re.escape(str(torchs.value)[:20])):
        L1BatchNorm2d(**{"num_features": 3} | arguments)
