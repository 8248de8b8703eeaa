"""The cycles of a layer are those that its channels take, one behind the other, in the unit."""

from __future__ import annotations

import numpy as np
import pytest

from l1bn import Configuration, unit
from l1bn.plan import Layer, Network
from l1bn.plan.schedule import schedule
from l1bn_golden import Contract
from l1bn_vectors.forward import ForwardChannel, forward_traffic

from ..bench import UnitBench


class ForwardBench(UnitBench):
    """A forward unit, and channels on their way through it."""

    traffic = staticmethod(forward_traffic)


def layer(channels: int, count: int) -> Layer:
    """A layer of which nothing but its size is known."""
    return Layer("layer", channels, count, "l1", 1e-5, None, None, None, None)


@pytest.mark.parametrize(
    ("norm", "storage", "lanes", "count", "channels"),
    [
        ("l1", "inside", 1, 128, 2),
        ("l1", "outside", 1, 12, 3),
        ("l2", "inside", 2, 24, 3),
        ("range", "inside", 2, 30, 1),
    ],
)
def test_cycles_of_a_layer(norm: str, storage: str, lanes: int, count: int, channels: int, seed: int) -> None:
    """Of layers that are held up by their samples, and of those that what is done once a channel holds up."""
    config = Configuration(norm=norm, width=6, lanes=lanes, counts=(count, 8 * lanes), storage=storage)
    golden = Contract.from_parameters(config.to_mapping())
    rng = np.random.default_rng(seed)
    bench = ForwardBench(unit(config), seed=seed)
    bench.pass_through(ForwardChannel(golden, rng.integers(-32, 32, count), 9, 1, 0) for _ in range(channels))
    bench.run()
    (turn,) = schedule(Network("network", 1, (layer(channels, count),)), [bench.device]).turns
    assert turn.cycles == bench.sinks["o"].taken[-1] - bench.sources["i"].accepted[0] + 1


def test_a_batch_is_one_layer_after_the_other() -> None:
    device = unit(Configuration(counts=(16, 64)))
    layers = layer(3, 16), layer(2, 64), layer(5, 16)
    found = schedule(Network("network", 1, layers), [device])
    assert [turn.layer for turn in found.turns] == list(layers)
    assert found.cycles == sum(turn.cycles for turn in found.turns)
    assert found.samples == 3 * 16 + 2 * 64 + 5 * 16
    assert found.samples_per_second(100) == found.samples * 100e6 / found.cycles


def test_a_training_step_has_both_passes() -> None:
    forward, backward = (unit(Configuration(counts=(16,), direction=name)) for name in ("forward", "backward"))
    network = Network("network", 1, (layer(3, 16),))
    both = schedule(network, [forward, backward])
    assert both.cycles == schedule(network, [forward]).cycles + schedule(network, [backward]).cycles
