"""A component's Verilog as a function on NumPy arrays: whole columns in, whole columns out, bit by bit.

::

    component = SumAccumulator(width=8, lanes=4, count=64)
    with Hardware(Design.of(component, "sums")) as sums:
        run = sums.run({"i": {"data": x.reshape(-1, 4), "last": last}}, {"o": 20})
        print(run.columns["o"]["sum"], run.cycles)

Verilator's model and the driver that moves the items are C++ in one library; Python is called per run, not per
cycle. :mod:`l1bn_sim.hardware_units` has the units of l1bn on top of it.
"""

from __future__ import annotations

import ctypes
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from l1bn_vectors.payloads import Columns, StreamPort

from .design import Design
from .hardware_library import Status, Transfer, build, load
from .hardware_words import Words, pack, unpack, words_per_item
from .pauses import run_lengths

__all__ = ["PATIENCE", "STORE", "Closable", "Hardware", "HardwareError", "Rates", "Run"]

STORE = Path("build/hardware")
"""Where libraries are kept, from the current folder."""

PATIENCE = 1 << 16
CHUNK = 1 << 20
"""Cycles between two looks at Ctrl-C: below a second."""

Rates = float | Mapping[str, float]
"""Share of the cycles, 0 to 0.9: one for all streams or one by name, 0 for those that are not named."""


class HardwareError(RuntimeError):
    """The hardware did not do what was asked of it; the message is one line. The model has been reset."""


class Closable(ABC):
    """What is closed by hand or by the end of its ``with`` block."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


@dataclass(frozen=True)
class Run:
    """What came of :meth:`Hardware.run`.

    Attributes
    ----------
    columns : the items of each output stream, as columns of its fields
    cycles : clock cycles from the first one in which anything was offered to that of the last transfer
    first, last : by stream that moved anything, the cycle of its first and its last transfer since the reset
    offered : output streams that offer an item nobody has asked for
    """

    columns: dict[str, Columns]
    cycles: int
    first: dict[str, int]
    last: dict[str, int]
    offered: tuple[str, ...]


class Hardware(Closable):
    """One model of a design, reset and ready; any number of them may exist, each with its own state.

    Not for several threads at once. Use it in a ``with`` block, or :meth:`close` it.

    Parameters
    ----------
    design : Verilog with its streams
    store : folder of the built libraries; made when missing
    patience : cycles without any transfer that mean the hardware hangs
    seed : seed of the pauses

    Raises
    ------
    ToolchainError, BuildError
        See :func:`l1bn_sim.hardware_library.build`.
    """

    def __init__(self, design: Design, *, store: Path = STORE, patience: int = PATIENCE, seed: int = 0):
        if patience < 1:
            raise ValueError(f"patience = {patience} is not possible; allowed: 1 or more")
        self.design = design
        self.patience = patience
        self.seed = seed
        self.streams = {port.name: port for port in design.streams}
        self._library = load(build(design, store).resolve())
        self._model = self._library.open()
        if self._model is None:
            raise HardwareError(f"{design.name}: no memory for another model")
        self._runs = 0
        self._close = weakref.finalize(self, self._library.close, self._model)

    def close(self) -> None:
        """Give the model's memory back; nothing can be run after it."""
        self._close()

    @property
    def cycle(self) -> int:
        """Clock cycles since the reset."""
        return int(self._library.cycle(self._open_model()))

    def reset(self) -> None:
        """Hold the reset for two cycles; what was under way is gone."""
        self._library.reset(self._open_model())

    def run(
        self,
        send: Mapping[str, Mapping[str, ArrayLike]],
        take: Mapping[str, int],
        *,
        idle: Rates = 0.0,
        stall: Rates = 0.0,
    ) -> Run:
        """Send items and take items, until all have moved. The next run goes on from there, without a reset.

        Parameters
        ----------
        send : by input stream, a column of integers for every field of its payload
        take : by output stream, how many items to take; one that is not named is not ready
        idle, stall : share of the cycles in which the sources hold back and the sinks are not ready

        Raises
        ------
        ValueError
            A stream, a field, a value or a rate that does not fit; the hardware has not moved.
        HardwareError
            Nothing moved for ``patience`` cycles, or a stream broke the protocol: valid was withdrawn, or the
            payload changed, before the transfer.
        """
        model = self._open_model()
        self._check(send, take)
        buffers = [self._buffer(port, send, take) for port in self.design.streams]
        pauses = self._rates("in", idle) | self._rates("out", stall)
        transfers = (Transfer * len(buffers))()
        states = np.random.SeedSequence([self.seed, self._runs]).generate_state(len(buffers), np.uint64)
        for transfer, name, words, state in zip(transfers, self.streams, buffers, states, strict=True):
            transfer.words, transfer.items = words.ctypes.data, len(words)
            transfer.pause, transfer.resume = _probabilities(pauses[name])
            transfer.random = int(state) | 1
        self._runs += 1
        start = self.cycle
        try:
            self._move(model, transfers)
        except BaseException:
            self.reset()
            raise
        return self._result(transfers, buffers, self.cycle - start)

    def _open_model(self) -> int:
        if not self._close.alive:
            raise HardwareError(f"{self.design.name}: closed")
        assert self._model is not None
        return int(self._model)

    def _names(self, direction: str) -> list[str]:
        return [name for name, port in self.streams.items() if port.direction == direction]

    def _check(self, send: Mapping[str, object], take: Mapping[str, int]) -> None:
        _check_names(send, self._names("in"))
        _check_names(take, self._names("out"))
        for name, items in take.items():
            if items < 0:
                raise ValueError(f"{name} = {items} items is not possible; allowed: 0 or more")

    def _rates(self, direction: str, rates: Rates) -> dict[str, float]:
        names = self._names(direction)
        if not isinstance(rates, Mapping):
            return dict.fromkeys(names, rates)
        _check_names(rates, names)
        return {name: rates.get(name, 0.0) for name in names}

    def _buffer(
        self, port: StreamPort, send: Mapping[str, Mapping[str, ArrayLike]], take: Mapping[str, int]
    ) -> Words:
        if port.name not in send:
            return np.zeros((take.get(port.name, 0), words_per_item(port.payload)), np.uint32)
        try:
            return pack(port.payload, send[port.name])
        except ValueError as error:
            raise ValueError(f"stream {port.name}: {error}") from None

    def _move(self, model: int, transfers: ctypes.Array[Transfer]) -> None:
        status = Status.MORE
        while status is Status.MORE:
            status = Status(self._library.run(model, transfers, CHUNK, self.patience))
        if status is Status.DONE:
            return
        if status is Status.STUCK:
            what = f"no transfer in {self.patience} cycles"
        elif status is Status.VALID_FELL:
            what = "valid was withdrawn before the transfer"
        else:
            what = "the payload changed before the transfer"
        states = [_state(*pair) for pair in zip(self.design.streams, transfers, strict=True)]
        raise HardwareError(f"{self.design.name}: {what}; {', '.join(states)}")

    def _result(self, transfers: ctypes.Array[Transfer], buffers: list[Words], cycles: int) -> Run:
        streams = list(zip(self.design.streams, transfers, buffers, strict=True))
        return Run(
            {port.name: unpack(port.payload, words) for port, _, words in streams if port.direction == "out"},
            cycles,
            {port.name: transfer.first for port, transfer, _ in streams if transfer.items},
            {port.name: transfer.last for port, transfer, _ in streams if transfer.items},
            tuple(port.name for port, transfer, _ in streams if transfer.waiting),
        )


def _check_names(names: Iterable[str], allowed: list[str]) -> None:
    for name in names:
        if name not in allowed:
            raise ValueError(f"stream {name!r} is not possible; allowed: {', '.join(allowed)}")


def _probabilities(rate: float) -> tuple[int, int]:
    """Of a pause to begin and to end in a cycle, in units of 2^-32; 0 and 0 for no pause at all."""
    lengths = run_lengths(rate)
    if lengths is None:
        return 0, 0
    active, paused = lengths
    unit = (1 << 32) - 1
    return min(unit, round(unit / active)), min(unit, round(unit / paused))


def _state(port: StreamPort, transfer: Transfer) -> str:
    if port.direction == "in":
        held = " and one that is not accepted" if transfer.waiting else ""
        return f"{port.name}: {transfer.moved} of {transfer.items} sent{held}"
    offered = "one offered" if transfer.waiting else "none offered"
    return f"{port.name}: {transfer.moved} of {transfer.items} taken, {offered}"
