"""The bit-exact integer model of a backward unit, vectorised over channels; ``docs/arithmetic.md``, 'Backward'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .channel import over_r, rounded_scale, saturated
from .contract import Contract
from .norms import ChannelGradient, Gradient, gradient_of
from .rounding import half_up
from .samples import BLOCK, Integers, channel_sum, product_sum
from .validation import bounded, fitted, per_channel, sample_rows

__all__ = ["Backward", "Statistics", "backward", "centred_products", "projection", "received"]


class Statistics(Protocol):
    """What a forward unit tells of each channel: integers of shape (channels,).

    Beside these :func:`backward` reads an attribute for each of the norm's own statistics.
    """

    @property
    def mean(self) -> Any: ...
    @property
    def r_mantissa(self) -> Any: ...
    @property
    def r_exponent(self) -> Any: ...


@dataclass(frozen=True)
class Backward:
    """The result of :func:`backward`: dx of shape (channels, n), everything else of shape (channels,).

    dgamma and dbeta have ``dy_fraction`` fraction bits and hold Python integers, as do ``correlation_sum``
    (H of the page), ``correlation`` (a) and ``mean`` (m0). ``scale`` and ``shift`` are k and sh,
    ``x_scale`` and ``x_shift`` are kx and shx, ``None`` for a norm that does not scale x (L1). ``flat`` tells channels
    none of whose samples pulls at r, ``flagged`` those with an r that no channel has.
    """

    dx: Integers
    dgamma: Integers
    dbeta: Integers
    correlation_sum: Integers
    correlation: Integers
    mean: Integers
    scale: Integers
    shift: Integers
    x_scale: Integers | None
    x_shift: Integers | None
    flat: Integers
    flagged: Integers


@dataclass(frozen=True)
class _Channel:
    """One channel between its sums and its dx."""

    dgamma: int
    dbeta: int
    H: int
    a: int
    m0: int
    k: int
    sh: int
    kx: int
    shx: int
    flat: bool
    flagged: bool
    applied: ChannelGradient


def backward(
    contract: Contract,
    x: Integers,
    dy: Integers,
    gamma: Iterable[int] | int,
    statistics: Statistics,
    count: int | None = None,
) -> Backward:
    """The gradients of every row.

    Parameters
    ----------
    x, dy : integers of shape (channels, n), within ``contract.width`` and ``contract.dy_width`` bits
    gamma : an integer per channel, or one for all
    statistics : of each channel; what :func:`~l1bn_golden.integer.forward` returned for this x, or whatever
        else its port can hold
    count : samples in a channel, one of ``contract.counts``. By default n. Otherwise the rows are what a
        unit makes of packets of the wrong length: filled up with zeros, or cut.

    Raises
    ------
    ValueError
        If a value does not fit its format, shapes differ, the count is none of the contract's, or the norm has no
        backward pass.
    """
    of_norm = gradient_of(contract.traits)
    samples = sample_rows("x", x, contract.width)
    gradients = sample_rows("dy", dy, contract.dy_width)
    if count is None and samples.shape != gradients.shape:
        raise ValueError(
            f"dy of shape {gradients.shape} is not possible; allowed: {samples.shape}, that of x"
        )
    if len(samples) != len(gradients):
        raise ValueError(f"dy of {len(gradients)} channels is not possible; allowed: {len(samples)}, as x")
    count = contract.check_count(samples.shape[1] if count is None else int(count))
    samples, gradients = fitted(samples, count), fitted(gradients, count)
    gammas = per_channel("gamma", gamma, contract.gamma_width, len(samples))
    taken = received(contract, statistics, len(samples))
    given = list(zip(*taken, strict=True))
    extras = _extras(contract, statistics, len(samples))

    dx = np.empty(samples.shape, dtype=np.int64)
    channels: list[_Channel] = []
    step = max(1, BLOCK // count)
    for start in range(0, len(samples), step):
        part = slice(start, start + step)
        block, gradient = samples[part], gradients[part]
        sides = of_norm.sides(contract, block, [mu for mu, *_ in given[part]], extras[part])
        sums = zip(channel_sum(gradient), product_sum(block, gradient), strict=True)
        flats: list[bool] = np.logical_not(sides.any(axis=1)).tolist()
        rows = [
            _channel(contract, of_norm, *total, g, *known, extra, flat, count)
            for total, g, known, extra, flat in zip(
                sums, gammas[part], given[part], extras[part], flats, strict=True
            )
        ]
        dx[part] = of_norm.apply(contract, block, gradient, sides, [row.applied for row in rows])
        dx[part][flats] = 0
        channels += rows

    def column(name: str, dtype: Any) -> Integers:
        return np.array([getattr(channel, name) for channel in channels], dtype=dtype)

    return Backward(
        dx=dx,
        dgamma=column("dgamma", object),
        dbeta=column("dbeta", object),
        correlation_sum=column("H", object),
        correlation=column("a", object),
        mean=column("m0", object),
        scale=column("k", np.int64),
        shift=column("sh", np.int64),
        x_scale=column("kx", np.int64) if of_norm.scales_x else None,
        x_shift=column("shx", np.int64) if of_norm.scales_x else None,
        flat=column("flat", bool),
        flagged=column("flagged", bool),
    )


def centred_products(contract: Contract, products: int, dbeta: int, mu: int) -> int:
    """``C = sum dy * (x - mean) * 2**G`` from sum dy * x and sum dy."""
    return (products << contract.G) - mu * dbeta


def projection(contract: Contract, centred: int, r_mantissa: int, r_exponent: int) -> int:
    """``H = floor(C * 2**(Gh - G) / r)``, saturated."""
    raised = contract.Gh - contract.G + r_exponent
    quotient = (centred << max(0, raised)) // (r_mantissa << max(0, -raised))
    return saturated(quotient, contract.H_width)


def received(
    contract: Contract, statistics: Statistics, channels: int
) -> tuple[list[int], list[int], list[int]]:
    """Means, mantissas and exponents of r, checked: whatever the ports can hold."""
    wide = 1 << (contract.width + contract.G - 1)
    centred = contract.traits.centred
    return (
        bounded("mean", statistics.mean, -wide, wide - 1, channels) if centred else [0] * channels,
        bounded("r_mantissa", statistics.r_mantissa, 0, (1 << contract.T) - 1, channels),
        bounded("r_exponent", statistics.r_exponent, -(1 << 15), (1 << 15) - 1, channels),
    )


def _extras(contract: Contract, statistics: Statistics, channels: int) -> list[dict[str, int]]:
    """The norm's own statistics of each channel by name, checked."""
    norm = contract.traits
    columns = {
        name: bounded(name, getattr(statistics, name), *norm.statistic_range(contract, name), channels)
        for name in norm.statistics
    }
    return [{name: column[row] for name, column in columns.items()} for row in range(channels)]


def _channel(
    contract: Contract,
    of_norm: Gradient,
    dbeta: int,
    products: int,
    gamma: int,
    mu: int,
    r_mantissa: int,
    r_exponent: int,
    extra: Mapping[str, int],
    flat: bool,
    count: int,
) -> _Channel:
    c = contract
    exponents = c.r_exponents
    flagged = r_mantissa < 1 << (c.T - 1) or r_exponent not in exponents
    if flagged:
        r_mantissa = 1 << (c.T - 1)
        r_exponent = min(max(r_exponent, exponents[0]), exponents[-1])

    H = projection(c, centred_products(c, products, dbeta, mu), r_mantissa, r_exponent)
    dgamma = saturated((H + (1 << (c.Gh - 1))) >> c.Gh, c.gradient_width)
    raised = c.Gm - c.Gh
    divisor = count if of_norm.averaged else 1
    a = saturated(half_up(H << max(0, raised), divisor << max(0, -raised)), c.a_width)
    m0 = saturated(of_norm.mean(c, dbeta, a, extra, count), c.m0_width)

    k, sh = rounded_scale(
        *over_r(abs(gamma), c.Kd_exponent, r_mantissa, r_exponent),
        c.scale_width,
        c.SHIFTd_MIN,
        c.SHIFTd_MAX,
    )
    kx, shx = of_norm.x_scale(c, k, sh, abs(a), r_mantissa, r_exponent)
    return _Channel(
        dgamma=dgamma,
        dbeta=dbeta,
        H=H,
        a=a,
        m0=m0,
        k=k,
        sh=sh,
        kx=kx,
        shx=shx,
        flat=flat,
        flagged=flagged,
        applied=ChannelGradient(
            c=-k if gamma < 0 else k,
            sh=sh,
            cx=-kx if (gamma < 0) != (a < 0) else kx,
            shx=shx,
            a=a,
            m0=m0,
            mu=mu,
        ),
    )
