"""The norms in floating point, and what layers of both kinds check and keep.

Layout of x and y: (batch, channels, ...). A channel's samples are all that share its index in the second
dimension. Everything is written in differentiable operations of PyTorch and branches on shapes and types
only, so that derivatives of any order, tracing and transformations come from PyTorch itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.jit._trace import is_tracing

from ..norms import Norm

__all__ = [
    "along_channels",
    "batch_norm",
    "channel_dimensions",
    "check",
    "computation_dtype",
    "root",
    "track",
]

REDUCED = (torch.float16, torch.bfloat16)


def along_channels(values: Tensor, like: Tensor) -> Tensor:
    """One value a channel, shaped so that it broadcasts over ``like``."""
    return values.reshape(1, -1, *[1] * (like.dim() - 2))


def channel_dimensions(x: Tensor) -> list[int]:
    """The dimensions that the samples of a channel lie along."""
    return [0, *range(2, x.dim())]


def computation_dtype(dtype: torch.dtype) -> torch.dtype:
    """In which type the statistics of such an input are summed: float32 for the types of 16 bits."""
    return torch.float32 if dtype in REDUCED else dtype


def _same_dtype(x: Tensor, state: list[Tensor]) -> None:
    # What torch.batch_norm takes on a CPU.
    allowed = (x.dtype, torch.float32) if x.dtype in REDUCED else (x.dtype,)
    found = {tensor.dtype for tensor in state}
    if len(found) > 1 or not found <= set(allowed):
        names = ", ".join(sorted(map(str, found)))
        raise RuntimeError(
            f"mixed dtype: parameters and statistics of {names} are not possible with an input of {x.dtype}; "
            f"allowed: all of {' or all of '.join(map(str, dict.fromkeys(allowed)))}"
        )


def check(
    x: Tensor,
    running: tuple[Tensor | None, Tensor | None],
    affine: tuple[Tensor | None, Tensor | None],
    training: bool,
    eps: float,
) -> None:
    """The errors of :func:`torch.nn.functional.batch_norm` for what it does not take, of the same types."""
    if is_tracing():
        # A trace is for every shape.
        return
    count = math.prod((x.shape[0], *x.shape[2:]))
    if training and count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {x.shape}")
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if x.numel() == 0:
        return
    for name, tensor in zip(
        ("running_mean", "running_var", "weight", "bias"), (*running, *affine), strict=True
    ):
        if tensor is not None and tensor.numel() != x.shape[1]:
            raise RuntimeError(f"{name} should contain {x.shape[1]} elements not {tensor.numel()}")
    if (running[0] is None) != (running[1] is None):
        error = ValueError if training else RuntimeError
        raise error("running_mean and running_var must either both be None or neither be None")
    if not x.is_floating_point():
        raise NotImplementedError(f"batch norm is not implemented for {x.dtype}")
    _same_dtype(x, [tensor for tensor in (*running, *affine) if tensor is not None])


def track(averages: Iterable[tuple[Tensor, Tensor]], momentum: float | Tensor) -> None:
    """Move each running average towards its new value by ``momentum``, in place, both of shape (channels,)."""
    for average, value in averages:
        wide = computation_dtype(average.dtype)
        # Two products, as in torch: a difference from an infinite variance is none.
        average.copy_(momentum * value.detach().to(wide) + (1 - momentum) * average.detach().to(wide))


def _affine(
    x: Tensor, rate: Tensor, weight: Tensor | None, bias: Tensor | None, remainder: Tensor | None = None
) -> Tensor:
    """``(x - remainder) * rate * weight + bias`` in one pass over x."""
    scale = rate if weight is None else rate * along_channels(weight, x)
    offset = None if bias is None else along_channels(bias, x)
    if remainder is not None:
        offset = -remainder * scale if offset is None else offset - remainder * scale
    return x * scale if offset is None else torch.addcmul(offset, x, scale)


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_spread: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    training: bool,
    momentum: float | Tensor,
    eps: float,
    *,
    norm: Norm,
    spread: Callable[[Tensor], Tensor],
) -> Tensor:
    """:func:`torch.nn.functional.batch_norm` with the spread of a norm in the place of the variance.

    ``y = weight * (x - centre) / r + bias`` with ``r = (spread + eps) ** (1 / norm.power)``. The centre is the mean, or
    0 where the norm subtracts none. A channel whose samples do not differ from it has y = bias and the gradient 0: r
    has no derivative there, and 1/eps would blow up whatever reaches it.

    Parameters
    ----------
    x : (batch, channels, ...), float16, bfloat16, float32 or float64
    running_mean, running_spread : (channels,), or both ``None``; moved in place by ``momentum`` if ``training``. A norm
        without a mean neither reads nor moves the former
    weight, bias : (channels,), or ``None`` for 1 and 0
    training : normalise with the statistics of x, which needs two samples a channel, or with the running ones
    eps : added to the spread, in units of x to the norm's power
    norm : whose mathematics it is
    spread : the spread of each channel of x, its centre subtracted, shaped so that it broadcasts over x

    Returns
    -------
    y of the shape, type and memory format of x. Sums are float32 where x is float16 or bfloat16.
    """
    wide = x.to(computation_dtype(x.dtype))
    if not is_tracing() and x.numel() == 0:
        return _affine(wide, torch.ones_like(wide[:0].sum()), weight, bias).to(x.dtype)
    if not training:
        assert running_mean is not None and running_spread is not None
        centred = wide - along_channels(running_mean, x) if norm.centred else wide
        rate = 1 / root(along_channels(running_spread, x).to(wide.dtype) + eps, norm)
        return _affine(centred, rate, weight, bias).to(x.dtype)
    mean, centred = None, wide
    if norm.centred:
        mean = wide.mean(channel_dimensions(x), keepdim=True)
        centred = wide - mean
    found = spread(centred)
    level = _level(x.detach(), norm)
    rate = torch.where(level, 0, 1 / root(torch.where(level, 1, found + eps), norm))
    remainder = None
    averages = [(running_spread, found)]
    if mean is not None:
        # What rounding left of the mean, some last places of it: much where the samples are far from 0.
        remainder = centred.detach().mean(channel_dimensions(x), keepdim=True)
        averages.append((running_mean, mean + remainder))
    track([(kept, value.flatten()) for kept, value in averages if kept is not None], momentum)
    return _affine(centred, rate, weight, bias, remainder).to(x.dtype)


def root(values: Tensor, norm: Norm) -> Tensor:
    """r from spreads with eps."""
    return values.sqrt() if norm.power == 2 else values


def _level(x: Tensor, norm: Norm) -> Tensor:
    """Which channels do not vary: (1, channels, 1, ...)."""
    # The mean of equal samples is not always that sample in floating point.
    centre = x[(slice(0, 1), slice(None), *[slice(0, 1)] * (x.dim() - 2))] if norm.centred else 0
    level = x == centre
    for dimension in channel_dimensions(x):
        level = level.all(dimension, keepdim=True)
    return level
