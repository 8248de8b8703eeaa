"""What software may expect of the registers of a forward unit, written from the text of its map."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from l1bn.bus.registers import WORD, Member, RegisterMap, Table
from l1bn.config import Configuration

__all__ = ["Access", "Expectation", "draw_access"]

WHOLE = 0b1111
"""Strobes of a whole word."""


@dataclass(frozen=True)
class Access:
    """A write, or a read where ``strobe`` is left out."""

    address: int
    data: int = 0
    strobe: int = WHOLE


def draw_access(draw: random.Random, map: RegisterMap, counts: int) -> Access:
    """Any access: mostly to what is there, with values around what is allowed, sometimes to what is not there."""
    entries = map.table("gamma").entries
    kind = draw.random()
    if kind < 0.45:
        address = draw.choice(map.registers).offset
    elif kind < 0.8:
        table = draw.choice(map.tables)
        address = table.offset + 4 * draw.randrange(table.size // 4)
    else:
        address = 4 * draw.randrange(1 << (map.address_width - 2))
    near = [0, 1, entries - 1, entries, entries + 1, counts - 1, counts, 0xFFFFFFFF, 0x80000000]
    data = draw.choice(near) if draw.random() < 0.6 else draw.getrandbits(WORD)
    strobe = WHOLE if draw.random() < 0.8 else draw.randrange(16)
    return Access(address + draw.randrange(4), data, strobe)


@dataclass
class Expectation:
    """State of the registers and tables, changed by what software does and by what happens in the unit."""

    map: RegisterMap
    config: Configuration
    enable: int = 1
    affine: int = 0
    select: int = 0
    in_packet: int = 0
    in_flight: int = 0
    reported: int = 0
    sequence: int = 1
    counters: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("channels_done", "packet_errors", "refused"), 0)
    )
    unfed: int = 0
    """Channels that began and have not got gamma and beta."""

    def __post_init__(self) -> None:
        self.entries = self.map.table("gamma").entries
        self.channels = self.entries
        self.index = 0  # of the next channel that is fed
        self.tables: dict[str, list[int | None]] = {name: [None] * self.entries for name in ("gamma", "beta")}
        self.statistics: list[Mapping[str, int] | None] = [None] * self.entries

    @property
    def busy(self) -> bool:
        return bool(self.in_flight or self.in_packet)

    # -- what software does -----------------------------------------------------------------------

    def allows(self, write: Access) -> bool:
        """Whether a write is not refused."""
        if write.strobe == 0:
            return True
        if write.strobe != WHOLE:
            return False
        table, entry = self._entry(write.address)
        if table is not None:
            return table.writable and entry < table.entries and not self.busy
        register = self._register(write.address)
        if register is None or not register.writable or (register.access == "idle" and self.busy):
            return False
        return {
            "channels": 1 <= write.data <= self.entries,
            "count_select": write.data < len(self.config.counts),
            "channel_index": write.data < self.channels,
        }.get(register.name, True)

    def write(self, write: Access) -> None:
        """Do a write that is allowed, after everything else of its cycle."""
        if write.strobe == 0:
            return
        table, entry = self._entry(write.address)
        if table is not None:
            width = table.members[0].fields[0].width
            self.tables[table.name][entry] = signed(write.data, width)
            return
        name = self._register(write.address).name
        if name == "control":
            self.enable = write.data & 1
        elif name == "mode":
            self.affine = write.data & 1
        elif name == "channels":
            self.channels, self.index, self.reported = write.data, 0, 0
        elif name == "count_select":
            self.select = write.data
        elif name == "channel_index":
            self.index = self.reported = write.data

    def clears(self, write: Access) -> str | None:
        """The counter that an allowed write clears."""
        register = self._register(write.address)
        return register.name if write.strobe and register is not None and register.access == "clear" else None

    def can_read(self, address: int) -> bool:
        table, entry = self._entry(address)
        return entry < table.entries if table is not None else self._register(address) is not None

    def word(self, address: int) -> int | None:
        """What a read brings; ``None`` where that is not defined."""
        table, entry = self._entry(address)
        if table is None:
            return self._register_word(address)
        place = (address - table.offset) % table.stride // 4
        member = next((member for member in table.members if member.word == place), None)
        if table.writable:
            value = self.tables[table.name][entry]
            return None if value is None else value % (1 << WORD)
        if member is None:
            return 0
        found = self.statistics[entry]
        return None if found is None else member_word(member, found)

    def known_entry(self, address: int) -> bool:
        """Whether it is the address of an entry that software has written."""
        table, entry = self._entry(address)
        if table is None or not table.writable or entry >= table.entries:
            return False
        return self.tables[table.name][entry] is not None

    def _register_word(self, address: int) -> int:
        register = self._register(address)
        if register.access == "constant":
            return register.reset
        values = {
            "control": self.enable,
            "mode": self.affine,
            "channels": self.channels,
            "count_select": self.select,
            "channel_index": self.index,
            "status": self.busy | (not self.busy) << 1 | self.in_packet << 2 | self.in_flight << 16,
            **self.counters,
        }
        return int(values[register.name])

    def _register(self, address: int) -> object:
        places = {register.offset: register for register in self.map.registers}
        return places.get(address & ~3)

    def _entry(self, address: int) -> tuple[Table | None, int]:
        for table in self.map.tables:
            if table.offset <= address < table.offset + table.size:
                return table, (address - table.offset) // table.stride
        return None, 0

    # -- what happens in the unit -----------------------------------------------------------------

    @property
    def affine_parameters(self) -> tuple[int | None, int | None]:
        """gamma and beta of the channel that is fed next."""
        if not self.affine:
            greatest = (1 << (self.config.gamma_width - 1)) - 1
            return min(1 << self.config.gamma_fraction, greatest), 0
        return self.tables["gamma"][self.index], self.tables["beta"][self.index]

    def begin(self) -> None:
        self.unfed += 1
        self.in_flight += 1

    def fed(self) -> None:
        self.unfed -= 1
        self.index = (self.index + 1) % self.channels

    def report(self, statistics: Mapping[str, int]) -> None:
        self.statistics[self.reported] = {**statistics, "sequence": self.sequence}
        self.reported = (self.reported + 1) % self.channels
        self.sequence = (self.sequence + 1) % (1 << 16)

    def count(self, events: Mapping[str, int], cleared: str | None) -> None:
        """Count what happened in a cycle; what happens in the cycle of a clear is counted after it."""
        for name, number in events.items():
            value = number + (0 if name == cleared else self.counters[name])
            self.counters[name] = value % (1 << WORD) if name == "channels_done" else min(value, (1 << WORD) - 1)


def member_word(member: Member, values: Mapping[str, int]) -> int:
    """A word of an entry of the statistics."""
    if member.value is None:
        return sum(values[part.name] << part.lsb for part in member.fields)
    (only,) = member.fields
    part = values[member.value] >> member.part * WORD
    return (signed(part, only.width) if only.signed else part) % (1 << WORD)


def signed(value: int, width: int) -> int:
    """The lowest bits as two's complement."""
    return (value + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))
