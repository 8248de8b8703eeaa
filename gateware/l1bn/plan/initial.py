"""What the layers of a network begin with, as the integers that a unit takes.

A layer of another norm than the unit's is translated as ``l1bn_golden.torch.convert`` does it: for Gaussian samples
gamma / r stays what it was, because the golden model knows how large each norm's r is for those.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from l1bn_golden.norms import norm_of

from ..config import Configuration
from ..errors import ConfigurationError
from ..numbers.running_formats import RunningFormats
from .network import Layer, Reals

__all__ = ["Format", "Initial", "Quantised", "initial", "table_formats", "translated"]


HUGE = 2.0**128
"""Larger than what any format holds."""


@dataclass(frozen=True)
class Format:
    """The integers of a table: the real number is the integer times 2^-fraction.

    Parameters
    ----------
    name : ``gamma``, ``beta``, ``mean`` or ``spread``, which is r, epsilon included
    width : bits, the sign of ``signed`` integers among them
    """

    name: str
    width: int
    fraction: int
    signed: bool

    @property
    def range(self) -> range:
        """The integers that there are."""
        low = -(1 << (self.width - 1)) if self.signed else 0
        return range(low, low + (1 << self.width))


@dataclass(frozen=True)
class Quantised:
    """One number a channel, in integers.

    Parameters
    ----------
    error : largest distance from the real numbers, those that did not fit left out, in units of the last place
    saturated : how many did not fit
    """

    format: Format
    values: tuple[int, ...]
    error: float
    saturated: int


@dataclass(frozen=True)
class Initial:
    """The tables of a layer, those that its network says."""

    layer: Layer
    tables: tuple[Quantised, ...]


def translated(layer: Layer, norm: str) -> Layer:
    """The layer with the numbers that one of ``norm`` has in its place.

    Raises :exc:`ConfigurationError` for numbers that are none, and for a spread below 0.
    """
    for name in ("gamma", "beta", "mean", "spread"):
        values = getattr(layer, name)
        if values is not None:
            _check(layer, name, values, -math.inf if name != "spread" else 0.0)
    if norm == layer.norm:
        return layer
    old, new = norm_of(layer.norm), norm_of(norm)
    factor = new.gaussian_spread / old.gaussian_spread
    epsilon = float((layer.epsilon ** (1 / old.power) * factor) ** new.power)
    gamma = None if layer.gamma is None else layer.gamma * factor
    beta, mean, spread = layer.beta, layer.mean, layer.spread
    if spread is not None:
        r = (spread + layer.epsilon) ** (1 / old.power)
        spread = np.maximum((r * factor) ** new.power - epsilon, 0)
        if mean is not None and not new.centred:
            if beta is not None and layer.gamma is not None:
                beta = beta - layer.gamma * mean / r
            mean = np.zeros_like(mean)
    return dataclasses.replace(layer, norm=norm, epsilon=epsilon, gamma=gamma, beta=beta, mean=mean, spread=spread)


def _check(layer: Layer, name: str, values: Reals, low: float) -> None:
    bad = values[~(np.isfinite(values) & (values >= low))]
    if bad.size:
        allowed = f"finite numbers{' from 0' if low == 0 else ''} for each channel of {layer.name}"
        raise ConfigurationError(name, float(bad[0]), allowed)


def table_formats(config: Configuration) -> tuple[Format, ...]:
    """The formats of gamma and beta as on ``i_affine``, of mean and spread as an inference unit has them on
    ``i_averages``; no mean where none is subtracted."""
    formats = RunningFormats(config)
    mean = Format("mean", formats.mean_width, config.x_fraction + formats.guard_bits, True)
    return (
        Format("gamma", config.gamma_width, config.gamma_fraction, True),
        Format("beta", config.beta_width, config.beta_fraction, True),
        *([mean] if config.traits.centred else []),
        Format("spread", formats.running_spread_width, config.x_fraction + formats.running_fraction, False),
    )


def initial(layer: Layer, config: Configuration) -> Initial:
    """The tables of a layer of the unit's norm, in the unit's formats; those of which the network says nothing are left
    out. The spread is r, with the unit's epsilon."""
    spread = layer.spread
    reals = {
        "gamma": layer.gamma,
        "beta": layer.beta,
        "mean": layer.mean,
        "spread": None if spread is None else (spread + config.epsilon) ** (1 / config.traits.power),
    }
    known = ((format, reals[format.name]) for format in table_formats(config))
    return Initial(layer, tuple(_quantised(format, values) for format, values in known if values is not None))


def _quantised(format: Format, values: Reals) -> Quantised:
    """The integers nearest to real numbers, half up, then saturated; nothing here rounds before that."""
    scaled = np.ldexp(np.clip(values, -HUGE, HUGE), format.fraction)
    whole = np.floor(scaled)
    rest = scaled - whole
    up = rest >= 0.5
    rounded = [int(number) + int(more) for number, more in zip(whole.tolist(), up.tolist(), strict=True)]
    allowed = format.range
    fits = np.array([number in allowed for number in rounded], dtype=bool)
    return Quantised(
        format,
        tuple(min(max(number, allowed.start), allowed.stop - 1) for number in rounded),
        float(np.where(up, 1 - rest, rest)[fits].max(initial=0)),
        int((~fits).sum()),
    )
