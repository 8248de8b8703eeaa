"""Where tools that prepare themselves at first use keep what they have made: not in a home that may not be there.

The Yosys and the nextpnr of the wheels are WebAssembly, which is compiled once, in ten seconds to a minute.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

__all__ = ["folder", "variables", "within"]

ROOT = Path(__file__).resolve().parents[3]


@cache
def folder() -> Path:
    """A folder for the caches, which exists and can be written.

    In ``build`` of the repository, or in the user's cache where the package is installed without it; where that cannot
    be written, a folder of the user's own among the temporary files.
    """
    for candidate in _candidates():
        with suppress(OSError):
            candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_own(candidate):
                return candidate
    return Path(tempfile.mkdtemp(prefix="l1bn-cache-"))


def _candidates() -> Iterator[Path]:
    if (ROOT / "constraints.txt").exists():
        yield ROOT / "build" / "cache"
    else:
        home = Path(os.path.expanduser("~"))  # as it is where there is none
        yield Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "l1bn"
    yield Path(tempfile.gettempdir(), f"l1bn-cache-{os.getuid()}")


def _is_own(folder: Path) -> bool:
    """Whether the caller can write to a folder and others cannot: what is in it is run."""
    status = folder.stat()
    return os.access(folder, os.W_OK) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def variables() -> dict[str, str]:
    """The variables by which wasmtime, the tools of YoWASP and npm find their caches."""
    return {
        "XDG_CACHE_HOME": str(folder()),
        "YOWASP_CACHE_DIR": str(folder() / "yowasp"),
        "npm_config_cache": str(folder() / "npm"),
    }


@contextmanager
def within(**more: str) -> Iterator[None]:
    """Set :func:`variables` and ``more`` in this process's environment for the length of the block."""
    values = {**variables(), **more}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
