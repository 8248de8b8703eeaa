"""What an export may replace."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from ..config import ConfigurationError
from ..generator.placing import DRAFT

__all__ = ["replaced"]

MADE_THERE = "build"
"""Folder within an export in which its Makefile works."""
EMPTY = {DRAFT, "lost+found"}
"""What may be in an empty folder: what a killed process left, and what a volume is made with."""


def replaced(folder: Path, force: bool) -> list[str]:
    """What in ``folder`` an export replaces, the manifest first.

    An export may be written where there is nothing or an empty folder; with ``force`` also where there is an export and
    nothing else: its manifest is there and lists every file but those that its Makefile makes. An export that was
    killed has it in its draft.

    Raises :exc:`ConfigurationError` if it may not be written there.
    """

    def refuse(allowed: str) -> ConfigurationError:
        return ConfigurationError("output", str(folder), allowed)

    try:
        if folder.is_symlink() and not folder.exists():
            raise refuse("a folder, but this is a link to nothing")
        if not folder.exists():
            return []
        if not folder.is_dir():
            raise refuse("a folder, but this is a file")
        if {path.name for path in folder.iterdir()} <= EMPTY:
            return []
        found = {
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if not path.is_dir() and path.relative_to(folder).parts[0] not in {MADE_THERE, *EMPTY}
        }
        if not force:
            raise refuse("a folder that does not exist yet, or --force")
        listed = _listed(folder) or _listed(folder / DRAFT / "old") or _listed(folder / DRAFT / "new")
    except OSError as error:
        raise refuse(f"a folder to write to ({error.strerror})") from error
    listed += _listed(folder / DRAFT / "new")
    strange = sorted(found - set(listed))
    if not listed or strange:
        example = f": {strange[0]} is none of its files" if listed else ""
        raise refuse(f"with --force, the folder of an earlier export and nothing else{example}")
    made = [MADE_THERE] if (folder / MADE_THERE).exists() else []
    return [name for name in dict.fromkeys(listed) if name in found] + made


def _listed(folder: Path) -> list[str]:
    """The files of the export in ``folder``, the manifest first; none if there is no export."""
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(ValueError, OSError, RecursionError):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(manifest, dict) and isinstance(manifest.get("package"), dict):
                return [path.name, *map(str, manifest["package"].get("files", []))]
    return []
