"""The timing that all accumulators share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..bench import Bench
from ..edge_channels import Samples

__all__ = ["check_closing"]


def check_closing(
    bench: Bench, rows: Sequence[Samples], lanes: int, latency: int, *, takes_mean: bool = False
) -> None:
    """Hold an accumulator that ran without pauses to its latency and to one beat a cycle.

    The final beat of a channel waits at the entry until the sums of the channel before have left, and the beat
    behind it with it; what is next to a channel of one or two beats may wait a cycle or two in any case.
    """
    beats = np.array([len(row) // lanes for row in rows])
    final = np.cumsum(beats) - 1
    accepted = np.array(bench.sources["i"].accepted)
    taken = np.array(bench.sinks["o"].taken)
    undelayed = accepted[final] + latency
    late = taken - np.maximum(undelayed, np.append(0, taken[:-1] + latency + 1))
    short = (beats == 1) | (takes_mean & (np.append(3, beats[:-1]) < 3))
    assert (late[~short] == 0).all()
    assert ((late >= 0) & (late <= 2)).all()
    # A beat follows the one before at once, unless that one had to wait.
    channel = np.repeat(np.arange(len(beats)), beats)
    waited = np.isin(np.arange(len(accepted)), final[taken > undelayed])
    near_short = (np.minimum(beats, np.roll(beats, 1)) < 3)[channel]
    assert (np.diff(accepted)[~(waited | near_short)[:-1]] == 1).all()
