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
from .gradients import Backward, backward
from .samples import (
    BLOCK,
    Integers,
    affine,
    centred_square_sum,
    channel_sum,
    product_sum,
    saturate,
    sign_abs,
    square_sum,
)
from .validation import fitted, per_channel, sample_rows

__all__ = [
    "Backward",
    "Forward",
    "affine",
    "backward",
    "bias",
    "centred_square_sum",
    "channel_sum",
    "divide_by_count",
    "forward",
    "integer_sqrt",
    "normalize",
    "prepare",
    "product_sum",
    "saturate",
    "scale",
    "sign_abs",
    "spread_l1",
    "spread_l2",
    "square_sum",
]


@dataclass(frozen=True)
class Forward:
    """The result of :func:`forward`: y of shape (channels, n), everything else of shape (channels,).

    ``mean`` is mu in 2**-G LSB of x; r = ``r_mantissa`` * 2**-``r_exponent`` LSB of x; ``scale`` is k,
    ``shift`` is t, ``negative`` tells gamma < 0; ``sign_count`` is sum s (L1 only, else ``None``);
    ``spread`` is the integer v of the page: for L2 the root. ``mean`` and ``spread`` hold Python integers.
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
    samples = sample_rows("x", x, contract.width)
    count = contract.check_count(samples.shape[1] if count is None else int(count))
    gammas = per_channel("gamma", gamma, contract.gamma_width, len(samples))
    betas = per_channel("beta", beta, contract.beta_width, len(samples))
    return fitted(samples, count), gammas, betas, count


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
