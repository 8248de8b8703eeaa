"""The registers for people and programs: SystemRDL, and from it the C header and the page."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from systemrdl.compiler import RDLCompiler
from systemrdl.node import Node, RegfileNode, RegNode, RootNode

from ..bus.registers import WORD, Field, Register, RegisterMap, Table
from .render import render

__all__ = ["c_header", "compiled", "page", "places", "system_rdl"]

ACCESS = {
    "constant": "sw = r; hw = na;",
    "status": "sw = r; hw = w;",
    "anytime": "sw = rw; hw = r;",
    "idle": "sw = rw; hw = r;",
    "clear": "sw = rw; hw = rw; onwrite = wclr;",
}
MEANING = {
    "constant": "Read-only, constant: a write is refused.",
    "status": "Read-only: a write is refused.",
    "anytime": "Can be written at any time.",
    "idle": "Can be written while no channel is in flight; else a write is refused.",
    "clear": "A write of any value clears it, at any time.",
}


def system_rdl(map: RegisterMap, name: str) -> str:
    """The description of ``map`` as the address map ``name``."""
    lines = [
        f"// Registers of {name}_axi.",
        "// SPDX-License-Identifier: Apache-2.0",
        "",
        f"addrmap {name} {{",
        f"  name = {_string(name)};",
        f"  desc = {_string(map.about)};",
        "  default regwidth = 32;",
        "  default accesswidth = 32;",
        "  lsb0;",
        "",
    ]
    for register in map.registers:
        lines += _register(register, "  ", _fields(register.fields, ACCESS[register.access], reset=True))
    for table in map.tables:
        lines += _table(table)
    return "\n".join([*lines[:-1], "};", ""])


def _register(register: Register, indent: str, fields: list[str]) -> list[str]:
    about = f"{register.about} {MEANING[register.access]}"
    return [
        f"{indent}reg {{",
        f"{indent}  name = {_string(register.name)};",
        f"{indent}  desc = {_string(about)};",
        *(f"{indent}  {line}" for line in fields),
        f"{indent}}} {register.name} @ {register.offset:#x};",
        "",
    ]


def _table(table: Table) -> list[str]:
    access = "sw = rw; hw = r;" if table.writable else "sw = r; hw = w;"
    if table.words == 1:
        fields, meaning = table.members[0].fields, MEANING["idle"]
        return [
            "  reg {",
            f"    name = {_string(table.name)};",
            f"    desc = {_string(f'{table.about} {meaning}')};",
            *(f"    {line}" for line in _fields(fields, access, reset=False)),
            f"  }} {table.name}[{table.entries}] @ {table.offset:#x} += {table.stride:#x};",
            "",
        ]
    lines = [
        "  regfile {",
        f"    name = {_string(table.name)};",
        f"    desc = {_string(f'{table.about} A write is refused.')};",
    ]
    for member in table.members:
        lines += [
            "    reg {",
            f"      name = {_string(member.name)};",
            *(f"      {line}" for line in _fields(member.fields, access, reset=False)),
            f"    }} {member.name} @ {4 * member.word:#x};",
        ]
    return [*lines, f"  }} {table.name}[{table.entries}] @ {table.offset:#x} += {table.stride:#x};", ""]


def _fields(fields: tuple[Field, ...], access: str, reset: bool) -> list[str]:
    lines = []
    for field in fields:
        value = f" = {field.width}'h{field.reset & ((1 << field.width) - 1):x}" if reset else ""
        signed = " Two's complement, repeated up to bit 31." if field.signed and field.width < 32 else ""
        about = field.about[0].upper() + field.about[1:] + "." + signed
        lines += [
            f"field {{ desc = {_string(about)}; {access} }} {field.name}[{field.msb}:{field.lsb}]{value};"
        ]
    return lines


def _string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def compiled(text: str) -> RootNode:
    """What the compiler of SystemRDL makes of ``text``."""
    compiler = RDLCompiler()
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "registers.rdl")
        path.write_text(text, encoding="utf-8")
        compiler.compile_file(str(path))
        return compiler.elaborate()


# -- what is made from it -------------------------------------------------------------------------


@dataclass(frozen=True)
class Bits:
    """A field: its lowest bit, its bits, its value after reset (``None`` where there is none), what software may do."""

    name: str
    low: int
    width: int
    reset: int | None
    writable: bool
    about: str

    @property
    def high(self) -> int:
        return self.low + self.width - 1

    @property
    def mask(self) -> int:
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True)
class Word:
    """A word at ``offset`` bytes from where its place begins; its fields from bit 0 up."""

    name: str
    offset: int
    fields: tuple[Bits, ...]

    @property
    def writable(self) -> bool:
        return any(field.writable for field in self.fields)

    @property
    def row(self) -> list[tuple[int, int, Bits | None]]:
        """All 32 bits from the highest down, as ``(high, low, field)``, with ``None`` where there is no field."""
        row: list[tuple[int, int, Bits | None]] = []
        above = WORD
        for field in reversed(self.fields):
            if field.high + 1 < above:
                row.append((above - 1, field.high + 1, None))
            row.append((field.high, field.low, field))
            above = field.low
        return [*row, (above - 1, 0, None)] if above else row


@dataclass(frozen=True)
class Place:
    """A register, or a table of ``entries`` times the same words, ``stride`` bytes each."""

    name: str
    offset: int
    about: str
    words: tuple[Word, ...]
    entries: int = 0
    stride: int = WORD // 8

    @property
    def size(self) -> int:
        """Bytes of address space."""
        return self.stride * max(1, self.entries)


def places(root: RootNode) -> list[Place]:
    """What a compiled description has, by address."""
    found = []
    for node in root.top.children(unroll=False):
        if not isinstance(node, RegNode | RegfileNode):
            raise TypeError(f"{node.inst_name} is neither a register nor a table")
        (entries,) = node.array_dimensions or (0,)
        stride = node.array_stride or WORD // 8
        if isinstance(node, RegNode):
            words: tuple[Word, ...] = (_word(node, 0),)
        else:
            words = tuple(
                _word(register, register.raw_address_offset) for register in node.registers(unroll=False)
            )
        found.append(Place(node.inst_name, node.raw_address_offset, _about(node), words, entries, stride))
    return sorted(found, key=lambda place: place.offset)


def _word(register: RegNode, offset: int) -> Word:
    fields = []
    for field in register.fields():
        reset = field.get_property("reset")
        if not isinstance(reset, int | None):
            raise TypeError(f"{field.inst_name} has no number as its reset value")
        writable = field.is_sw_writable
        fields.append(Bits(field.inst_name, field.low, field.width, reset, writable, _about(field)))
    return Word(register.inst_name, offset, tuple(sorted(fields, key=lambda field: field.low)))


def _about(node: Node) -> str:
    return node.get_property("desc") or ""


def c_header(root: RootNode, name: str) -> str:
    """The C header of a description, for C99 and C++.

    All its names begin with ``l1bn_name`` or ``L1BN_NAME``, so that they meet no word of C and no name of its library.
    """
    found = places(root)
    return render(
        "registers.h.jinja",
        name=name,
        low=f"l1bn_{name}",
        up=f"L1BN_{name.upper()}",
        members=_padded([(place.offset, place.size, place) for place in found]),
        entries={
            place.name: _padded([(word.offset, WORD // 8, word) for word in place.words], place.stride)
            for place in found
            if len(place.words) > 1
        },
        places=found,
        size=max(place.offset + place.size for place in found),
    )


def _padded(parts: Sequence[tuple[int, int, Any]], end: int = 0) -> list[tuple[int, int, Any]]:
    """``(offset, bytes, what)`` of each part, and with ``None`` of each gap between them and up to ``end``."""
    padded, at = [], 0
    for offset, size, what in parts:
        if offset > at:
            padded.append((at, offset - at, None))
        padded.append((offset, size, what))
        at = offset + size
    return [*padded, (at, end - at, None)] if end > at else padded


def page(root: RootNode, name: str, title: str) -> str:
    """One page with all registers, which needs no other file and no server."""
    return render("registers.html.jinja", name=name, title=title, places=places(root))
