"""A small network, trained with the generated Verilog in the place of the integer model."""

from __future__ import annotations

from pathlib import Path

from l1bn_golden.training.runs import Settings
from l1bn_sim import loop_training
from l1bn_sim.loop import HardwareLoop

STORE = Path(__file__).parents[2] / "build" / "hardware"


def test_a_network_trains_with_the_hardware_as_with_the_model(seed):
    settings = Settings(task="mlp", norm="l1", width=8, seed=seed, epochs=1, images=192)
    with HardwareLoop(store=STORE, idle=0.2, stall=0.2, seed=seed) as loop:
        run = loop_training.train(settings, loop)
    # Three steps of three norms: 64 channels of 64 samples, 7 statistics and 2 gradients each.
    assert run.values == 3 * 3 * 64 * (2 * 64 + 7 + 2)
    assert run.cycles > 3 * 3 * 64 * 2 * 64
    assert run.accuracy > 15
