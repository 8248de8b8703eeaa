"""The unit of a configuration, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amaranth.hdl import Elaboratable

from ..config import Configuration
from .backward import BackwardBatchNorm
from .forward import BatchNorm
from .inference import InferenceBatchNorm
from .training import TrainingBatchNorm

__all__ = ["UNITS", "parts", "unit"]

AnyUnit = BatchNorm | BackwardBatchNorm | InferenceBatchNorm | TrainingBatchNorm

UNITS: dict[str, Callable[[Configuration], AnyUnit]] = {
    "forward": BatchNorm,
    "backward": BackwardBatchNorm,
    "inference": InferenceBatchNorm,
    "training": TrainingBatchNorm,
}
"""The unit of each direction."""


def unit(config: Configuration) -> AnyUnit:
    """The unit of a configuration.

    Every unit has ``config``, ``formats``, ``latency(count)`` and ``cycles_per_channel(count)``. To read them is a
    use: Amaranth does not warn of a unit that never becomes hardware.
    """
    built = UNITS[config.direction](config)
    for part in parts(built):
        part._MustUse__used = True
    return built


def parts(component: Elaboratable) -> Iterator[Elaboratable]:
    """A component and all that it holds in its attributes, each once."""
    seen: set[int] = set()
    waiting: list[Any] = [component]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
        elif isinstance(item, Elaboratable) and id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting += vars(item).values()
