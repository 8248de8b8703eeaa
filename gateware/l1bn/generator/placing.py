"""Files that appear in a folder together or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..config import ConfigurationError

__all__ = ["DRAFT", "place", "uninterrupted"]

DRAFT = ".l1bn-draft"
"""Folder within the other, for the time of writing; a process that was killed leaves it there."""


def place(folder: Path, files: Mapping[str, bytes], replaced: Callable[[], Sequence[str]]) -> None:
    """Write ``files``, by their path in ``folder``, which is filled as it is: link, volume or current folder.

    Whoever reads the last file finds all the others complete: it appears last, and the first of the replaced goes
    first. The folder is made if it is missing, and locked meanwhile.

    Parameters
    ----------
    replaced : called with the folder locked; what is there, by its path, that the new files replace

    Raises
    ------
    ConfigurationError
        If the files cannot be written, or another process is writing there; then nothing has changed.
    """
    for name in files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ConfigurationError("name", name, "a file within the output folder")
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        done = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                old = replaced()
                _draft_and_swap(folder, files, old)
            done = True
        finally:
            for path in [] if done else made:
                with contextlib.suppress(OSError):
                    path.rmdir()
    except OSError as error:
        raise ConfigurationError("output", str(folder), f"a folder to write to ({error.strerror})") from error


def _draft_and_swap(folder: Path, files: Mapping[str, bytes], old: Sequence[str]) -> None:
    draft = folder / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for name, content in files.items():
            path = draft / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        with uninterrupted():
            _swap(folder, list(files), old)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _swap(folder: Path, new: Sequence[str], old: Sequence[str]) -> None:
    """Move the old files away and the new ones to their places, or leave all as it was."""
    draft = folder / DRAFT
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        moved.append((source, target))

    try:
        for name in old:
            move(folder / name, draft / "old" / name)
        for name in new:
            move(draft / "new" / name, folder / name)
    except OSError:
        for source, target in reversed(moved):
            target.rename(source)
        _remove_empty(folder, new)
        raise
    _remove_empty(folder, old)


def _remove_empty(folder: Path, names: Sequence[str]) -> None:
    """Remove the folders of files that have gone."""
    for name in names:
        for parent in list(PurePosixPath(name).parents)[:-1]:
            with contextlib.suppress(OSError):
                (folder / parent).rmdir()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process whatever happens to it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            allowed = "a folder that no other process is writing to"
            raise ConfigurationError("output", str(folder), allowed) from None
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the signals that end a program until the block, which must be short, is over.

    A handler does it, not a mask: a mask holds for its own thread, and any thread of a process takes a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread only, and there alone interrupts arise
        return
    caught: list[int] = []
    held = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: caught.append(number)) for number in held}
    try:
        yield
    finally:
        for held_back, handler in before.items():
            signal.signal(held_back, handler)
    for number in caught:
        signal.raise_signal(number)
