"""The training unit against the golden model: layers forward and backward, and their running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.units.training import TrainingBatchNorm
from l1bn_golden import Contract, backward, forward
from l1bn_golden.running import running_start, running_update

from ..bench import Bench

CASES: dict[str, dict[str, Any]] = {
    "l1": {"norm": "l1", "width": 6, "counts": (8,), "channels": 3},
    "l2": {"norm": "l2", "width": 5, "dy_width": 7, "counts": (4, 6), "lanes": 2, "channels": 2},
}


@pytest.mark.parametrize("name", CASES)
def test_training(name: str, seed: int) -> None:
    """Two steps of a layer, in the second of which a packet is too short."""
    config = Configuration(direction="training", scale_width=10, gamma_width=6, **CASES[name])
    golden = Contract.from_parameters(config.to_mapping())
    bench = Bench(TrainingBatchNorm(config), idle=0.2, stall=0.2, seed=seed, patience=4000)
    rng = np.random.default_rng(seed)
    running = running_start(config.channels)
    half = 1 << (config.momentum_shift - 1)

    def beats(samples: np.ndarray) -> np.ndarray:
        return samples.reshape(-1, config.lanes)

    def elements(width: int, count: int) -> np.ndarray:
        return rng.integers(-(1 << (width - 1)), 1 << (width - 1), count)

    for step in range(2):
        select = step % len(config.counts)
        count = config.counts[select]
        x = np.stack([elements(config.width, count) for _ in range(config.channels)])
        dy = np.stack([elements(config.dy_width, count) for _ in range(config.channels)])
        gamma, beta = (elements(config.gamma_width, config.channels) >> place for place in (0, 1))
        beta = np.clip(beta, -(1 << (config.beta_width - 1)), (1 << (config.beta_width - 1)) - 1)
        wrong = step == 1
        sent = [row[: -config.lanes] if wrong and not index else row for index, row in enumerate(x)]
        if wrong:
            x[0, -config.lanes :] = 0
        found = forward(golden, x, gamma, beta)
        result = backward(golden, x, dy, gamma, found)
        before = running
        running = running_update(golden, running, found)
        if wrong:
            running.mean[0], running.spread[0] = before.mean[0], before.spread[0]
        bench.send("i_affine", gamma=gamma, beta=beta)
        for index, row in enumerate(sent):
            error = wrong and not index
            bench.send_packet("i", beats(row), select)
            bench.expect_packet("o", beats(found.y[index]), error)
            bench.send_packet("i_x", beats(x[index]), select)
            bench.send_packet("i_dy", beats(dy[index]))
            bench.expect_packet("o_dx", beats(result.dx[index]), error)
        errors = [wrong and not index for index in range(config.channels)]
        bench.expect("o_gradients", dgamma=result.dgamma, dbeta=result.dbeta, error=errors)
        shift = config.momentum_shift
        bench.expect(
            "o_averages", mean=(running.mean + half) >> shift, spread=(running.spread + half) >> shift
        )
    bench.run()


def test_a_channel_keeps_its_statistics_and_gamma() -> None:
    """mean, mantissa and exponent of r, sum of the signs and its flag, gamma."""
    unit = TrainingBatchNorm(Configuration(direction="training", width=16, counts=(1024,)))
    assert unit.kept_width == (16 + 10) + 24 + 7 + 12 + 1 + 16


def test_forward_waits_for_backward_when_the_queue_is_full(seed: int) -> None:
    """More channels than the queue holds need the backward pass of the first ones to go on; none is lost."""
    config = Configuration(
        direction="training", width=4, counts=(4,), channels=2, scale_width=8, gamma_width=4
    )
    unit = TrainingBatchNorm(config)
    bench = Bench(unit, seed=seed, patience=20000)
    golden = Contract.from_parameters(config.to_mapping())
    number = unit.statistics.depth + 8
    rng = np.random.default_rng(seed)
    x, dy = (rng.integers(-8, 8, (number, 4)) for _ in range(2))
    found = forward(golden, x, 3, 0)
    result = backward(golden, x, dy, 3, found)
    last = np.tile([False, False, False, True], number)
    anything = np.ma.masked_all(number, dtype=np.int64)
    bench.send("i", data=x.reshape(-1, 1), last=last)
    bench.send("i_affine", gamma=[3] * number, beta=[0] * number)
    late = 6000
    bench.pause("i_x", late)
    bench.send("i_x", data=x.reshape(-1, 1), last=last)
    bench.send("i_dy", data=dy.reshape(-1, 1), last=last)
    flags = np.ma.masked_array(np.zeros(4 * number), mask=~last)
    bench.expect("o", data=found.y.reshape(-1, 1), last=last, error=flags)
    bench.expect("o_dx", data=result.dx.reshape(-1, 1), last=last, error=flags)
    bench.expect("o_gradients", dgamma=result.dgamma, dbeta=result.dbeta, error=[0] * number)
    bench.expect("o_averages", mean=anything, spread=anything)
    bench.run()
    early = sum(taken < late for taken in bench.sinks["o"].taken)
    assert 4 * config.channels <= early < 4 * number
