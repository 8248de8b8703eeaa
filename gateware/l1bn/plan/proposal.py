"""One unit for all normalisation layers of a network, and why it is as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..config import MOST_COUNTS, PARAMETERS, Configuration
from ..errors import ConfigurationError
from ..units import AnyUnit, unit
from ..units.contents import memories
from ..units.training import TrainingBatchNorm
from .choices import Choices
from .estimate import Estimate, device, estimate
from .initial import Initial, initial, translated
from .network import Layer, Network
from .ranges import choose_formats
from .schedule import Schedule, schedule

__all__ = ["Plan", "Wishes", "propose"]


@dataclass(frozen=True)
class Wishes:
    """What the unit has to reach.

    Parameters
    ----------
    samples_per_second : samples x of all layers together; ``None`` where one lane is enough
    mhz : its clock; ``None`` for that of the nearest measured preset
    memory_bits : of the blocks that its buffers may take; ``None`` for all block RAM of the device
    """

    samples_per_second: float | None = None
    mhz: float | None = None
    memory_bits: int | None = None


@dataclass(frozen=True)
class Plan:
    """A unit for a network.

    Parameters
    ----------
    reasons : why each parameter that is not left at its default is as it is
    unit : built, not elaborated
    schedule : how long it is busy with a batch
    mhz : the clock that rates are for; ``None`` where nobody measured one
    memory_bits : of the buffers
    layers : those of the network as ones of the unit's norm
    """

    network: Network
    reasons: Mapping[str, str]
    unit: AnyUnit
    schedule: Schedule
    mhz: float | None
    memory_bits: int
    estimate: Estimate
    layers: tuple[Layer, ...]

    @property
    def config(self) -> Configuration:
        config: Configuration = self.unit.config
        return config

    @cached_property
    def initial(self) -> tuple[Initial, ...]:
        """What each layer begins with; not made for plans that are not fast enough."""
        return tuple(initial(layer, self.config) for layer in self.layers)

    @property
    def samples_per_second(self) -> float | None:
        return None if self.mhz is None else self.schedule.samples_per_second(self.mhz)

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the configuration that are not left at their defaults, as :meth:`Configuration.from_mapping` takes
        them."""
        return {name: value for name, value in self.config.to_mapping().items() if name in self.reasons}


def propose(network: Network, typed: Mapping[str, Any], wishes: Wishes) -> Plan:
    """The unit with the fewest lanes that takes every layer of a network and reaches what is wished for.

    Parameters
    ----------
    typed : parameters that the user has decided, by name; no counts

    Raises
    ------
    ConfigurationError
        If a layer has more samples or channels than a unit takes, a parameter is not possible, or no unit is fast
        enough.
    """
    _check_layers(network)
    decided = Configuration.from_mapping({"counts": network.counts, **typed})
    if decided.direction == "training" and len(network.layers) > 1:
        allowed = "forward, backward or inference: a training unit keeps the statistics of one layer for its way back"
        raise ConfigurationError("direction", decided.direction, allowed)
    layers = tuple(translated(layer, decided.norm) for layer in network.layers)
    choices = Choices(decided, typed)
    choices.add("norm", decided.norm, "the default")
    choices.add("counts", list(network.counts), f"samples a channel, of a batch of {network.batch}")
    _choose_channels(choices, layers)
    _choose_epsilon(choices, layers)
    choose_formats(choices, layers)
    return _fast_enough(network, layers, choices, wishes)


def _check_layers(network: Network) -> None:
    """Refuse what no unit takes."""
    for layer in network.layers:
        for name, value in (("count", layer.count), ("channels", layer.channels)):
            low, high = PARAMETERS["counts" if name == "count" else name].range or (1, 1)
            if not low <= value <= high:
                raise ConfigurationError(f"{name} of {layer.name}", value, f"{low} to {high}, see --batch and --input")
    if len(network.counts) > MOST_COUNTS:
        raise ConfigurationError("counts", f"{len(network.counts)} different ones", f"at most {MOST_COUNTS}")


def _choose_channels(choices: Choices, layers: Sequence[Layer]) -> None:
    channels = [layer.channels for layer in layers]
    if choices.decided.guesses:
        choices.add("channels", sum(channels), "of all layers: it guesses their means in turn")
    else:
        choices.add("channels", max(channels), "of the largest layer")


def _choose_epsilon(choices: Choices, layers: Sequence[Layer]) -> None:
    epsilons = sorted({layer.epsilon for layer in layers})
    if len(epsilons) == 1:
        choices.add("epsilon", epsilons[0], "of all layers")
    else:
        choices.add("epsilon", epsilons[-1], f"the largest of the layers, which have from {epsilons[0]:.3g} on")


def _fast_enough(network: Network, layers: tuple[Layer, ...], choices: Choices, wishes: Wishes) -> Plan:
    """The plan with the fewest lanes that are enough."""
    possible = [choices.decided.lanes] if "lanes" in choices.typed else PARAMETERS["lanes"].choices
    dividing = [lanes for lanes in possible if all(count % int(lanes) == 0 for count in network.counts)]
    wanted = wishes.samples_per_second
    best = None
    for lanes in dividing:
        why = "one a cycle" if wanted is None else f"the fewest for {wanted:.4g} samples/s"
        plan = _planned(network, layers, choices.with_("lanes", lanes, why), wishes)
        reached = plan.samples_per_second
        if wanted is None or (reached is not None and reached >= wanted):
            return plan
        best = max(best or 0.0, reached or 0.0)
    if not best:
        allowed = "a rate together with --mhz, because no clock of such a unit was measured"
        raise ConfigurationError("samples_per_second", wanted, allowed)
    divisor = math.gcd(*network.counts)
    allowed = f"at most {best:.4g} with {dividing[-1]} lanes; they divide every count, and so {divisor}"
    raise ConfigurationError("samples_per_second", wanted, allowed)


def _planned(network: Network, layers: tuple[Layer, ...], choices: Choices, wishes: Wishes) -> Plan:
    """The plan of so many lanes, with storage where there is room for it."""
    built = unit(choices.configuration())
    blocks = device(built.config)
    room = blocks.blocks * blocks.block_bits if wishes.memory_bits is None else wishes.memory_bits
    found = estimate(built)
    needed = found.bram * blocks.block_bits
    if "storage" not in choices.typed and needed > room:
        choices = choices.with_("storage", "outside", f"buffers inside would take {needed:,} bits of block RAM")
        built = unit(choices.configuration())
        found = estimate(built)
    passes = [built.forward, built.backward] if isinstance(built, TrainingBatchNorm) else [built]
    return Plan(
        network=network,
        reasons=choices.reasons,
        unit=built,
        schedule=schedule(network, passes),
        mhz=found.mhz if wishes.mhz is None else wishes.mhz,
        memory_bits=sum(memory["bits"] for memory in memories(built)),
        estimate=found,
        layers=layers,
    )
