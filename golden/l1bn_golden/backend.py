"""Who computes a normaliser's forward and backward pass in integers; ``docs/hardware_in_the_loop.md``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from . import integer
from .contract import Contract
from .gradients import Statistics
from .samples import Integers

__all__ = ["Backend", "BackendFactory", "GoldenBackend"]


class Backend(Protocol):
    """The arithmetic of one unit. Integers of shape (channels, n), n one of the unit's counts.

    ``forward`` returns an object with the attributes of :class:`~l1bn_golden.integer.Forward`, ``backward``
    one with ``dx``, ``dgamma`` and ``dbeta``; ``statistics`` has ``mean``, ``r_mantissa``, ``r_exponent`` and
    the norm's own as ``forward`` returned them for this x.
    """

    def forward(self, x: Integers, gamma: Integers, beta: Integers) -> Any: ...

    def backward(self, x: Integers, dy: Integers, gamma: Integers, statistics: Any) -> Any: ...


BackendFactory = Callable[[Contract], Backend]


class GoldenBackend:
    """The golden model as a backend: bit for bit what the hardware computes."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def forward(self, x: Integers, gamma: Integers, beta: Integers) -> integer.Forward:
        return integer.forward(self.contract, x, gamma, beta)

    def backward(self, x: Integers, dy: Integers, gamma: Integers, statistics: Statistics) -> Any:
        return integer.backward(self.contract, x, dy, gamma, statistics)
