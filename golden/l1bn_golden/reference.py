"""Batch normalisation in float64, forward and backward, L1 and L2, vectorised over channels.

With M the mean over the n samples of a channel (row):

    mean  = M[x]
    r     = M[|x - mean|] + epsilon          L1
          = sqrt(M[(x - mean)^2] + epsilon)  L2
    xhat  = (x - mean) / r,   y = gamma * xhat + beta
    dbeta = sum dy,           dgamma = sum dy * xhat
    dx    = gamma / r * (dy - M[dy] - (q - M[q]) * M[dy * xhat])

where q is sgn(x - mean) for L1, sgn(0) = 0, and xhat for L2, whose mean is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Backward", "Forward", "Reals", "backward", "forward"]

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Forward:
    """y and xhat of shape (channels, n); mean and r of shape (channels,)."""

    y: Reals
    xhat: Reals
    mean: Reals
    r: Reals


@dataclass(frozen=True)
class Backward:
    """dx of shape (channels, n); dgamma and dbeta of shape (channels,)."""

    dx: Reals
    dgamma: Reals
    dbeta: Reals


def forward(
    norm: str, x: npt.ArrayLike, gamma: npt.ArrayLike, beta: npt.ArrayLike, epsilon: float = 1e-5
) -> Forward:
    """Normalise every row of x.

    Parameters
    ----------
    norm : ``"l1"`` or ``"l2"``
    x : real numbers of shape (channels, n)
    gamma, beta : a real number per channel, or one for all
    epsilon : added to the mean absolute deviation (L1) or to the variance (L2)
    """
    samples, gammas = _samples("x", x), _column(gamma)
    mean = samples.mean(axis=1, keepdims=True)
    centred = samples - mean
    if norm == "l1":
        r = np.abs(centred).mean(axis=1, keepdims=True) + epsilon
    elif norm == "l2":
        r = np.sqrt((centred * centred).mean(axis=1, keepdims=True) + epsilon)
    else:
        raise ValueError(f"norm = {norm!r} is not possible; allowed: l1 or l2")
    # A channel of equal samples without epsilon has no spread, and stays where its mean is.
    xhat = np.divide(centred, r, out=np.zeros_like(centred), where=r > 0)
    return Forward(gammas * xhat + _column(beta), xhat, mean[:, 0], r[:, 0])


def backward(
    norm: str, x: npt.ArrayLike, gamma: npt.ArrayLike, dy: npt.ArrayLike, epsilon: float = 1e-5
) -> Backward:
    """The gradients of sum(dy * y) with respect to x, gamma and beta.

    A channel of equal samples has dx = 0 by convention: there |x - mean| has no derivative.

    Parameters as in :func:`forward`; dy has the shape of x.
    """
    samples, gradient = _samples("x", x), _samples("dy", dy)
    if gradient.shape != samples.shape:
        raise ValueError(f"dy of shape {gradient.shape} is not possible; allowed: {samples.shape}, that of x")
    statistics = forward(norm, samples, gamma, 0.0, epsilon)
    xhat, r = statistics.xhat, statistics.r[:, None]
    if norm == "l1":
        sign = np.sign(samples - statistics.mean[:, None])
        q = sign - sign.mean(axis=1, keepdims=True)
    else:
        q = xhat
    correlation = (gradient * xhat).mean(axis=1, keepdims=True)
    inner = gradient - gradient.mean(axis=1, keepdims=True) - q * correlation
    varies = samples.max(axis=1, keepdims=True) > samples.min(axis=1, keepdims=True)
    dx = np.divide(_column(gamma) * inner, r, out=np.zeros_like(inner), where=varies)
    return Backward(dx, (gradient * xhat).sum(axis=1), gradient.sum(axis=1))


def _samples(name: str, values: npt.ArrayLike) -> Reals:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: (channels, samples)")
    return array


def _column(values: npt.ArrayLike) -> Reals:
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)
