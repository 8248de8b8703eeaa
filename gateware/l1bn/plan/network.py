"""The normalisation layers of a network, wherever they were read from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError

__all__ = ["LACKING", "Layer", "Network", "Observed", "Reals", "refuse_lacking"]

Reals = npt.NDArray[np.float64]

LACKING = {
    "Layer": "it normalises over the features of a sample",
    "Group": "it normalises over groups of channels of a sample",
    "Instance": "it normalises over each channel of a sample alone",
    "RMS": "it normalises over the features of a sample",
    "MeanVariance": "it normalises over each sample alone",
    "LocalResponse": "it divides by neighbouring channels",
    "LRN": "it divides by neighbouring channels",
    "Lp": "it divides by the norm of a vector",
}
"""Normalisations that no unit computes, by the first word of their names, and what they do instead."""


@dataclass(frozen=True)
class Observed:
    """What calibration data showed of a layer, in real numbers.

    Parameters
    ----------
    low, high : least and greatest sample x
    spread : standard deviation of a channel, the median over the channels, least of all batches
    y_low, y_high : least and greatest output y
    """

    low: float
    high: float
    spread: float
    y_low: float
    y_high: float

    def together(self, other: Observed) -> Observed:
        """What two batches showed."""
        return Observed(
            min(self.low, other.low),
            max(self.high, other.high),
            min(self.spread, other.spread),
            min(self.y_low, other.y_low),
            max(self.y_high, other.y_high),
        )

    @classmethod
    def of(cls, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], axis: int) -> Observed:
        """Of one batch, whose channels are along ``axis``."""
        others = tuple(index for index in range(x.ndim) if index != axis % x.ndim)
        spread = np.median(x.astype(np.float64).std(axis=others))
        return cls(*(float(value) for value in (x.min(), x.max(), spread, y.min(), y.max())))


@dataclass(frozen=True)
class Layer:
    """A normalisation layer.

    Parameters
    ----------
    name : in its network
    channels : of its input
    count : samples of a channel: those of a batch times the positions of each
    norm : that the network was made with, as the parameter ``norm`` has it
    epsilon : as that norm takes it, in units of x or of x squared
    gamma, beta : of each channel; ``None`` where the network does not say
    mean, spread : running statistics of each channel, without epsilon, in units of x and of x to the norm's power
    observed : what calibration data showed
    """

    name: str
    channels: int
    count: int
    norm: str
    epsilon: float
    gamma: Reals | None
    beta: Reals | None
    mean: Reals | None
    spread: Reals | None
    observed: Observed | None = None


@dataclass(frozen=True)
class Network:
    """The normalisation layers of a network in the order in which it calls them.

    Parameters
    ----------
    source : its name, without the folders of a file
    batch : samples of a batch, which the counts are for
    """

    source: str
    batch: int
    layers: tuple[Layer, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Every count once, the smallest first."""
        return tuple(sorted({layer.count for layer in self.layers}))


def refuse_lacking(name: str, kind: str) -> None:
    """Raise :exc:`ConfigurationError` if ``kind`` is a normalisation that no unit computes.

    ``kind`` is the name of a class or of an operator that is no batch normalisation, as ``LayerNorm``.
    """
    if any(word in kind for word in ("Norm", "LRN", "LocalResponse")):
        reason = next((reason for word, reason in LACKING.items() if word in kind), "no unit computes it")
        raise ConfigurationError(name, kind, f"batch normalisation, over the samples of a channel; {reason}")
