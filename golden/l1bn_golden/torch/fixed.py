"""Batch normalisation in the hardware's integers, with floating-point tensors outside.

How a tensor becomes integers: x and dy are block floating point, one power of two for the whole tensor, chosen
anew for each tensor as the largest one with which no element saturates. gamma, beta and y have the fixed formats
of the contract. The unit reads x as if it had ``x_fraction`` fraction bits. It may, because the norm does not
depend on the scale of x; only epsilon does, and counts in units of the scaled x. dx is scaled back by what
x and dy were scaled. Everything is rounded half up, as in the hardware, and y, dx, gamma and beta saturate.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..backend import Backend
from ..channel import normalize, scale
from ..contract import Contract
from ..data import quantize
from ..samples import Integers, affine
from .floating import along_channels, require_finite, track

if TYPE_CHECKING:
    from .modules import BatchNorm

__all__ = ["HardwareNormalisation", "batch_norm", "block_exponent", "infer"]


def block_exponent(values: npt.NDArray[Any], width: int) -> int:
    """The largest e with which no ``value * 2**e`` saturates in ``width`` bits; 0 if all of them are 0."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return 0
    mantissa, exponent = math.frexp(largest)
    limit = 1 - 2.0 ** (1 - width)
    return width - 1 - exponent - (mantissa > limit)


def _rows(values: Tensor) -> npt.NDArray[np.float64]:
    """(batch, channels, ...) as (channels, samples)."""
    rows: npt.NDArray[np.float64] = (
        values.detach().transpose(0, 1).reshape(values.shape[1], -1).to("cpu", torch.float64).numpy()
    )
    return rows


def _tensor(rows: npt.ArrayLike, like: Tensor) -> Tensor:
    """(channels, samples) as a tensor of the shape, type and device of ``like``."""
    batch, channels, *rest = like.shape
    values = torch.from_numpy(np.asarray(rows, dtype=np.float64)).to(like.device, like.dtype)
    return values.reshape(channels, batch, *rest).transpose(0, 1).contiguous()


def _vector(values: npt.ArrayLike, like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64)).to(like.device, like.dtype)


def _parameter(values: Tensor | None, otherwise: float, channels: int, width: int, fraction: int) -> Integers:
    if values is None:
        return quantize(np.full(channels, otherwise), width, fraction)
    return quantize(values.detach().to("cpu", torch.float64).numpy(), width, fraction)


def _affine_parameters(
    contract: Contract, weight: Tensor | None, bias: Tensor | None, channels: int
) -> tuple[Integers, Integers]:
    return (
        _parameter(weight, 1.0, channels, contract.gamma_width, contract.gamma_fraction),
        _parameter(bias, 0.0, channels, contract.beta_width, contract.beta_fraction),
    )


class HardwareNormalisation(torch.autograd.Function):
    """``y, mean, spread = apply(x, weight, bias, contract, backend)``: batch normalisation in integers.

    ``contract`` has n, the samples of a channel, as its only count, and ``backend`` was made for it. The gradient
    passes through the saturation of y and through the rounding of everything as if there were none.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        contract: Contract,
        backend: Backend,
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(x)
        exponent = block_exponent(rows, contract.width)
        samples = quantize(rows, contract.width, exponent)
        gamma, beta = _affine_parameters(contract, weight, bias, len(rows))
        result = backend.forward(samples, gamma, beta)
        ctx.contract, ctx.backend, ctx.exponent = contract, backend, exponent
        ctx.integers = samples, gamma, result
        mean = _vector(np.ldexp(result.mean.astype(np.float64), -contract.G - exponent), x)
        spread = _vector(_spread(contract, result, exponent), x)
        ctx.mark_non_differentiable(mean, spread)
        return _tensor(np.ldexp(result.y.astype(np.float64), -contract.y_fraction), x), mean, spread

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        require_finite("gradient", dy)
        contract: Contract = ctx.contract
        samples, gamma, statistics = ctx.integers
        rows = _rows(dy)
        exponent = block_exponent(rows, contract.dy_width)
        result = ctx.backend.backward(samples, quantize(rows, contract.dy_width, exponent), gamma, statistics)
        # What the unit took x and dy for, times what they are.
        unit = contract.x_fraction - contract.dy_fraction + contract.dx_fraction
        dx = np.ldexp(result.dx.astype(np.float64), ctx.exponent - exponent - unit)
        dgamma, dbeta = (
            np.ldexp(np.asarray(sums, dtype=np.float64), -exponent) for sums in (result.dgamma, result.dbeta)
        )
        needed = ctx.needs_input_grad
        return (
            _tensor(dx, dy) if needed[0] else None,
            _vector(dgamma, dy) if needed[1] else None,
            _vector(dbeta, dy) if needed[2] else None,
            None,
            None,
        )


def _spread(contract: Contract, result: Any, exponent: int) -> npt.NDArray[np.float64]:
    """The spread without eps, in units of the tensor, from the r of the hardware, which contains it."""
    r = np.ldexp(result.r_mantissa.astype(np.float64), -result.r_exponent.astype(np.int64))
    (count,) = contract.counts
    epsilon = float(contract.effective_epsilon(count))
    if contract.norm == "l1":
        return np.ldexp(np.maximum(r - epsilon, 0), -exponent)
    return np.ldexp(np.maximum(r * r - epsilon, 0), -2 * exponent)


def infer(
    contract: Contract,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor,
    running_spread: Tensor,
) -> Tensor:
    """y in integers from stored statistics: the hardware's scale and affine operators, epsilon as in training."""
    rows = _rows(x)
    exponent = block_exponent(rows, contract.width)
    gamma, beta = _affine_parameters(contract, weight, bias, len(rows))
    mean = [round(math.ldexp(value, exponent + contract.G)) for value in running_mean.tolist()]
    scales = []
    for spread, g in zip(running_spread.tolist(), gamma.tolist(), strict=True):
        if contract.norm == "l1":
            r = math.ldexp(spread, exponent) + math.ldexp(contract.epsilon, contract.x_fraction)
        else:
            r = math.sqrt(
                math.ldexp(spread, 2 * exponent) + math.ldexp(contract.epsilon, 2 * contract.x_fraction)
            )
        v = max(1, int(math.ldexp(r, contract.T)))
        scales.append(scale(contract, g, *normalize(v, contract.T, contract.T)))
    k, t, negative = zip(*scales, strict=True)
    y = affine(contract, quantize(rows, contract.width, exponent), mean, k, t, negative, beta.tolist())
    return _tensor(np.ldexp(y.astype(np.float64), -contract.y_fraction), x)


def batch_norm(
    layer: BatchNorm,
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float | Tensor,
) -> Tensor:
    """y of a layer with ``formats``, and its running statistics moved by ``momentum`` if ``training``."""
    require_finite("input", x)
    if not training:
        assert running_mean is not None and running_var is not None and layer.formats is not None
        spread = running_var + layer.eps
        r = along_channels(spread if layer.norm == "l1" else spread.sqrt(), x)
        weight, bias = layer.weight, layer.bias
        y = (x - along_channels(running_mean, x)) / r
        y = y if weight is None else y * along_channels(weight, x)
        y = y if bias is None else y + along_channels(bias, x)
        formats = layer.formats.replace(epsilon=layer.eps)
        exact = infer(formats, x, weight, bias, running_mean, running_var)
        return y + (exact - y).detach()
    count = x.numel() // x.shape[1]
    y, mean, spread = HardwareNormalisation.apply(x, layer.weight, layer.bias, *layer.unit(count))
    if running_mean is not None and running_var is not None:
        unbiased = spread * count / (count - 1) if layer.norm == "l2" else spread
        track(((running_mean, mean), (running_var, unbiased)), momentum)
    return y
