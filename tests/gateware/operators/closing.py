"""The timing that all accumulators share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..bench import Bench
from ..channels import Samples

__all__ = ["check_closing"]


def check_closing(
    bench: Bench, rows: Sequence[Samples], lanes: int, latency: int, *, takes_mean: bool = False
) -> None:
    """Hold an accumulator that ran without pauses to its latency and to one beat a cycle.

    Only the final beat of a channel may wait, and only until the sums of the channel before have left. One that takes
    a mean with the first beat of each channel needs two cycles for the next one, so the beat that follows a channel of
    one or two beats may wait, too.
    """
    beats = [len(row) // lanes for row in rows]
    final = np.cumsum(beats) - 1
    accepted = np.array(bench.sources["i"].accepted)
    assert (np.array(bench.sinks["o"].taken) - accepted[final] == latency).all()
    expected = [accepted[final[0]]]
    for length in beats[1:]:
        expected.append(max(expected[-1] + length, expected[-1] + latency + 1))
    assert accepted[final].tolist() == expected
    short = [end for end, length in zip(final[:-1], beats, strict=False) if takes_mean and length < 3]
    assert (np.delete(np.diff(accepted), [*(final[1:] - 1), *short]) == 1).all()
