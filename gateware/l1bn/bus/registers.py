"""What software sees: registers, fields and tables as plain data.

The gateware (:mod:`l1bn.bus.axi_lite`, :mod:`l1bn.bus.control`), the SystemRDL, the C header and the data sheet all
come from this one description. A word has 32 bits; addresses count bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "WORD",
    "Field",
    "Member",
    "Register",
    "RegisterMap",
    "Table",
    "ceil_power_of_two",
    "word_after_reset",
]

WORD = 32
"""Bits of a word."""
BYTES = WORD // 8
REGISTERS_END = 0x100
"""The registers stay below this address, the tables from it on."""


def ceil_power_of_two(value: int) -> int:
    """The smallest power of two that is not below ``value``."""
    return 1 << (value - 1).bit_length()


@dataclass(frozen=True)
class Field:
    """Bits of a word.

    Parameters
    ----------
    name : lower case
    lsb, width : place
    about : what it means
    reset : value after reset, or what a constant is
    signed : two's complement; the word above it repeats the sign
    """

    name: str
    lsb: int
    width: int
    about: str
    reset: int = 0
    signed: bool = False

    @property
    def msb(self) -> int:
        return self.lsb + self.width - 1


def word_after_reset(fields: tuple[Field, ...]) -> int:
    """The whole word that these fields make after reset."""
    return sum((field.reset & ((1 << field.width) - 1)) << field.lsb for field in fields)


@dataclass(frozen=True)
class Register:
    """One word.

    ``access`` says what a write does:

    - ``constant``: refused; it always reads as its reset value
    - ``status``: refused; hardware sets it
    - ``anytime``: taken at any time
    - ``idle``: taken while no channel is in flight, else refused
    - ``clear``: any value clears it, at any time
    """

    name: str
    offset: int
    access: str
    about: str
    fields: tuple[Field, ...]

    @property
    def writable(self) -> bool:
        return self.access in ("anytime", "idle", "clear")

    @property
    def reset(self) -> int:
        """The whole word after reset."""
        return word_after_reset(self.fields)


@dataclass(frozen=True)
class Member:
    """A word of an entry.

    Parameters
    ----------
    name : lower case
    word : which one of the entry
    fields : what is in it
    value : the number whose bits it holds; ``None`` where every field is a number of its own
    part : which 32 bits of that number
    """

    name: str
    word: int
    fields: tuple[Field, ...]
    value: str | None = None
    part: int = 0


@dataclass(frozen=True)
class Table:
    """Consecutive entries of ``words`` words each, a power of two, one entry a channel.

    ``writable`` tables are written by software while no channel is in flight; the others by hardware.
    Words that are no member read 0.
    """

    name: str
    offset: int
    entries: int
    words: int
    writable: bool
    about: str
    members: tuple[Member, ...]

    @property
    def stride(self) -> int:
        """Bytes of an entry."""
        return self.words * BYTES

    @property
    def size(self) -> int:
        """Bytes of address space, a power of two; what is above the entries is unmapped."""
        return ceil_power_of_two(self.entries) * self.stride


@dataclass(frozen=True)
class RegisterMap:
    """All that is behind one AXI4-Lite port."""

    name: str
    about: str
    registers: tuple[Register, ...]
    tables: tuple[Table, ...]

    @property
    def address_width(self) -> int:
        """Bits of a byte address."""
        return max(table.offset + table.size - 1 for table in self.tables).bit_length()

    def register(self, name: str) -> Register:
        return next(register for register in self.registers if register.name == name)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def __post_init__(self) -> None:
        taken: set[int] = set()
        for low, high, name in self._extents():
            words = set(range(low, high, BYTES))
            if taken & words:
                raise ValueError(f"{name} at {low:#x} overlaps")
            taken |= words

    def _extents(self) -> Iterator[tuple[int, int, str]]:
        for register in self.registers:
            if register.offset >= REGISTERS_END:
                raise ValueError(f"{register.name} at {register.offset:#x} is among the tables")
            yield register.offset, register.offset + BYTES, register.name
        for table in self.tables:
            if table.offset % table.size or table.offset < REGISTERS_END:
                raise ValueError(
                    f"{table.name} at {table.offset:#x} is not aligned to its size {table.size:#x}"
                )
            yield table.offset, table.offset + table.size, table.name
