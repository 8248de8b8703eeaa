"""Both norms in floating point with their exact gradient, as one autograd function.

Layout of x, y and their gradients: (batch, channels, ...). A channel's samples are all that share its index in
the second dimension.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["Normalisation", "NotFiniteError", "along_channels", "require_finite", "spread_to_r"]


class NotFiniteError(ValueError):
    """A NaN or an infinity where a number was expected."""


def require_finite(name: str, values: Tensor) -> None:
    """:exc:`NotFiniteError` if there is a NaN or an infinity among the values."""
    if not torch.isfinite(values).all():
        raise NotFiniteError(f"{name} = nan or inf is not possible; allowed: finite numbers")


def along_channels(values: Tensor, like: Tensor) -> Tensor:
    """One value a channel, shaped so that it broadcasts over ``like``."""
    return values.reshape(1, -1, *[1] * (like.dim() - 2))


def spread_to_r(norm: str, spread: Tensor, eps: float) -> Tensor:
    """r from the mean absolute deviation (L1) or from the variance (L2)."""
    return spread + eps if norm == "l1" else torch.sqrt(spread + eps)


def _dimensions(x: Tensor) -> list[int]:
    return [0, *range(2, x.dim())]


class Normalisation(torch.autograd.Function):
    """``y, mean, spread = apply(x, weight, bias, norm, eps)``.

    Parameters
    ----------
    x : finite, (batch, channels, ...), at least two samples a channel
    weight, bias : (channels,), or ``None`` for 1 and 0
    norm : ``"l1"`` or ``"l2"``
    eps : added to the mean absolute deviation (L1) or to the variance (L2)

    Returns
    -------
    y of the shape of x, and for each channel its mean and its spread: the mean absolute deviation (L1) or the
    variance (L2), divided by n, without eps. No gradient flows through the two.

    The gradient of x is ``gamma / r * (dy - M[dy] - (q - M[q]) * M[dy * xhat])`` with q = sgn(x - mean),
    sgn(0) = 0, for L1 and q = xhat for L2. A channel of equal samples has the gradient 0, where
    torch.nn.BatchNorm2d has ``gamma / sqrt(eps) * (dy - M[dy])``: abs(x - mean) has no derivative there, and
    1/eps would blow up whatever reaches it.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, norm: str, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        dimensions = _dimensions(x)
        mean = x.mean(dimensions)
        centred = x - along_channels(mean, x)
        spread = (centred.abs() if norm == "l1" else centred.square()).mean(dimensions)
        constant = x.amax(dimensions) == x.amin(dimensions)
        # The mean of equal samples is not always that sample in floating point.
        rate = torch.where(constant, 0, 1 / spread_to_r(norm, spread, eps))
        xhat = centred * along_channels(rate, x)
        ctx.save_for_backward(xhat, rate, weight)
        ctx.norm = norm
        ctx.mark_non_differentiable(mean, spread)
        y = xhat if weight is None else xhat * along_channels(weight, x)
        return (y.clone() if bias is None else y + along_channels(bias, x)), mean, spread

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        require_finite("gradient", dy)
        xhat, rate, weight = ctx.saved_tensors
        dimensions = _dimensions(dy)
        count = dy.numel() // dy.shape[1]
        dbeta, dgamma = dy.sum(dimensions), (dy * xhat).sum(dimensions)
        dx = None
        if ctx.needs_input_grad[0]:
            mean_dy, correlation = along_channels(dbeta / count, dy), along_channels(dgamma / count, dy)
            q = xhat
            if ctx.norm == "l1":
                q = xhat.sign()
                q = q - along_channels(q.mean(dimensions), q)
            scale = rate if weight is None else weight * rate
            dx = along_channels(scale, dy) * (dy - mean_dy - q * correlation)
        return (
            dx,
            dgamma if ctx.needs_input_grad[1] else None,
            dbeta if ctx.needs_input_grad[2] else None,
            None,
            None,
        )
