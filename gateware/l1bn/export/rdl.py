"""The registers for people and programs: SystemRDL, and from it the C header and the HTML page."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_html import HTMLExporter
from systemrdl.compiler import RDLCompiler
from systemrdl.node import RootNode

from ..bus.registers import Field, Register, RegisterMap, Table

__all__ = ["c_header", "compiled", "html", "system_rdl"]

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


def c_header(root: RootNode, name: str) -> str:
    """The C header of a description."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, f"{name}_regs.h")
        CHeaderExporter().export(root.top, str(path), generate_bitfields=False)
        return path.read_text(encoding="utf-8")


def html(root: RootNode, name: str, build: int) -> dict[str, bytes]:
    """The pages of a description by their path; ``build`` is a number that differs between descriptions."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "html")
        # The exporter would put the time there, for browsers to notice a change.
        exporter = HTMLExporter(user_context={"build_ts": build}, generate_source_links=False)
        exporter.export(root, str(folder), title=f"{name} registers", footer="")
        files = {
            path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
        }
        return {path: _offline(path, file.read_bytes()) for path, file in files.items() if _is_needed(path)}


def _is_needed(path: str) -> bool:
    """Every browser of the last years takes fonts as woff2."""
    return (not path.startswith("fonts/") and "/fonts/" not in path) or path.endswith(".woff2")


def _offline(path: str, content: bytes) -> bytes:
    """The index without the formula renderer that it would fetch from elsewhere: there are no formulas."""
    if path != "index.html":
        return content
    nothing = b"<script>var MathJax = { Hub: { Queue: function () {} } };</script>"
    content = re.sub(rb"<script[^>]*MathJax\.js.*?</script>", nothing, content, flags=re.DOTALL)
    return re.sub(rb"\s*<script[^>]*text/x-mathjax-config.*?</script>", b"", content, flags=re.DOTALL)
