"""Tables for people, in which every name and every number stands whole, whatever the width of the terminal.

What is printed is as wide as ``COLUMNS`` says, else as the terminal is, else (in a file or a pipe) as wide as it needs.
Headings and texts are wrapped between words. A table that is too wide even then is printed in parts, one below the
other, each with as many columns as fit beside those that name the row. Nothing is ever cut: a part that is still too
wide is printed as wide as it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

__all__ = ["Column", "Table", "coloured", "names", "numbers", "print_json", "print_tables", "print_text", "texts"]

Cell = str | Text
HEADING_LINES = 3
"""A heading is wrapped into so many lines at most, as long as its words let it."""
PROSE, PROSE_CELL, NARROWEST = 100, 64, 20
"""Columns that text takes where nothing limits it, and that a cell of text takes at most and, if it can, at least."""


@dataclass(frozen=True)
class Column:
    """A column: ``name`` cells stand left, ``number`` cells right, both whole; ``text`` cells wrap between words."""

    heading: str
    kind: Literal["name", "number", "text"]


def names(*headings: str) -> list[Column]:
    """Columns of words that stay whole."""
    return [Column(heading, "name") for heading in headings]


def numbers(*headings: str) -> list[Column]:
    """Columns of numbers."""
    return [Column(heading, "number") for heading in headings]


def texts(*headings: str) -> list[Column]:
    """Columns of text that may be wrapped between words."""
    return [Column(heading, "text") for heading in headings]


def coloured(text: object, colour: str) -> Text:
    """A cell in a colour, where the terminal has any."""
    return Text(str(text), style=colour)


@dataclass
class Table:
    """A table: a title, rows with a cell for each column, and notes below.

    The first ``keys`` columns name a row, and are repeated in every part of a table that is too wide. ``sections``
    are the numbers of the rows above which a line is drawn.
    """

    title: str
    columns: Sequence[Column]
    keys: int = 1
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    sections: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Add a row."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(tuple(cell if isinstance(cell, Text) else str(cell) for cell in cells))

    def section(self) -> None:
        """Draw a line above the next row."""
        self.sections.add(len(self.rows))

    def parts(self, width: int | None) -> Iterator[tuple[RichTable, int]]:
        """The table as one or several of rich's with the width that each takes."""
        least = [self._least(index) for index in range(len(self.columns))]
        natural = [self._natural(index, least[index]) for index in range(len(self.columns))]
        readable = [max(low, min(high, NARROWEST)) for low, high in zip(least, natural, strict=True)]
        for part in self._split(readable, width):
            widths = [natural[index] for index in part]
            _shrink(widths, [least[index] for index in part], width)
            yield self._drawn(part, widths), _total(widths)

    def _split(self, needed: list[int], width: int | None) -> list[list[int]]:
        """The columns of each part."""
        everything = list(range(len(self.columns)))
        if width is None or _total(needed) <= width:
            return [everything]
        keys = everything[: self.keys]
        parts: list[list[int]] = []
        for index in everything[self.keys :]:
            if parts and _total([needed[one] for one in [*parts[-1], index]]) <= width:
                parts[-1].append(index)
            else:
                parts.append([*keys, index])
        return parts or [everything]

    def _least(self, index: int) -> int:
        """The width below which a cell or a word would be cut."""
        column = self.columns[index]
        lines = [line for row in self.rows for line in _lines(row[index])]
        pieces = [word for line in lines for word in line.split()] if column.kind == "text" else lines
        return max(map(cell_len, [*pieces, *column.heading.split(), ""]))

    def _natural(self, index: int, least: int) -> int:
        """The width at which no cell is wrapped, and the heading into a few lines."""
        cells = max((cell_len(line) for row in self.rows for line in _lines(row[index])), default=0)
        column = self.columns[index]
        width = max(least, min(cells, PROSE_CELL) if column.kind == "text" else cells)
        words = column.heading.split()
        while len(_wrapped(words, width)) > HEADING_LINES:
            width += 1
        return width

    def _drawn(self, part: list[int], widths: list[int]) -> RichTable:
        table = RichTable(show_edge=True)
        for index, width in zip(part, widths, strict=True):
            column = self.columns[index]
            heading = "\n".join(_wrapped(column.heading.split(), width))
            justify: Literal["left", "right"] = "right" if column.kind == "number" else "left"
            table.add_column(Text(heading, style="bold"), width=width, justify=justify, vertical="top")
        for number, row in enumerate(self.rows):
            if number in self.sections and number:
                table.add_section()
            table.add_row(*(_cell(row[index]) for index in part))
        return table


def print_tables(*tables: Table, file: TextIO | None = None) -> None:
    """Print tables one below the other, to standard output or ``file``."""
    file = sys.stdout if file is None else file
    limit = _limit(file)
    for table in tables:
        parts = list(table.parts(limit))
        width = max(width for _, width in parts)
        prose = max(width, PROSE) if limit is None else limit
        print_text(table.title, file=file, width=prose, style="bold")
        for part, needed in parts:
            _console(file, max(needed, limit or 0)).print(part)
        for note in table.notes:
            print_text(note, file=file, width=prose, style="dim")


def print_text(text: str, *, file: TextIO | None = None, width: int | None = None, style: str = "") -> None:
    """Print a line of text, wrapped between words where the terminal ends; a word is never broken."""
    file = sys.stdout if file is None else file
    width = width or _limit(file) or PROSE
    console = _console(file, width)
    for line in text.splitlines():
        for wrapped in _wrapped(line.split(), width):
            console.print(Text(wrapped, style=style), soft_wrap=True)


def print_json(data: Any) -> None:
    """Print for programs what a table shows to people."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _limit(file: TextIO) -> int | None:
    """Columns to print in; ``None`` where nothing says."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    return Console(file=file).width if file.isatty() else None


def _console(file: TextIO, width: int) -> Console:
    return Console(file=file, width=width, highlight=False)


def _cell(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _lines(cell: Cell) -> list[str]:
    return (cell.plain if isinstance(cell, Text) else cell).split("\n")


def _total(widths: Sequence[int]) -> int:
    """The width of a table of such columns: a line and two blanks for each, and the last line."""
    return sum(widths) + 3 * len(widths) + 1


def _shrink(widths: list[int], least: Sequence[int], limit: int | None) -> None:
    """Take from the widest column that can give until the table fits, or no column can."""
    while limit is not None and _total(widths) > limit:
        able = [index for index, width in enumerate(widths) if width > least[index]]
        if not able:
            return
        widths[max(able, key=widths.__getitem__)] -= 1


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    """Words in lines of ``width``; a longer word has a line of its own."""
    lines: list[str] = []
    for word in words:
        if lines and cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
