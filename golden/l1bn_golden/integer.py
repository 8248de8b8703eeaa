"""The bit-exact integer model of a forward unit, vectorised over channels.

It computes what ``docs/arithmetic.md`` states, in whatever order is quickest where the order cannot
matter: everything is exact until the page itself rounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .channel import bias, divide_by_count, integer_sqrt, normalize, scale, spread_l1, spread_l2
from .contract import Contract
from .samples import Integers, affine, centred_square_sum, channel_sum, saturate, sign_abs, square_sum

__all__ = [
    "Forward",
    "affine",
    "bias",
    "centred_square_sum",
    "channel_sum",
    "divide_by_count",
    "forward",
    "integer_sqrt",
    "normalize",
    "prepare",
    "saturate",
    "scale",
    "sign_abs",
    "spread_l1",
    "spread_l2",
    "square_sum",
]

BLOCK = 1 << 15
"""Samples worked on at a time: a few int64 copies of them stay in the second-level cache."""


@dataclass(frozen=True)
class Forward:
    """The result of :func:`forward`: y of shape (channels, n), everything else of shape (channels,).

    ``mean`` is mu in 2**-G LSB of x; r = ``r_mantissa`` * 2**-``r_exponent`` LSB of x; ``scale`` is k,
    ``shift`` is t, ``negative`` tells gamma < 0; ``sign_count`` is sum s (L1 only, else ``None``);
    ``spread`` is the integer v: D + E for L1, the root for L2. ``mean`` and ``spread`` hold Python integers.
    """

    y: Integers
    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    scale: Integers
    shift: Integers
    negative: Integers
    sign_count: Integers | None
    spread: Integers


def forward(
    contract: Contract,
    x: Integers,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
    count: int | None = None,
) -> Forward:
    """Normalise every row of x.

    Parameters
    ----------
    x : integers of shape (channels, n), each within ``contract.width`` bits
    gamma, beta : an integer per channel, or one for all, within their formats
    count : samples in a channel, one of ``contract.counts``. By default n. Otherwise the rows are what a
        unit makes of packets of the wrong length: filled up with zeros, or cut.

    Raises
    ------
    ValueError
        If a value does not fit its format, or the count is none of the contract's.
    """
    samples, gammas, betas, count = prepare(contract, x, gamma, beta, count)
    y = np.empty(samples.shape, dtype=np.int64)
    rows: list[tuple[int, int, int, int, int, int, bool, int]] = []
    step = max(1, BLOCK // count)
    for start in range(0, len(samples), step):
        part = slice(start, start + step)
        block = samples[part]
        statistics = _statistics(contract, block, gammas[part], count)
        mean, _, _, _, k, t, negative, _ = zip(*statistics, strict=True)
        y[part] = affine(contract, block, mean, k, t, negative, betas[part])
        rows += statistics
    columns = list(zip(*rows, strict=True)) if rows else [()] * 8
    mean, spread, r_mantissa, r_exponent, k, t, negative, sign_count = columns
    return Forward(
        y=y,
        mean=np.array(mean, dtype=object),
        r_mantissa=np.array(r_mantissa, dtype=np.int64),
        r_exponent=np.array(r_exponent, dtype=np.int64),
        scale=np.array(k, dtype=np.int64),
        shift=np.array(t, dtype=np.int64),
        negative=np.array(negative, dtype=bool),
        sign_count=np.array(sign_count, dtype=np.int64) if contract.norm == "l1" else None,
        spread=np.array(spread, dtype=object),
    )


def prepare(
    contract: Contract,
    x: Integers,
    gamma: Iterable[int] | int,
    beta: Iterable[int] | int,
    count: int | None,
) -> tuple[Integers, list[int], list[int], int]:
    """``(x, gammas, betas, count)`` of :func:`forward`, checked: exactly ``count`` samples in every row."""
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(f"x of shape {x.shape} is not possible; allowed: (channels, samples)")
    samples = _within("x", x, contract.width)
    count = contract.check_count(samples.shape[1] if count is None else int(count))
    gammas = _per_channel("gamma", gamma, contract.gamma_width, len(samples))
    betas = _per_channel("beta", beta, contract.beta_width, len(samples))
    if samples.shape[1] != count:
        missing = max(0, count - samples.shape[1])
        samples = np.pad(samples[:, :count], ((0, 0), (0, missing)))
    return samples, gammas, betas, count


def _statistics(
    contract: Contract, x: Integers, gamma: list[int], count: int
) -> list[tuple[int, int, int, int, int, int, bool, int]]:
    """(mu, v, r_mantissa, r_exponent, k, t, negative, sign_count) of each channel."""
    totals = channel_sum(x)
    means = [divide_by_count(total, contract.G, count) for total in totals]
    if contract.norm == "l1":
        deviations, sign_counts = sign_abs(x, means, contract.G)
        spreads = [spread_l1(contract, deviation, count) for deviation in deviations]
    else:
        sign_counts = [0] * len(x)
        pairs = zip(totals, square_sum(x), strict=True)
        spreads = [spread_l2(contract, total, squares, count) for total, squares in pairs]
    return [
        (mu, *spread, *scale(contract, g, *spread[1:]), signs)
        for mu, spread, g, signs in zip(means, spreads, gamma, sign_counts, strict=True)
    ]


def _per_channel(name: str, values: Iterable[int] | int, width: int, channels: int) -> list[int]:
    array = np.asarray(values)
    if array.ndim > 1 or (array.ndim == 1 and len(array) != channels):
        raise ValueError(f"{name} of shape {array.shape} is not possible; allowed: one, or one a channel")
    whole: list[int] = np.broadcast_to(_within(name, array, width), channels).tolist()
    return whole


def _within(name: str, values: Integers, width: int) -> Integers:
    """The values in the narrowest type for ``width`` bits, or :exc:`ValueError` if one is out of range."""
    if values.dtype == object:
        values = np.array(values.tolist())
    if values.size and values.dtype.kind not in "iu":
        raise ValueError(f"{name} of type {values.dtype} is not possible; allowed: integers")
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    for extreme in (values.min(), values.max()) if values.size else ():
        if not low <= extreme <= high:
            raise ValueError(f"{name} = {extreme} is not possible; allowed: {low} to {high} ({width} bits)")
    return values.astype(np.int16 if width <= 16 else np.int64, copy=False)
