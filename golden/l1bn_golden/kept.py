"""Results kept in a folder, one file each, that are given back whole or not at all.

A file starts with a checksum of its name and content. One that is damaged, or is another's, is told in a line and
dropped, so that whoever asks computes the result again. Files appear by one rename: a process that is killed while it
writes leaves nothing that counts, and any number of processes may share a folder. A folder that cannot be written is
told once; results are then not kept, but never lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Kept"]

_DRAFT = ".partial-"
_ABANDONED = 3600.0
"""Age in seconds of a draft that nobody is still writing."""


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


class Kept:
    """Values that JSON can hold, by name.

    Parameters
    ----------
    folder : made with the first value
    tell : called with one line for what is damaged or cannot be written
    """

    def __init__(self, folder: Path, tell: Callable[[str], None] = _to_stderr):
        self.folder, self.tell = folder, tell
        self._told: set[str] = set()
        self._swept = False

    def path(self, name: str) -> Path:
        """The file of a value."""
        return self.folder / f"{name}.kept"

    def get(self, name: str) -> Any | None:
        """The value of that name, or ``None`` where there is none that is whole."""
        try:
            content = self.path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.drop(name, error.strerror or str(error))
            return None
        checksum, _, packed = content.partition(b"\n")
        if checksum != _checksum(name, packed):
            self.drop(name, "it is damaged")
            return None
        return json.loads(zlib.decompress(packed))

    def put(self, name: str, value: Any) -> None:
        """Keep a value."""
        packed = zlib.compress(json.dumps(value).encode(), 3)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=self.folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_checksum(name, packed) + b"\n" + packed)
                os.replace(draft, self.path(name))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(draft)
                raise
        except OSError as error:
            self._tell_once(f"{self.folder}: {error.strerror or error}; results are not kept")

    def drop(self, name: str, why: str) -> None:
        """Remove a value that cannot be used, and say so."""
        self._tell_once(f"{self.path(name)}: {why}; it is dropped and computed again")
        with contextlib.suppress(OSError):
            self.path(name).unlink()

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.tell(message)

    def _sweep(self) -> None:
        """Remove what processes that were killed have left, once in the life of this object."""
        if self._swept:
            return
        self._swept = True
        for draft in self.folder.glob(f"{_DRAFT}*"):
            with contextlib.suppress(OSError):
                if draft.stat().st_mtime < time.time() - _ABANDONED:
                    draft.unlink()


def _checksum(name: str, packed: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + packed).hexdigest().encode()
