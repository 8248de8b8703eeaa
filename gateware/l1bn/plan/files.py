"""The files of a plan: the unit's configuration, and what its layers begin with, for programs and for memories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ..errors import ConfigurationError
from ..generator.generate import default_name
from ..generator.identifiers import check_module_name
from ..generator.placing import place
from .initial import Format, Initial, Quantised, table_formats
from .proposal import Plan

__all__ = ["FOLDER", "configuration_file", "initial_files", "write"]

FOLDER = "initial"
"""Of the tables, within the folder of a plan or of a package."""
WORD = 32
ABOUT = {
    "gamma": "gamma, as the stream i_affine takes it",
    "beta": "beta, as the stream i_affine takes it",
    "mean": "running mean, as the stream i_averages of an inference unit takes it",
    "spread": "running r with epsilon, as the stream i_averages of an inference unit takes it",
}


def write(plan: Plan, *, name: str | None = None, folder: Path, force: bool = False) -> list[Path]:
    """Write ``NAME.toml`` and the tables into ``folder``, all or none of them; returns the paths, that one first.

    Raises
    ------
    ConfigurationError
        If ``name`` is no module name, the folder cannot be written, or, without ``force``, a file exists.
    """
    name = check_module_name(default_name(plan.config) if name is None else name)
    files = {**initial_files(plan, name), f"{name}.toml": configuration_file(plan, name)}
    *others, first = files
    place(folder, files, lambda: _replaced(folder, name, [first, *others], force))
    return [folder / path for path in (first, *others)]


def _replaced(folder: Path, name: str, paths: list[str], force: bool) -> list[str]:
    """Those that are there, and the tables of an earlier plan of the name, which may have had more layers."""
    for path in paths:
        if (folder / path).is_dir():
            raise ConfigurationError("output", str(folder / path), "a file, but this is a folder")
    there = [path for path in paths if (folder / path).exists()]
    if there and not force:
        raise ConfigurationError("output", str(folder / there[0]), "a file that does not exist yet, or --force")
    earlier = (path.relative_to(folder).as_posix() for path in (folder / FOLDER).glob(f"{name}_[0-9]*_*.hex"))
    return list(dict.fromkeys([*there, *sorted(earlier)]))


def configuration_file(plan: Plan, name: str) -> bytes:
    """The configuration in TOML, each parameter with the reason for it; ``--config`` takes it."""
    layers = len(plan.network.layers)
    head = f"# One unit for the {layers} normalisation layers of {_ascii(plan.network.source)}"
    lines = [head, f"name = {json.dumps(name)}"]
    for parameter, value in plan.parameters.items():
        lines += ["", f"# {_ascii(plan.reasons[parameter])}", f"{parameter} = {json.dumps(value)}"]
    return ("\n".join(lines) + "\n").encode()


def initial_files(plan: Plan, name: str) -> dict[str, bytes]:
    """The tables by their paths: a C header with its source, and a file for $readmemh for each table."""
    files = {f"{name}_initial.h": _header(plan, name), f"{name}_initial.c": _source(plan, name)}
    for number, layer in enumerate(plan.initial, start=1):
        for table in layer.tables:
            files[f"{name}_{number:03d}_{table.format.name}.hex"] = _words(layer, table)
    return {f"{FOLDER}/{path}": text.encode() for path, text in files.items()}


def _ascii(text: str) -> str:
    """A name of the user's in a comment or a string of any language."""
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in text)


# -- words for memories -------------------------------------------------------------------------


def _words(layer: Initial, table: Quantised) -> str:
    """A word a line, a channel each, in two's complement."""
    format = table.format
    digits = -(-format.width // 4)
    head = f"// {_ascii(layer.layer.name)}: {format.name}, {format.width} bits, {format.fraction} of them fraction bits"
    return "\n".join([head, *(f"{value % (1 << format.width):0{digits}x}" for value in table.values)]) + "\n"


# -- C ------------------------------------------------------------------------------------------


def _header(plan: Plan, name: str) -> str:
    guard, prefix = f"L1BN_{name.upper()}_INITIAL_H", f"L1BN_{name.upper()}"
    formats = table_formats(plan.config)
    lines = [
        f"/* What the normalisation layers of {_comment(plan.network.source)} begin with in the unit {name}.",
        " *",
        " * A real number is the integer times 2^-fraction. Integers of more than 64 bits are words of 32,",
        " * the lowest first. NULL: the network does not say. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <stdint.h>",
        "",
        f"#define {prefix}_LAYERS {len(plan.initial)}",
    ]
    for format in formats:
        lines += [
            f"#define {prefix}_{format.name.upper()}_WIDTH {format.width}",
            f"#define {prefix}_{format.name.upper()}_FRACTION {format.fraction}",
        ]
    lines += [
        "",
        f"struct l1bn_{name}_layer {{",
        "    const char *name;",
        "    uint32_t channels;",
        "    uint32_t count; /* samples of a channel */",
        "    uint32_t select; /* index of that count */",
    ]
    for format in formats:
        words = f"(*{format.name})[{_word_count(format)}]" if _word_count(format) else f"*{format.name}"
        lines.append(f"    const {_type(format)} {words}; /* {ABOUT[format.name]} */")
    declared = f"extern const struct l1bn_{name}_layer l1bn_{name}_layers[{prefix}_LAYERS];"
    return "\n".join([*lines, "};", "", declared, "", "#endif", ""])


def _source(plan: Plan, name: str) -> str:
    lines = [f'#include "{name}_initial.h"', "", "#include <stddef.h>", ""]
    for number, layer in enumerate(plan.initial, start=1):
        for table in layer.tables:
            lines += _array(f"{table.format.name}_{number}", layer, table)
    lines.append(f"const struct l1bn_{name}_layer l1bn_{name}_layers[L1BN_{name.upper()}_LAYERS] = {{")
    for number, layer in enumerate(plan.initial, start=1):
        known = {table.format.name for table in layer.tables}
        pointers = (
            f"{format.name}_{number}" if format.name in known else "NULL" for format in table_formats(plan.config)
        )
        select = plan.config.counts.index(layer.layer.count)
        values = (_string(layer.layer.name), layer.layer.channels, layer.layer.count, select, *pointers)
        lines.append(f"    {{{', '.join(map(str, values))}}},")
    return "\n".join([*lines, "};", ""])


def _array(identifier: str, layer: Initial, table: Quantised) -> Iterator[str]:
    format, words = table.format, _word_count(table.format)
    size = f"[{len(table.values)}]" + (f"[{words}]" if words else "")
    lost = f", {table.saturated} saturated" if table.saturated else ""
    yield f"/* {_comment(layer.layer.name)}: within {table.error:.3f} of the last place{lost} */"
    yield f"static const {_type(format)} {identifier}{size} = {{"
    for value in table.values:
        yield f"    {_literal(value, words)},"
    yield from ("};", "")


def _word_count(format: Format) -> int:
    """Words of an integer that no type of C holds, else 0."""
    return -(-format.width // WORD) if format.width > 64 else 0


def _type(format: Format) -> str:
    if _word_count(format):
        return f"uint{WORD}_t"
    size = next(size for size in (8, 16, 32, 64) if format.width <= size)
    return f"{'int' if format.signed else 'uint'}{size}_t"


def _literal(value: int, words: int) -> str:
    if words:
        parts = ((value >> (WORD * place)) & ((1 << WORD) - 1) for place in range(words))
        return f"{{{', '.join(f'0x{part:08x}' for part in parts)}}}"
    if value == -(1 << 63):
        return "INT64_MIN"
    if abs(value) < 1 << 31:
        return str(value)
    return f"INT64_C({value})" if value < 1 << 63 else f"UINT64_C({value})"


def _comment(text: str) -> str:
    return _ascii(text).replace("*/", "* /").replace("/*", "/ *")


def _string(text: str) -> str:
    """A string of C; ``?`` is escaped because of trigraphs."""
    return json.dumps(_ascii(text)).replace("?", "\\?")
