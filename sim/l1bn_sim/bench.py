"""The bench of one unit: clock, reset, a source or a sink for every stream, scoreboards, coverage.

A cocotb test makes one, sends and expects whole columns of fields, and finishes it::

    @cocotb.test()
    async def sums(dut):
        bench = await Bench.start(dut, idle=0.3, stall=0.3)
        bench.send("i", data=samples, last=last)
        bench.expect("o", sum=samples.sum())
        await bench.finish()
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from numpy.typing import ArrayLike

from l1bn_vectors.payloads import StreamPort

from .pauses import pauses
from .scoreboard import Comparison, Scoreboard
from .streams import StreamSink, StreamSource

__all__ = ["Bench", "HangError", "MismatchError", "parameters"]

SHOWN = 8
"""Mismatches that a failure lists."""

_covered: Counter[str] = Counter()
_reported: dict[str, Any] = {}


class HangError(AssertionError):
    """Nothing moved on any stream for too long, or items came without end."""


class MismatchError(AssertionError):
    """An output stream did not deliver what was expected."""


@cache
def _description() -> dict[str, Any]:
    return json.loads(Path(os.environ["L1BN_BENCH"]).read_text(encoding="utf-8"))


def parameters() -> dict[str, Any]:
    """The parameters that :func:`l1bn_sim.runner.run_bench` was given."""
    return _description()["parameters"]


class Bench:
    """Made by :meth:`start`.

    Parameters
    ----------
    dut : handle of the top
    idle, stall : share of the cycles, 0 to 0.9, in which the sources hold back and the sinks are not ready; a
        number for all streams or one by name
    patience : cycles without any transfer that mean the unit hangs

    Attributes
    ----------
    sources, sinks : the streams by name
    cycle : rising edges since the end of the reset
    """

    def __init__(
        self,
        dut: Any,
        idle: float | dict[str, float] = 0.0,
        stall: float | dict[str, float] = 0.0,
        patience: int = 4096,
    ):
        self.dut = dut
        self.patience = patience
        self.cycle = 0
        self.sources: dict[str, StreamSource] = {}
        self.sinks: dict[str, StreamSink] = {}
        self.scoreboards: dict[str, Scoreboard] = {}
        for port in map(StreamPort.from_json, _description()["streams"]):
            rates = idle if port.direction == "in" else stall
            rate = rates.get(port.name, 0.0) if isinstance(rates, dict) else rates
            schedule = pauses(rate, f"{cocotb.RANDOM_SEED}/{port.name}")
            if port.direction == "in":
                self.sources[port.name] = StreamSource(dut, port, schedule)
            else:
                self.sinks[port.name] = StreamSink(dut, port, schedule)
                self.scoreboards[port.name] = Scoreboard(port)
        self._edge = RisingEdge(dut.clk)

    @classmethod
    async def start(cls, dut: Any, **options: Any) -> Bench:
        """Start the clock and reset the unit; the options are those of the class."""
        bench = cls(dut, **options)
        Clock(dut.clk, 10, unit="ns").start()
        await bench.reset()
        return bench

    async def reset(self) -> None:
        """Hold the reset for two cycles. What the sources still have to send stays."""
        self.dut.rst.value = 1
        for _ in range(2):
            await self._edge
        self.dut.rst.value = 0

    def send(self, stream: str, **columns: ArrayLike) -> None:
        """Queue items on an input stream: columns as :meth:`l1bn_vectors.payloads.Payload.pack` takes them."""
        source = self.sources[stream]
        source.send(source.port.payload.pack(**columns))

    def expect(self, stream: str, **columns: ArrayLike) -> None:
        """Expect items on an output stream, see :meth:`l1bn_sim.scoreboard.Scoreboard.expect`."""
        self.scoreboards[stream].expect(**columns)

    async def run(self, cycles: int, until: Callable[[], bool] | None = None) -> None:
        """Run for ``cycles`` cycles, or less when ``until`` (asked every few cycles) says so."""
        steps = [source.step for source in self.sources.values()]
        steps += [sink.step for sink in self.sinks.values()]
        edge = self._edge
        for count in range(cycles):
            await edge
            self.cycle = cycle = self.cycle + 1
            for step in steps:
                step(cycle)
            if until is not None and not count & 7 and until():
                return

    async def run_until(self, done: Callable[[], bool]) -> None:
        """Run until ``done``.

        Raises :exc:`HangError` when nothing has moved for ``patience`` cycles, or when as many items more than
        expected have come.
        """
        while not done():
            before = self._transfers()
            await self.run(self.patience, done)
            if done():
                return
            if self._transfers() == before:
                raise HangError(f"no transfer in {self.patience} cycles; {self._state()}")
            surplus = [len(sink.taken) - self.scoreboards[name].length for name, sink in self.sinks.items()]
            if max(surplus) > self.patience:
                raise HangError(f"items without end; {self._state()}")

    async def drain(self, margin: int = 128) -> None:
        """Run until every expected item has come and every queued one has gone, and ``margin`` more."""

        def done() -> bool:
            arrived = all(
                len(sink.taken) >= self.scoreboards[name].length for name, sink in self.sinks.items()
            )
            return arrived and not any(source.waiting for source in self.sources.values())

        await self.run_until(done)
        await self.run(margin)
        self._cover_pauses()

    def compare(self) -> Comparison:
        """What came, held against what was expected, on all output streams."""
        parts = [board.compare(self.sinks[name].columns) for name, board in self.scoreboards.items()]
        batches = zip_longest(*(part.batches for part in parts), fillvalue=0)
        return Comparison(list(map(sum, batches)), [line for part in parts for line in part.lines])

    async def finish(self) -> None:
        """:meth:`drain`, then raise :exc:`MismatchError` if anything differs, is missing or is left over."""
        await self.drain()
        lines = self.compare().lines
        if lines:
            more = [f"... {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
            raise MismatchError("\n".join(["the scoreboard is not empty:", *lines[:SHOWN], *more]))
        self.report()

    def cover(self, **points: int) -> None:
        """Count what was hit; names are written with spaces in the report."""
        _covered.update({name.replace("_", " "): int(times) for name, times in points.items()})

    def report(self, **values: Any) -> None:
        """Add to the bench's result, which :class:`l1bn_sim.runner.Outcome` hands on with the coverage."""
        _reported.update(values, coverage=dict(sorted(_covered.items())))
        target = Path(os.environ["L1BN_BENCH"]).with_name("result.json")
        target.write_text(json.dumps(_reported), encoding="utf-8")

    def _cover_pauses(self) -> None:
        idled = {cycle for source in self.sources.values() for cycle in source.idled}
        stalled = {cycle for sink in self.sinks.values() for cycle in sink.stalled}
        self.cover(idle=len(idled), stall=len(stalled), idle_and_stall=len(idled & stalled))

    def _transfers(self) -> int:
        taken = sum(len(sink.taken) for sink in self.sinks.values())
        return taken + sum(len(source.accepted) for source in self.sources.values())

    def _state(self) -> str:
        waiting = [f"{name}: {source.waiting} waiting" for name, source in self.sources.items()]
        arrived = [
            f"{name}: {len(sink.taken)} of {self.scoreboards[name].length} items"
            for name, sink in self.sinks.items()
        ]
        return ", ".join(waiting + arrived)
