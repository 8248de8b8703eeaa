"""Backends that put the generated hardware into a network, and hold it against the integer model there.

The protocol is :class:`l1bn_golden.backend.Backend`, see ``docs/hardware_in_the_loop.md``. A layer of
:mod:`l1bn_golden.torch` takes a factory::

    with HardwareLoop() as loop:
        layer = L1BatchNorm2d(16, formats=Contract(norm="l1", width=8), backend=loop.backend)
        ...
        print(loop.compared, "values equal,", loop.cycles, "clock cycles")
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from l1bn.config import PARAMETERS, Configuration
from l1bn_golden import Contract
from l1bn_golden.backend import Backend, GoldenBackend
from l1bn_golden.norms import STATISTICS

from .hardware import STORE, Closable, Rates
from .hardware_units import BackwardHardware, BackwardResult, ForwardHardware, ForwardResult, HardwareUnit

__all__ = ["CheckedBackend", "HardwareBackend", "HardwareLoop", "LoopMismatch", "configuration"]

Integers = NDArray[Any]
Unit = TypeVar("Unit", bound=HardwareUnit)

FORWARD = ("y", "mean", "r_mantissa", "r_exponent", "scale", "shift", "negative", *STATISTICS)
BACKWARD = ("dx", "dgamma", "dbeta")


class LoopMismatch(AssertionError):
    """Hardware and integer model differ; the message is one line that names the first value that does."""


def configuration(contract: Contract, **changes: object) -> Configuration:
    """The configuration of the unit that a contract belongs to, with some parameters changed."""
    values = {name: value for name, value in dataclasses.asdict(contract).items() if name in PARAMETERS}
    return Configuration.from_mapping({**values, **changes})


class HardwareBackend:
    """The Verilated hardware of a contract as a backend.

    Parameters
    ----------
    contract : the numeric contract; its counts are the numbers of samples that a channel may have
    lanes : samples in a beat; no result depends on it
    store, idle, stall, seed : see :class:`l1bn_sim.hardware_units.ForwardHardware`
    """

    def __init__(
        self,
        contract: Contract,
        *,
        lanes: int = 1,
        store: Path = STORE,
        idle: Rates = 0.0,
        stall: Rates = 0.0,
        seed: int = 0,
    ):
        self._contract, self._lanes = contract, lanes
        self._options: dict[str, Any] = {"store": store, "idle": idle, "stall": stall, "seed": seed}
        self._units: dict[type[HardwareUnit], HardwareUnit] = {}

    def _unit(self, kind: type[Unit]) -> Unit:
        """The unit of a class, built when it is asked for for the first time."""
        if kind not in self._units:
            config = configuration(self._contract, lanes=self._lanes, direction=kind.direction)
            self._units[kind] = kind(config, **self._options)
        unit = self._units[kind]
        assert isinstance(unit, kind)
        return unit

    @property
    def units(self) -> list[HardwareUnit]:
        """The units that were needed so far."""
        return list(self._units.values())

    def forward(self, x: Integers, gamma: Integers, beta: Integers) -> ForwardResult:
        """See :class:`l1bn_sim.hardware_units.ForwardHardware`."""
        return self._unit(ForwardHardware)(x, gamma, beta)

    def backward(self, x: Integers, dy: Integers, gamma: Integers, statistics: Any) -> BackwardResult:
        """See :class:`l1bn_sim.hardware_units.BackwardHardware`."""
        return self._unit(BackwardHardware)(x, dy, gamma, statistics)

    def close(self) -> None:
        """Give the models' memory back."""
        for unit in self.units:
            unit.close()


class CheckedBackend:
    """Two backends that have to agree: every result is computed by both, and the first one's is handed on.

    ``compared`` counts the values that were equal. Raises :exc:`LoopMismatch` at the first that is not.
    """

    def __init__(self, backend: Backend, model: Backend):
        self.backend, self.model = backend, model
        self.compared = 0

    def forward(self, x: Integers, gamma: Integers, beta: Integers) -> Any:
        result = self.backend.forward(x, gamma, beta)
        self._compare(FORWARD, result, self.model.forward(x, gamma, beta))
        return result

    def backward(self, x: Integers, dy: Integers, gamma: Integers, statistics: Any) -> Any:
        result = self.backend.backward(x, dy, gamma, statistics)
        self._compare(BACKWARD, result, self.model.backward(x, dy, gamma, statistics))
        return result

    def _compare(self, names: tuple[str, ...], result: Any, expected: Any) -> None:
        for name in names:
            found, right = getattr(result, name), getattr(expected, name)
            if found is None and right is None:
                continue
            found, right = np.asarray(found), np.asarray(right)
            if found.shape != right.shape:
                raise LoopMismatch(f"{name} has the shape {found.shape}, expected {right.shape}")
            wrong = np.argwhere(found != right)
            if len(wrong):
                place = tuple(wrong[0].tolist())
                raise LoopMismatch(
                    f"{name}{list(place)} = {found[place]}, expected {right[place]};"
                    f" {len(wrong)} of {found.size} values differ"
                )
            self.compared += found.size


@dataclass
class HardwareLoop(Closable):
    """Makes the backends of a network, checked against the integer model, and adds up what they did.

    Parameters as those of :class:`HardwareBackend`. Contracts that are equal share a model.
    """

    lanes: int = 1
    store: Path = STORE
    idle: Rates = 0.0
    stall: Rates = 0.0
    seed: int = 0
    _hardware: dict[Contract, HardwareBackend] = field(default_factory=dict, init=False)
    _checked: list[CheckedBackend] = field(default_factory=list, init=False)

    def backend(self, contract: Contract) -> CheckedBackend:
        """The factory that a layer takes."""
        if contract not in self._hardware:
            self._hardware[contract] = HardwareBackend(
                contract,
                lanes=self.lanes,
                store=self.store,
                idle=self.idle,
                stall=self.stall,
                seed=self.seed,
            )
        checked = CheckedBackend(self._hardware[contract], GoldenBackend(contract))
        self._checked.append(checked)
        return checked

    @property
    def cycles(self) -> int:
        """Clock cycles of all calls."""
        return sum(unit.cycles for hardware in self._hardware.values() for unit in hardware.units)

    @property
    def compared(self) -> int:
        """Values that were compared and equal."""
        return sum(checked.compared for checked in self._checked)

    def close(self) -> None:
        """Give the models' memory back."""
        for hardware in self._hardware.values():
            hardware.close()
