"""Results of tool runs, kept by the hash of everything that decides them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gzip
import hashlib
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Cache", "Step"]


@dataclass(frozen=True)
class Step:
    """One run of a tool.

    Parameters
    ----------
    kind : short name of what is done
    function : does it; importable, so that another process can
    arguments : of the function; their representation and ``versions`` decide the result
    decode : makes the result from what ``dataclasses.asdict`` made of it
    versions : of the tools that do it
    """

    kind: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    decode: Callable[[Mapping[str, Any]], Any]
    versions: Mapping[str, str]

    @property
    def key(self) -> str:
        """A hash of what decides the result; the source of the function's module is a part of it."""
        digest = hashlib.sha256()
        source = _source(self.function.__module__)
        for part in (
            self.kind,
            self.function.__qualname__,
            source,
            sorted(self.versions.items()),
            *self.arguments,
        ):
            text = part if isinstance(part, str) else repr(part)
            digest.update(f"{len(text)}:".encode() + text.encode())
        return f"{self.kind}-{digest.hexdigest()}"


@functools.cache
def _source(module: str) -> str:
    return inspect.getsource(sys.modules[module])


class Cache:
    """A folder with one compressed JSON file a result, each written in one go."""

    def __init__(self, folder: Path):
        self.folder = folder

    def _path(self, step: Step) -> Path:
        return self.folder / f"{step.key}.json.gz"

    def get(self, step: Step) -> Any | None:
        """The result of a step, or ``None``; an unreadable file counts as none."""
        try:
            with gzip.open(self._path(step), "rt", encoding="utf-8") as file:
                return step.decode(json.load(file))
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return None

    def put(self, step: Step, result: Any) -> None:
        """Keep a result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", dir=self.folder)
        try:
            with (
                os.fdopen(handle, "wb") as raw,
                gzip.open(raw, "wt", encoding="utf-8", compresslevel=3) as file,
            ):
                json.dump(dataclasses.asdict(result), file)
            os.replace(name, self._path(step))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
