"""The bench of one component whose ports are streams, in Amaranth's simulator.

A bench has a source for each input stream and a sink for each output stream. All of them pause at random, from one
seed; a source that offers nothing drives garbage, and a sink holds its stream to the rules: what is offered stays
offered, unchanged, until it is taken. The cycle of every transfer is noted, so that a test can hold a component
to its latency and its throughput.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import Any

import numpy as np
from amaranth.hdl import Elaboratable, Value
from amaranth.lib import stream, wiring
from amaranth.sim import Simulator
from numpy.typing import ArrayLike

from l1bn_sim import pauses as schedules
from l1bn_vectors import edges
from l1bn_vectors.payloads import Payload, integers
from l1bn_vectors.shapes import payload as payload_of
from l1bn_vectors.traffic import Columns, Traffic

__all__ = ["FEW_PAUSES", "PAUSES", "Bench", "UnitBench", "exercise", "periods", "run_testbench", "shuffled"]

PAUSES = ((0.0, 0.0), (0.0, 0.6), (0.4, 0.4))
"""Shares of the cycles in which the sources are idle and the sinks stall; without any first."""
FEW_PAUSES = PAUSES[::2]
"""For components that keep an item for many cycles: what they do between two items tests little."""

Rates = float | Mapping[str, float]
"""Of pauses: of all streams, or by name."""

SHOWN = 5
"""Mismatches that a failure lists."""


class Source:
    """Drives an input stream: items in their order, and garbage in between."""

    def __init__(self, port: stream.Interface, payload: Payload, idle: Iterator[bool], seed: str):
        self.port, self.payload, self.idle = port, payload, idle
        self.accepted: list[int] = []
        self.garbage = random.Random(seed)
        self.queue: deque[int | None] = deque()
        self.offering = False
        self.was_offering: bool | None = None

    @property
    def waiting(self) -> int:
        return len(self.queue) + self.offering

    @property
    def sampled(self) -> tuple[Value, ...]:
        return (self.port.ready,)

    def drive(self, ctx: Any) -> None:
        if self.offering:
            return
        pausing = next(self.idle)
        word = self.queue.popleft() if self.queue and not pausing else None
        self.offering = word is not None
        if self.offering != self.was_offering:
            ctx.set(self.port.valid, self.offering)
        if word is None and self.was_offering is not False:
            word = self.garbage.getrandbits(self.payload.width) if self.payload.width else 0
        if word is not None:
            ctx.set(Value.cast(self.port.payload), word)
        self.was_offering = self.offering

    def note(self, cycle: int, ready: int) -> bool:
        if self.offering and ready:
            self.accepted.append(cycle)
            self.offering = False
            return True
        return False


class Sink:
    """Takes what an output stream offers and holds the stream to its rules."""

    def __init__(self, name: str, port: stream.Interface, payload: Payload, stall: Iterator[bool]):
        self.name, self.port, self.payload, self.stall = name, port, payload, stall
        self.taken: list[int] = []
        self.words: list[int] = []
        self.expected: list[tuple[int, int]] = []  # words and masks of the bits that count
        self.held: int | None = None
        self.was_ready = False

    @property
    def sampled(self) -> tuple[Value, ...]:
        return self.port.valid, self.port.ready, Value.cast(self.port.payload)

    def drive(self, ctx: Any) -> None:
        ready = not next(self.stall)
        if ready != self.was_ready:
            ctx.set(self.port.ready, ready)
            self.was_ready = ready

    def note(self, cycle: int, valid: int, ready: int, word: int) -> bool:
        if self.held is not None:
            assert valid, f"{self.name}: offer withdrawn in cycle {cycle}"
            assert word == self.held, f"{self.name}: payload changed before it was taken, cycle {cycle}"
        self.held = word if valid and not ready else None
        if valid and ready:
            self.taken.append(cycle)
            self.words.append(word)
        return bool(valid and ready)

    def check(self) -> None:
        """Raise :exc:`AssertionError` that lists what is different, missing or too much."""
        lines = []
        for index, (word, (expected, mask)) in enumerate(zip(self.words, self.expected, strict=False)):
            if (word ^ expected) & mask:
                lines.append(f"item {index}: {self.show(word)}, expected {self.show(expected)}")
        if len(self.words) != len(self.expected):
            lines.append(f"{len(self.words)} items, expected {len(self.expected)}")
        assert not lines, "\n".join([f"{self.name}:", *lines[:SHOWN], f"{len(lines)} lines in all"])

    def show(self, word: int) -> str:
        columns = self.payload.unpack([word])
        return ", ".join(
            f"{name}={values[0].tolist() if values.ndim > 1 else values[0]}"
            for name, values in columns.items()
        )


class Bench:
    """A component with sources and sinks at its streams.

    Parameters
    ----------
    component : not yet elaborated; every port is a stream
    idle, stall : share of the cycles, 0 to 0.9, in which the sources offer nothing and the sinks are not ready: one
        number for all, or by name of the stream
    seed : of all pauses and of the garbage
    patience : cycles without a transfer after which the component counts as hung

    Attributes
    ----------
    sources, sinks : by name
    """

    def __init__(
        self,
        component: wiring.Component,
        *,
        idle: Rates = 0.0,
        stall: Rates = 0.0,
        seed: int = 0,
        patience: int = 1000,
    ):
        self.component, self.patience = component, patience
        self.sources: dict[str, Source] = {}
        self.sinks: dict[str, Sink] = {}
        for name, member in component.signature.members.items():
            port, payload = getattr(component, name), payload_of(member.signature.members["payload"].shape)
            rates = idle if member.flow is wiring.In else stall
            rate = rates.get(name, 0.0) if isinstance(rates, Mapping) else rates
            schedule = schedules.pauses(rate, f"{seed}/{name}") or repeat(False)
            if member.flow is wiring.In:
                self.sources[name] = Source(port, payload, schedule, f"{seed}/{name}/garbage")
            else:
                self.sinks[name] = Sink(name, port, payload, schedule)

    def send(self, name: str, **columns: ArrayLike) -> None:
        """Queue items on an input stream, a column a field; a plain number is the field ``value``."""
        source = self.sources[name]
        source.queue.extend(source.payload.pack(**_present(source.payload, columns)))

    def pause(self, name: str, cycles: int) -> None:
        """Offer nothing for so many cycles when the queue comes to this point."""
        self.sources[name].queue.extend(repeat(None, cycles))

    def expect(self, name: str, **columns: ArrayLike) -> None:
        """Expect items on an output stream; an element that is masked (numpy.ma) may be anything."""
        sink = self.sinks[name]
        columns = _present(sink.payload, columns)
        decisive = {}
        for field in sink.payload.fields:
            decisive[field.name] = np.full(integers(columns[field.name]).shape, field.all_ones, dtype=object)
            decisive[field.name][np.ma.getmask(columns[field.name])] = 0
        sink.expected.extend(zip(sink.payload.pack(**columns), sink.payload.pack(**decisive), strict=True))

    def carry(self, traffic: Traffic) -> None:
        """Send and expect all of a unit's streams."""
        for name, columns in traffic.inputs.items():
            self.send(name, **columns)
        for name, columns in traffic.outputs.items():
            self.expect(name, **columns)

    def send_packet(self, name: str, beats: np.ndarray, select: int = 0) -> None:
        """Queue the beats of one packet, which says with each of them which count it has."""
        last = np.arange(len(beats)) == len(beats) - 1
        self.send(name, data=beats, last=last, select=np.full(len(beats), select))

    def expect_packet(self, name: str, beats: np.ndarray, error: bool) -> None:
        """Expect the beats of one packet; ``error`` means something with the final one only."""
        last = np.arange(len(beats)) == len(beats) - 1
        flags = np.ma.masked_array(np.full(len(beats), error), mask=~last)
        self.expect(name, data=beats, last=last, error=flags)

    def run(self, margin: int = 40) -> None:
        """Run until everything queued has gone and everything expected has come, then ``margin`` cycles more.

        Raises :exc:`AssertionError` for a wrong item, one too few or too many, a broken rule, or a hang.
        """
        ends = [*self.sources.values(), *self.sinks.values()]
        signals = [signal for end in ends for signal in end.sampled]

        def finished() -> bool:
            sent = not any(source.waiting for source in self.sources.values())
            return sent and all(len(sink.words) >= len(sink.expected) for sink in self.sinks.values())

        async def testbench(ctx: Any) -> None:
            cycle, moved, left = 0, 0, margin
            while left:
                for end in ends:
                    end.drive(ctx)
                _, _, *values = await ctx.tick().sample(*signals)
                cycle += 1
                remaining = iter(values)
                for end in ends:
                    if end.note(cycle, *islice(remaining, len(end.sampled))):
                        moved = cycle
                # A pause that a test asked for is no hang.
                if any(source.queue and source.queue[0] is None for source in self.sources.values()):
                    moved = cycle
                left = left - 1 if finished() else margin
                assert cycle - moved <= self.patience, (
                    f"nothing moved for {self.patience} cycles: {self.state()}"
                )

        run_testbench(self.component, testbench)
        for sink in self.sinks.values():
            sink.check()

    def state(self) -> str:
        waiting = [f"{name} has {source.waiting} waiting" for name, source in self.sources.items()]
        come = [f"{name} gave {len(sink.words)} of {len(sink.expected)}" for name, sink in self.sinks.items()]
        return ", ".join([*waiting, *come])


class UnitBench(Bench):
    """A unit, and channels on their way through it.

    ``traffic`` are the streams of channels for a number of sendings, as :mod:`l1bn_vectors` has them for a direction.
    """

    traffic: Callable[[Sequence[Any], int], Traffic]

    def __init__(self, device: wiring.Component, **options: Any):
        super().__init__(device, **options)
        self.device: Any = device
        self.config = self.device.config

    def beats(self, select: int) -> int:
        return self.config.counts[select] // self.config.lanes

    def pass_through(self, work: Iterable[Any]) -> None:
        for channel in work:
            self.carry(self.traffic([channel], self.config.sendings))


def run_testbench(device: Elaboratable, testbench: Callable[..., Any], *watchers: Callable[..., Any]) -> None:
    """Run a device until the testbench ends, which others may watch."""
    simulator = Simulator(device)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    for watcher in watchers:
        simulator.add_testbench(watcher, background=True)
    simulator.run()


def _present(payload: Payload, columns: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    """The columns of fields that have bits; those of others, such as ``select`` of one count, must be all 0."""
    names = {field.name for field in payload.fields}
    for name, column in columns.items():
        assert name in names or not integers(column).any(), f"no field {name}; there are {', '.join(sorted(names))}"
    return {name: column for name, column in columns.items() if name in names}


def exercise(
    make: Callable[[], wiring.Component],
    inputs: Mapping[str, Columns],
    outputs: Mapping[str, Columns],
    seed: int,
    pauses: Sequence[tuple[Rates, Rates]] = PAUSES,
) -> Bench:
    """Run a component with every mix of pauses, a fresh one each; returns the first bench, which has none."""
    benches = []
    for idle, stall in pauses:
        bench = Bench(make(), idle=idle, stall=stall, seed=seed)
        for name, columns in inputs.items():
            bench.send(name, **columns)
        for name, columns in outputs.items():
            bench.expect(name, **columns)
        bench.run()
        benches.append(bench)
    return benches[0]


def periods(cycles: Iterable[int]) -> set[int]:
    """The distances between transfers that follow each other."""
    return set(np.diff(list(cycles)).tolist())


def shuffled(seed: int, width: int, signed: bool, length: int) -> list[int]:
    """Integers of ``width`` bits in random order: the edges of the range, and random ones of every size."""
    draw = random.Random(f"{seed}/{width}/{signed}/{length}")
    values = edges.integers(draw, width, signed, length)
    draw.shuffle(values)
    return values
