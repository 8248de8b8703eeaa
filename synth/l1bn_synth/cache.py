"""Results of tool runs, kept by the hash of everything that decides them."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from l1bn_golden.kept import Kept
from l1bn_golden.provenance import provenance

__all__ = ["Cache", "Step", "origin"]

Programs = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Step:
    """One run of a tool.

    Parameters
    ----------
    kind : short name of what is done
    function : does it; importable, so that another process can
    arguments : of the function: plain data and dataclasses of it. What the function reads is in them or is code.
    decode : makes the result from what ``dataclasses.asdict`` made of it
    programs : importable, gives the versions of the programs that do it
    """

    kind: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    decode: Callable[[Mapping[str, Any]], Any]
    programs: Programs

    @cached_property
    def key(self) -> str:
        """A hash of what decides the result: arguments, code and programs."""
        digest = hashlib.sha256(origin(self.function, self.programs).encode())
        for part in _flat((self.kind, self.arguments)):
            digest.update(part)
        return f"{self.kind}-{digest.hexdigest()}"


def origin(function: Callable[..., Any], programs: Programs) -> str:
    """A hash of the code that a function can reach in this process, and of the programs that it calls."""
    where = f"{function.__module__}.{function.__qualname__}"
    parts = (where, provenance(function).digest, sorted(programs().items()))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _flat(value: object) -> Iterator[bytes]:
    """Plain data as bytes that no other data gives; raises :exc:`TypeError` for what is none."""
    match value:
        case str():
            text = value.encode()
            yield b"s%d:" % len(text) + text
        case None | bool() | int() | float():
            yield f"{value!r};".encode()
        case tuple() | list():
            yield b"l%d:" % len(value)
            for item in value:
                yield from _flat(item)
        case Mapping():
            yield b"m%d:" % len(value)
            for key in sorted(value):
                yield from _flat(key)
                yield from _flat(value[key])
        case _ if dataclasses.is_dataclass(value):
            yield b"d"
            yield from _flat({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        case _:
            raise TypeError(f"no argument of a step: {value!r}")


class Cache:
    """The results of steps, in a folder of :class:`l1bn_golden.kept.Kept`."""

    def __init__(self, folder: Path):
        self.kept = Kept(folder, lambda message: print(f"l1bn_synth: {message}", file=sys.stderr))

    def get(self, step: Step) -> Any | None:
        """The result of a step, or ``None``."""
        value = self.kept.get(step.key)
        if value is None:
            return None
        try:
            return step.decode(value)
        except (AttributeError, LookupError, TypeError, ValueError):
            self.kept.drop(step.key, "it holds something else")
            return None

    def put(self, step: Step, result: Any) -> None:
        """Keep a result."""
        self.kept.put(step.key, dataclasses.asdict(result))
