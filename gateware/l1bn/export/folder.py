"""A folder that appears complete or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ..config import ConfigurationError
from ..generate import uninterrupted

__all__ = ["check_folder", "write_folder"]

MADE_THERE = "build"
"""Folder within an export in which its Makefile works."""


def check_folder(folder: Path, force: bool) -> None:
    """Raise :exc:`ConfigurationError` unless an export may be written to ``folder``.

    It may where there is nothing or an empty folder; with ``force`` also where there is an export and nothing else: its
    manifest is there and lists every file but those that its Makefile makes.
    """

    def refuse(allowed: str) -> ConfigurationError:
        return ConfigurationError("output", str(folder), allowed)

    try:
        if not folder.exists() and not folder.is_symlink():
            return
        if not folder.is_dir():
            raise refuse("a folder, but this is a file")
        found = {
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if not path.is_dir() and path.relative_to(folder).parts[0] != MADE_THERE
        }
    except OSError as error:
        raise refuse(f"a folder to write to ({error.strerror})") from error
    if not found and not any(folder.iterdir()):
        return
    if not force:
        raise refuse("a folder that does not exist yet, or --force")
    listed = _listed(folder)
    strange = sorted(found - listed)
    if not listed or strange:
        example = f": {strange[0]} is none of its files" if listed else ""
        raise refuse(f"with --force, the folder of an earlier export and nothing else{example}")


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write ``files``, by their path in the folder, to a new folder beside ``folder`` and put it into its place.

    Raises :exc:`ConfigurationError` if that cannot be done; then nothing has changed.
    """
    for name in files:
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise ConfigurationError("name", name, "a file within the output folder")
    parent = folder.absolute().parent
    made = [path for path in (parent, *parent.parents) if not path.exists()]
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".l1bn-", dir=parent) as temporary:
            draft, old = Path(temporary, "new"), Path(temporary, "old")
            for name, content in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            with uninterrupted():
                _swap(draft, folder.absolute(), old)
    except OSError as error:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise ConfigurationError("output", str(folder), f"a folder to write to ({error.strerror})") from error


def _swap(draft: Path, folder: Path, old: Path) -> None:
    """Put ``draft`` where ``folder`` is, which moves to ``old``, or leave all as it was."""
    existed = folder.exists()
    if existed:
        folder.replace(old)
    try:
        draft.replace(folder)
    except OSError:
        if existed:
            old.replace(folder)
        raise
    if existed:
        shutil.rmtree(old, ignore_errors=True)


def _listed(folder: Path) -> set[str]:
    """The files of the export in ``folder``; none if there is no export."""
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(ValueError, OSError, RecursionError):
            manifest = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(manifest, dict) and isinstance(manifest.get("package"), dict):
                return {path.name, *map(str, manifest["package"].get("files", []))}
    return set()
