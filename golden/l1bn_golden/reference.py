"""Batch normalisation in float64, forward and backward, of every norm, vectorised over channels.

With M the mean over the n samples of a channel (row):

    mean  = M[x]                                        of a norm that subtracts it
    r     = (s + epsilon)^(1/p)                         s and p: those of the norm
    xhat  = (x - mean) / r,   y = gamma * xhat + beta
    dbeta = sum dy,           dgamma = sum dy * xhat
    dx    = gamma / r * (dy - M[dy] - q * M[dy * xhat])

where q = n * dr/dx. For L1 s is M|x - mean|, p 1, and q is sgn(x - mean) - M[sgn(x - mean)] with sgn(0) = 0; for L2
s is the variance, p 2, and q is xhat. See :mod:`l1bn_golden.norms`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .norms import gradient_of, norm_of
from .norms.base import Reals

__all__ = ["Backward", "Forward", "Reals", "backward", "forward"]


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
    norm : the name of one of :data:`~l1bn_golden.norms.NORMS`
    x : real numbers of shape (channels, n)
    gamma, beta : a real number per channel, or one for all
    epsilon : added to the norm's s: the mean absolute deviation (L1), the variance (L2)
    """
    samples, gammas = _samples("x", x), _column(gamma)
    traits = norm_of(norm)
    mean = traits.centre(samples)
    centred = samples - mean
    r = (traits.real_spread(centred) + epsilon) ** (1 / traits.power)
    # A channel of equal samples without epsilon has no spread, and stays where its mean is.
    xhat = np.divide(centred, r, out=np.zeros_like(centred), where=r > 0)
    return Forward(gammas * xhat + _column(beta), xhat, mean[:, 0], r[:, 0])


def backward(
    norm: str, x: npt.ArrayLike, gamma: npt.ArrayLike, dy: npt.ArrayLike, epsilon: float = 1e-5
) -> Backward:
    """The gradients of sum(dy * y) with respect to x, gamma and beta.

    A channel without spread, as one of equal samples, has dx = 0 by convention: there r has no derivative.

    Parameters as in :func:`forward`; dy has the shape of x.
    """
    samples, gradient = _samples("x", x), _samples("dy", dy)
    if gradient.shape != samples.shape:
        raise ValueError(f"dy of shape {gradient.shape} is not possible; allowed: {samples.shape}, that of x")
    traits = norm_of(norm)
    of_norm = gradient_of(traits)
    statistics = forward(norm, samples, gamma, 0.0, epsilon)
    xhat, r = statistics.xhat, statistics.r[:, None]
    q = of_norm.real_q(samples - statistics.mean[:, None], xhat)
    correlation = (gradient * xhat).mean(axis=1, keepdims=True)
    inner = gradient - traits.centre(gradient) - q * correlation
    dx = np.divide(_column(gamma) * inner, r, out=np.zeros_like(inner), where=traits.varies(samples))
    return Backward(dx, (gradient * xhat).sum(axis=1), gradient.sum(axis=1))


def _samples(name: str, values: npt.ArrayLike) -> Reals:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: (channels, samples)")
    return array


def _column(values: npt.ArrayLike) -> Reals:
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)
