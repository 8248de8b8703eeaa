"""The pages of the project, taken apart: code blocks in order, each with what it is, and commands inside the text."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markdown_it import MarkdownIt

from .exceptions import FIGURES, SKIPPED, Skipped

__all__ = ["PAGES", "ROOT", "Block", "Command", "blocks", "entry_of", "inline_commands", "skipped"]

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    "hw/accelerator/README.md",
]
PROGRAMS = re.compile(r"(make|cd|iverilog|python|\.ci/run|\.venv/bin/\S+)(\s|$)")
Kind = Literal["console", "python", "toml", "systemverilog", "output", "figure"]


@dataclass(frozen=True)
class Block:
    """A code block: the page, its first line there, what it is, and its text."""

    page: str
    line: int
    kind: Kind
    text: str

    @property
    def commands(self) -> list[Command]:
        """The commands of a console block; a line that ends with a backslash goes on in the next one."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [Command(self.page, self.line, line) for line in joined.splitlines() if line.strip()]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command as a page shows it."""

    page: str
    line: int
    shown: str

    @property
    def text(self) -> str:
        """Without the comment behind it."""
        return re.sub(r"\s+#.*", "", self.shown).strip()

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def blocks(page: str) -> list[Block]:
    """The code blocks of a page."""
    found: list[Block] = []
    for token in _tokens(page):
        if token.type not in ("fence", "code_block"):
            continue
        kind = _kind(page, token.info.strip(), token.content, found)
        found.append(Block(page, token.map[0] + 1, kind, token.content))
    return found


def _kind(page: str, language: str, text: str, before: list[Block]) -> Kind:
    if language in ("python", "toml", "systemverilog"):
        return language  # type: ignore[return-value]
    if PROGRAMS.match(text):
        return "console"
    if any(text.startswith(start) for start in FIGURES.get(page, {})):
        return "figure"
    if before and before[-1].kind in ("console", "python"):
        return "output"
    raise ValueError(f"{page}: a block that begins with {text.splitlines()[0]!r} is neither run nor listed")


def inline_commands(page: str) -> Iterator[Command]:
    """Commands inside the text."""
    for token in _tokens(page):
        for child in token.children or ():
            if child.type == "code_inline" and re.match(r"(make|l1bn|\.venv/bin/\S+|python -m) ", child.content):
                yield Command(page, (token.map or [0])[0] + 1, child.content)


def _tokens(page: str) -> list[object]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)


def entry_of(command: Command) -> Skipped | None:
    """What the list of exceptions has for a command."""
    matching = [entry for entry in SKIPPED if f"{command.text} ".startswith(f"{entry.start} ")]
    return max(matching, key=lambda entry: len(entry.start), default=None)


def skipped(command: Command, whole: bool) -> bool:
    """Whether a command is left out: of the suite, or of a run that is ``whole``."""
    entry = entry_of(command)
    if entry is None:
        return False
    if entry.needs and shutil.which(entry.needs) is None:
        return True
    return bool(entry.never if whole else entry.reason)
