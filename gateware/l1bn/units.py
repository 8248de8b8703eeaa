"""The unit of a configuration, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable

from . import forward
from .backward import BackwardBatchNorm
from .config import Configuration
from .inference import InferenceBatchNorm
from .training import TrainingBatchNorm

__all__ = ["UNITS", "unit"]

Unit = forward.BatchNorm | BackwardBatchNorm | InferenceBatchNorm | TrainingBatchNorm

UNITS: dict[str, Callable[[Configuration], Unit]] = {
    "forward": forward.unit,
    "backward": BackwardBatchNorm,
    "inference": InferenceBatchNorm,
    "training": TrainingBatchNorm,
}
"""The unit of each direction."""


def unit(config: Configuration) -> Unit:
    """The unit of a configuration.

    Every unit has ``config``, ``formats``, ``latency(count)`` and ``cycles_per_channel(count)``.
    """
    return UNITS[config.direction](config)
