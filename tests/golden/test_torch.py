"""The modules for PyTorch in floating point: gradients, equality with torch.nn.BatchNorm, states, bad input."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from l1bn_golden import reference
from l1bn_golden.torch import L1BatchNorm1d, L1BatchNorm2d, L2BatchNorm1d, L2BatchNorm2d, convert
from l1bn_golden.torch.floating import Normalisation

# The tests run on all cores already.
torch.set_num_threads(1)

LAYERS = {"l1": (L1BatchNorm1d, L1BatchNorm2d), "l2": (L2BatchNorm1d, L2BatchNorm2d)}
NORMS = sorted(LAYERS)


def skewed(generator: torch.Generator, *shape: int) -> Tensor:
    """Samples as behind a ReLU: exponential, with offsets that differ from channel to channel."""
    offset = torch.arange(shape[1], dtype=torch.float64).reshape(1, -1, *[1] * (len(shape) - 2))
    return torch.empty(shape, dtype=torch.float64).exponential_(generator=generator) + offset


@pytest.fixture
def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
        assert torch.autograd.gradcheck(
            lambda *a, eps=eps: Normalisation.apply(*a, norm, eps)[0], (x, weight, bias)
        )
        assert torch.autograd.gradcheck(
            lambda a, eps=eps: Normalisation.apply(a, None, None, norm, eps)[0], (x,)
        )


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

    y, dx, dgamma, dbeta = gradients(lambda *a: Normalisation.apply(*a, norm, 1e-5)[0], x, weight, bias, dy)
    expected = reference.backward(norm, rows(x), weight.numpy(), rows(dy))
    forward = reference.forward(norm, rows(x), weight.numpy(), bias.numpy())
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(rows(y), forward.y, **close)
    np.testing.assert_allclose(rows(dx), expected.dx, **close)
    np.testing.assert_allclose(dgamma, expected.dgamma, **close)
    np.testing.assert_allclose(dbeta, expected.dbeta, **close)


@pytest.mark.parametrize("norm", NORMS)
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
    L1BatchNorm1d(1, eps=0.0, dtype=torch.float64)(x).backward(dy)
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


@pytest.mark.parametrize("norm", NORMS)
def test_bad_input(norm: str) -> None:
    flat, maps = (layer(3) for layer in LAYERS[norm])
    for layer, shape, message in (
        (flat, (3,), "expected 2D or 3D input"),
        (flat, (2, 3, 1, 1), "expected 2D or 3D input"),
        (maps, (2, 3, 4), "expected 4D input"),
        (maps, (2, 4, 4, 4), "expected 3 channels"),
        (flat, (1, 3), "Expected more than 1 value per channel when training"),
        (flat, (0, 3), "Expected more than 1 value per channel when training"),
        (maps, (1, 3, 1, 1), "Expected more than 1 value per channel when training"),
    ):
        with pytest.raises(ValueError, match=message):
            layer(torch.zeros(shape))
    with pytest.raises(ValueError, match="expected floating point input"):
        flat(torch.zeros(4, 3, dtype=torch.int64))
    for bad in (float("nan"), float("inf"), -float("inf")):
        x = torch.rand(4, 3)
        x[1, 2] = bad
        with pytest.raises(ValueError, match="input = nan or inf is not possible"):
            flat(x)
        with pytest.raises(ValueError, match="gradient = nan or inf is not possible"):
            flat(torch.rand(4, 3, requires_grad=True)).backward(x)
    assert flat.num_batches_tracked == 3
    flat.eval()
    flat(torch.zeros(1, 3))


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_features": 0},
        {"num_features": 2.5},
        {"eps": -1e-5},
        {"eps": float("nan")},
        {"momentum": 1.5},
    ],
    ids=str,
)
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} = {value!r} is not possible"):
        L1BatchNorm2d(**{"num_features": 3} | arguments)
