"""The unit of a configuration, whatever it computes."""

from __future__ import annotations

from . import forward
from .backward import BackwardBatchNorm
from .config import Configuration

__all__ = ["unit"]


def unit(config: Configuration) -> forward.BatchNorm | BackwardBatchNorm:
    """The unit of a configuration.

    Every unit has ``config``, ``formats``, ``latency(count)`` and ``cycles_per_channel(count)``.
    """
    if config.direction == "backward":
        return BackwardBatchNorm(config)
    return forward.unit(config)
