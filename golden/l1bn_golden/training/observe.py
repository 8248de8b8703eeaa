"""What happens to the integers while a network trains."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..backend import Backend, BackendFactory, GoldenBackend
from ..contract import Contract
from ..samples import Integers

__all__ = ["Observer"]


class Observer:
    """A backend factory that counts what the backends which ``make`` makes do to their numbers.

    ``shares`` gives, over everything so far, the share of the elements of y and dx that saturated, and of x,
    dy and dx that are 0.
    """

    def __init__(self, make: BackendFactory = GoldenBackend) -> None:
        self.make = make
        self.counts: Counter[str] = Counter()

    def __call__(self, contract: Contract) -> Backend:
        return _Observed(contract, self.make(contract), self.counts)

    def shares(self) -> dict[str, float]:
        totals = {name: self.counts[f"{name} elements"] for name in ("x", "y", "dy", "dx")}
        return {
            event: number / totals[event.split()[0]]
            for event, number in sorted(self.counts.items())
            if not event.endswith("elements")
        }


class _Observed:
    def __init__(self, contract: Contract, backend: Backend, counts: Counter[str]) -> None:
        self.contract = contract
        self.backend = backend
        self.counts = counts

    def forward(self, x: Integers, gamma: Integers, beta: Integers) -> Any:
        result = self.backend.forward(x, gamma, beta)
        self._count_zeros("x", x)
        self.counts["y elements"] += result.y.size
        self._count_saturated("y", result.y, self.contract.y_width)
        return result

    def backward(self, x: Integers, dy: Integers, gamma: Integers, statistics: Any) -> Any:
        result = self.backend.backward(x, dy, gamma, statistics)
        self._count_zeros("dy", dy)
        self._count_zeros("dx", result.dx)
        self._count_saturated("dx", result.dx, self.contract.dx_width)
        return result

    def _count_zeros(self, name: str, values: Integers) -> None:
        self.counts[f"{name} elements"] += values.size
        self.counts[f"{name} zero"] += values.size - int(np.count_nonzero(values))

    def _count_saturated(self, name: str, values: Integers, width: int) -> None:
        limit = 1 << (width - 1)
        ends = np.count_nonzero(values == -limit) + np.count_nonzero(values == limit - 1)
        self.counts[f"{name} saturated"] += int(ends)
