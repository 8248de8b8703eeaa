"""The bit-exact integer model of a forward unit, vectorised over channels.

It computes what ``docs/arithmetic.md`` states, in whatever order is quickest where the order cannot
matter: everything is exact until the page itself rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .channel import bias, divide_by_count, integer_sqrt, normalize, scale
from .contract import Contract
from .extra import Extra
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
    "square_sum",
]


@dataclass(frozen=True)
class Forward(Extra):
    """The result of :func:`forward`: y of shape (channels, n), everything else of shape (channels,).

    ``mean`` is mu in 2**-G LSB of x; r = ``r_mantissa`` * 2**-``r_exponent`` LSB of x; ``scale`` is k,
    ``shift`` is t, ``negative`` tells gamma < 0; ``spread`` is the integer v of the page: for L2 the root. ``mean``
    and ``spread`` hold Python integers. A norm that is not ``centred`` has no mean: 0 stands in its place. ``extra``
    has the further statistics of the norm by name. They are attributes too, ``None`` where another norm has them:
    ``sign_count`` is sum s (L1), ``maximum`` and ``minimum`` are samples (Range).
    """

    y: Integers
    mean: Integers
    r_mantissa: Integers
    r_exponent: Integers
    scale: Integers
    shift: Integers
    negative: Integers
    spread: Integers
    extra: Mapping[str, Integers]
    centred: bool

    @property
    def statistics(self) -> dict[str, Integers]:
        """What a unit tells of each channel, by the names of its port."""
        common = (*["mean"] * self.centred, "r_mantissa", "r_exponent", "scale", "shift", "negative")
        return {name: getattr(self, name) for name in common} | dict(self.extra)


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
    rows: list[_Statistics] = []
    extra: dict[str, list[int]] = {name: [] for name in contract.traits.statistics}
    step = max(1, BLOCK // count)
    for start in range(0, len(samples), step):
        part = slice(start, start + step)
        block = samples[part]
        statistics, further = _statistics(contract, block, gammas[part], count)
        mean, _, _, _, k, t, negative = zip(*statistics, strict=True)
        y[part] = affine(contract, block, mean, k, t, negative, betas[part])
        rows += statistics
        for name, values in further.items():
            extra[name] += values
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    mean, spread, r_mantissa, r_exponent, k, t, negative = columns
    return Forward(
        y=y,
        mean=np.array(mean, dtype=object),
        r_mantissa=np.array(r_mantissa, dtype=np.int64),
        r_exponent=np.array(r_exponent, dtype=np.int64),
        scale=np.array(k, dtype=np.int64),
        shift=np.array(t, dtype=np.int64),
        negative=np.array(negative, dtype=bool),
        spread=np.array(spread, dtype=object),
        extra={name: np.array(values, dtype=np.int64) for name, values in extra.items()},
        centred=contract.traits.centred,
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


_Statistics = tuple[int, int, int, int, int, int, bool]
"""(mu, v, r_mantissa, r_exponent, k, t, negative) of a channel."""


def _statistics(
    contract: Contract, x: Integers, gamma: list[int], count: int
) -> tuple[list[_Statistics], dict[str, list[int]]]:
    """The statistics of each channel, and the further ones of the norm by name."""
    norm = contract.traits
    totals = channel_sum(x)
    means = [norm.mean(contract, total, count) for total in totals]
    spreads, extra = norm.measure(contract, x, totals, means)
    found = [norm.r(contract, spread, count) for spread in spreads]
    return [
        (mu, *r, *scale(contract, g, *r[1:])) for mu, r, g in zip(means, found, gamma, strict=True)
    ], extra
