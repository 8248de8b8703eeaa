"""The registers of a forward unit under random software, cycle by cycle, beside what their map promises."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest

from l1bn.bus.control import ForwardControl
from l1bn.bus.register_map import IN_FLIGHT, forward_map
from l1bn.config import Configuration
from l1bn.numbers.formats import Formats
from l1bn_vectors.shapes import payload

from ..bench import run_testbench
from ..strict_memory import be_strict
from .software import Access, Expectation, draw_access

PATIENCE = 100
"""Cycles after which what was asked for does not come."""
PORT = 3
"""Cycles at least without a request between two of one kind: what the AXI4-Lite port needs for answer and address."""
ENOUGH = 3000
"""Cycles at least of a run."""
MEETINGS = {
    *(f"write {kind} while {state}" for kind in ("taken", "refused") for state in ("busy", "idle")),
    *(f"write {write}, read {read}" for write in (0, 1) for read in (0, 1)),
    *(f"{name} cleared as it counts" for name in ("channels_done", "packet_errors", "refused")),
    "began after a stop, as it was offered before",
    "an entry read as it is written",
}
"""What a run has to meet: ``write 1, read 0`` are a write refused and a read answered in one cycle."""


@dataclass(frozen=True)
class Rates:
    """Shares of the cycles in which something happens that may happen."""

    begin: float = 0.3
    feed: float = 0.5
    report: float = 0.3
    end: float = 0.3
    write: float = 0.3
    read: float = 0.3


IDLE = Rates(begin=0.02, end=0.8, report=0.8)
"""Most of the time no channel is in flight."""
BUSY = Rates(begin=0.8, end=0.1)
FAST = Rates(*6 * [1.0])
"""Everything at once."""


class Run:
    """A control, a unit that is only its handshakes, and software that does anything the bus lets it do.

    Parameters
    ----------
    config : of the unit, with its ``channels``
    seed : of all that is drawn
    """

    def __init__(self, config: Configuration, seed: str):
        formats = Formats(config)
        self.config = config
        self.map = forward_map(formats, config.channels, "1.2.3", 0xA5000001)
        self.control = ForwardControl(formats, self.map)
        self.draw = random.Random(seed)
        self.expected = Expectation(self.map, config)
        self.script: deque[Access] = deque()
        self.write: Access | None = None
        self.read: Access | None = None
        self.read_words: set[int | None] = set()
        self.waited = {"read": 0, "feed": 0}
        self.pause = {"read": 0, "write": 0}
        self.offered = self.inside = False
        self.unreported = self.unfinished = 0
        self.late = 0
        self.seen: set[str] = set()
        self.cycles = 0

    def fill_tables(self) -> None:
        """Let software begin with gamma and beta of every channel."""
        for name in ("gamma", "beta"):
            table = self.map.table(name)
            for entry in range(table.entries):
                self.script.append(Access(table.offset + table.stride * entry, self.draw.getrandbits(32)))

    def any_access(self) -> Access:
        return draw_access(self.draw, self.map, len(self.config.counts))

    @property
    def missing(self) -> set[str]:
        """Meetings of events that have to be seen, and were not."""
        return MEETINGS - self.seen

    def go(self, phases: list[tuple[Rates, int]]) -> None:
        """Run through the phases until enough has been seen."""

        async def testbench(ctx: Any) -> None:
            for rates, cycles in phases:
                if self.cycles > ENOUGH and not self.missing:
                    break
                for _ in range(cycles):
                    self.cycle(ctx, rates)
                    await ctx.tick()
                self.cycles += cycles

        run_testbench(self.control, testbench)

    def cycle(self, ctx: Any, rates: Rates) -> None:
        """Drive one cycle, compare all outputs, and follow what happened."""
        expected, control, happens = self.expected, self.control, lambda rate: self.draw.random() < rate
        assert ctx.get(control.enable) == (expected.enable and expected.in_flight < (1 << IN_FLIGHT) - 1)
        assert ctx.get(control.select) == expected.select
        begin = self.drive_packets(ctx, happens(rates.begin))
        fed = self.drive_feed(ctx, happens(rates.feed))
        reported = self.drive_report(ctx, happens(rates.report))
        end, failed = self.drive_end(ctx, happens(rates.end))
        self.choose_accesses(happens(rates.write), happens(rates.read), end)
        write_refused = self.drive_write(ctx)
        read_refused = self.drive_read(ctx)

        if write_refused is not None and read_refused is not None:
            self.seen.add(f"write {write_refused:d}, read {read_refused:d}")
        # Two that are refused in one cycle are counted one after the other.
        refused = bool(write_refused) + bool(read_refused) + self.late
        self.late = refused == 2
        events = {"channels_done": end, "packet_errors": end and failed, "refused": min(refused, 1)}
        done = self.write if write_refused is False else None
        cleared = expected.clears(done) if done else None
        if cleared and any(events.values()):
            self.seen.add(f"{cleared} cleared as {'it' if events[cleared] else 'another'} counts")
        expected.count(events, cleared)
        if done and self.read and expected.known_entry(self.read.address) and done.address == self.read.address:
            self.seen.add("an entry read as it is written")
        if begin:
            expected.begin()
        if fed:
            expected.fed()
            self.unreported += 1
        if reported is not None:
            expected.report(reported)
            self.unreported -= 1
            self.unfinished += 1
        if end:
            expected.in_flight -= 1
            self.unfinished -= 1
        if done:
            expected.write(done)
        for name, refused in (("write", write_refused), ("read", read_refused)):
            if refused is None:
                self.pause[name] = max(0, self.pause[name] - 1)
            else:
                setattr(self, name, None)
                self.pause[name] = PORT

    def drive_packets(self, ctx: Any, moves: bool) -> bool:
        """The packets that come in: whether a channel begins."""
        opens = not self.inside and (self.offered or (moves and ctx.get(self.control.enable)))
        begin = bool(opens and moves and self.draw.random() < 0.7)
        self.expected.in_packet = int(self.inside or opens)
        self.offered = opens and not begin
        self.inside = begin or (self.inside and self.draw.random() < 0.8)
        if begin and not ctx.get(self.control.enable):
            self.seen.add("began after a stop, as it was offered before")
        ctx.set(self.control.begin, begin)
        ctx.set(self.control.in_packet, self.expected.in_packet)
        return begin

    def drive_feed(self, ctx: Any, ready: bool) -> bool:
        """The unit takes gamma and beta: whether it does."""
        stream, expected = self.control.o_affine, self.expected
        ctx.set(stream.ready, ready)
        valid = bool(ctx.get(stream.valid))
        if not valid:
            self.waited["feed"] = self.waited["feed"] + 1 if expected.unfed else 0
            assert self.waited["feed"] < PATIENCE, "no gamma and beta for a channel"
            return False
        self.waited["feed"] = 0
        assert expected.unfed, "gamma and beta for no channel"
        for name, value in zip(("gamma", "beta"), expected.affine_parameters, strict=True):
            given = ctx.get(getattr(stream.payload, name))
            assert value is None or given == value, f"{name} of entry {expected.index}"
        return ready

    def drive_report(self, ctx: Any, gives: bool) -> dict[str, int] | None:
        """The unit gives statistics of a channel that was fed: which."""
        stream = self.control.i_stats
        assert ctx.get(stream.ready)
        gives = gives and self.unreported > 0
        fields = payload(stream.payload.shape()).fields
        drawn = {field.name: self.draw.randint(*field.limits) for field in fields}
        ctx.set(stream.valid, gives)
        ctx.set(stream.payload, drawn)
        return drawn if gives else None

    def drive_end(self, ctx: Any, ends: bool) -> tuple[bool, bool]:
        """A channel leaves whose statistics have been given, and whether it failed."""
        ends, failed = ends and self.unfinished > 0, self.draw.random() < 0.5
        ctx.set(self.control.end, ends)
        ctx.set(self.control.failed, failed)
        return ends, failed

    def choose_accesses(self, writes: bool, reads: bool, ends: bool) -> None:
        """Let software begin what it may; it likes to read what it writes in the same cycle."""
        reads = reads and self.read is None and not self.pause["read"]
        if reads:
            self.read, self.read_words, self.waited["read"] = self.any_access(), set(), 0
        if writes and self.write is None and not self.pause["write"]:
            wishes = self.wishes(ends)
            if self.script:
                self.write = self.script.popleft()
            elif wishes and self.draw.random() < 0.4:
                self.write = self.draw.choice(wishes)
            else:
                self.write = self.any_access()
        if reads and self.write is not None and self.draw.random() < 0.3:
            self.read = self.write

    def wishes(self, ends: bool) -> list[Access]:
        """Writes that meet something if they are made in this cycle."""
        offset = {register.name: register.offset for register in self.map.registers}
        found = []
        if ends:
            found += [Access(offset["channels_done"]), Access(offset["packet_errors"])]
        if self.read is not None and not self.expected.can_read(self.read.address):
            found.append(Access(offset["refused"]))
        if self.offered:
            found.append(Access(offset["control"], 0))
        if not self.expected.enable:
            found.append(Access(offset["control"], 1))
        if not self.expected.busy:
            limits = {
                "channels": self.expected.entries,
                "channel_index": self.expected.channels,
                "count_select": len(self.config.counts),
            }
            name = self.draw.choice(list(limits))
            found.append(Access(offset[name], limits[name] + self.draw.randrange(-1, 2)))
        return found

    def drive_write(self, ctx: Any) -> bool | None:
        """Software writes: whether that was refused, or ``None`` where nothing is written."""
        control, expected = self.control, self.expected
        asked = self.write or self.any_access()
        ctx.set(control.w_request, self.write is not None)
        ctx.set(control.w_address, asked.address)
        ctx.set(control.w_data, asked.data)
        ctx.set(control.w_strobe, asked.strobe)
        if self.write is None:
            return None
        assert ctx.get(control.w_done)
        refused = bool(ctx.get(control.w_refused))
        assert refused == (not expected.allows(asked)), f"write {asked}, busy {expected.busy}"
        self.seen.add(f"write {'refused' if refused else 'taken'} while {'busy' if expected.busy else 'idle'}")
        return refused

    def drive_read(self, ctx: Any) -> bool | None:
        """Software reads: whether that was refused, or ``None`` where no read ends."""
        control, expected = self.control, self.expected
        asked = self.read or self.any_access()
        ctx.set(control.r_request, self.read is not None)
        ctx.set(control.r_address, asked.address)
        if self.read is None:
            return None
        known = expected.can_read(asked.address)
        if known:
            self.read_words.add(expected.word(asked.address))
        if not ctx.get(control.r_done):
            self.waited["read"] += 1
            assert self.waited["read"] < PATIENCE, f"no answer to {asked}"
            return None
        assert bool(ctx.get(control.r_refused)) == (not known), f"read {asked}"
        word = ctx.get(control.r_data)
        allowed = self.read_words if known else {0}
        assert None in allowed or word in allowed, f"read {asked} brought {word:#x}, not {allowed}"
        return not known


CASES = {
    "a count and one channel": Configuration(width=4, counts=(8,), channels=1),
    "counts, wide statistics, five channels": Configuration(width=32, counts=(8, 12, 7), channels=5),
    "more lanes, eight channels": Configuration(
        norm="l2", form="one-pass", width=8, lanes=2, counts=(8, 16), channels=8
    ),
}


@pytest.fixture(autouse=True)
def strict_memories(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    be_strict(monkeypatch, f"{seed}/memories")


@pytest.mark.parametrize("case", CASES)
def test_random_software(case: str, seed: int) -> None:
    run = Run(CASES[case], f"{seed}/{case}")
    run.fill_tables()
    run.go(40 * [(IDLE, 250), (Rates(), 250), (BUSY, 100), (FAST, 150)])
    assert not run.missing, f"never seen in {run.cycles} cycles"


def test_counters_at_their_end(seed: int) -> None:
    """Where a run does not come in a lifetime: channels done start over, the others stay, and no channel too many."""
    run = Run(CASES["a count and one channel"], f"{seed}/end")
    control, expected = run.control, run.expected
    most = (1 << IN_FLIGHT) - 1

    async def testbench(ctx: Any) -> None:
        for counter in (control.done, control.errors, control.refused):
            ctx.set(counter, 0xFFFFFFFF)
        for name in expected.counters:
            expected.counters[name] = 0xFFFFFFFF
        ctx.set(control.in_flight, most - 4)
        expected.in_flight = most - 4
        full = 0
        for _ in range(400):
            run.cycle(ctx, Rates(begin=0.9, end=0.2, write=0, read=0.5))
            full += expected.in_flight == most
            await ctx.tick()
        assert full
        # Something is refused.
        ctx.set(control.r_request, 0)
        ctx.set(control.w_request, 1)
        ctx.set(control.w_address, 0)
        ctx.set(control.w_strobe, 1)
        await ctx.tick()
        assert ctx.get(control.done) < 400
        assert ctx.get(control.errors) == ctx.get(control.refused) == 0xFFFFFFFF

    run_testbench(control, testbench)
