"""Random idle cycles of a source and stalls of a sink."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import chain, repeat

__all__ = ["pauses", "run_lengths"]

RUN = 3
"""Mean length of a pause in cycles: pauses come in runs, so that registers and buffers fill and run dry."""


def run_lengths(rate: float) -> tuple[float, float] | None:
    """Mean cycles from a pause to the next one, and of a pause, such that ``rate`` of all cycles are pauses.

    ``None`` when the rate is 0. Raises :exc:`ValueError` for a rate outside 0 to 0.9.
    """
    if not 0 <= rate <= 0.9:
        raise ValueError(f"rate = {rate} is not possible; allowed: 0 to 0.9")
    if not rate:
        return None
    paused = max(RUN, rate / (1 - rate))
    return paused * (1 - rate) / rate, paused


def pauses(rate: float, seed: int | str) -> Iterator[bool] | None:
    """For each cycle whether it is a pause: at random, ``rate`` of them, the same ones for the same seed.

    ``None`` when the rate is 0. Raises :exc:`ValueError` for a rate outside 0 to 0.9.
    """
    lengths = run_lengths(rate)
    if lengths is None:
        return None
    active, paused = lengths
    draw = random.Random(seed)

    def length(mean: float) -> int:
        """Geometric, from 1 up."""
        return 1 if mean <= 1 else 1 + int(math.log(1 - draw.random()) / math.log(1 - 1 / mean))

    def runs() -> Iterator[Iterator[bool]]:
        while True:
            yield repeat(False, length(active))
            yield repeat(True, length(paused))

    return chain.from_iterable(runs())
