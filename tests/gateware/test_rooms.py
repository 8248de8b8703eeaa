"""The house of ``docs/architecture.md``: a folder uses those above it in the table, and none below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gateware" / "l1bn"


def table() -> list[str]:
    """The folders and modules of the page, from top to bottom."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    house = page.split("## The house\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([\w.]+)` \|", house, flags=re.MULTILINE)


def imported(path: Path) -> Iterator[str]:
    """The folders and modules of the package that a module needs when it is loaded or when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for part in ast.walk(node)
    }
    folder = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in for_types:
            base = (*folder[: len(folder) - node.level + 1], *(node.module or "").split("."))
            named = [base[0]] if base[0] else [alias.name for alias in node.names]
            yield from (name if (PACKAGE / name).is_dir() else f"{name}.py" for name in named)


def rooms() -> dict[str, set[str]]:
    """What each room uses of the others."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).parts
        if parts[0] not in ("__init__.py", "__main__.py"):
            used = {name for name in imported(path) if (PACKAGE / name).exists()}
            found.setdefault(parts[0], set()).update(used - {parts[0]})
    return found


def test_the_page_has_every_room_and_no_other() -> None:
    assert sorted(table()) == sorted(rooms())


@pytest.mark.parametrize("room", table())
def test_a_room_uses_none_below_it(room: str) -> None:
    below = table()[table().index(room) :]
    assert rooms()[room].isdisjoint(below), rooms()[room] & set(below)


def test_what_is_used_is_seen() -> None:
    assert {"beats", "streams", "numbers", "config.py"} <= rooms()["units"]
