"""What is wrong with what a user asks for, and the checks that components share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["ConfigurationError", "not_installed", "require_packets", "require_whole"]

SHOWN = 400
"""Characters of a value in a message, at most: a path may be long."""


class ConfigurationError(ValueError):
    """A parameter has a value that no unit can be built from.

    The message is one line that names the parameter, the value and what is allowed.
    """

    def __init__(self, parameter: str, value: object, allowed: str):
        self.parameter, self.value, self.allowed = parameter, value, allowed
        super().__init__(f"{parameter} = {_shown(value)} is not possible; allowed: {allowed}")

    def __reduce__(self) -> tuple[Any, ...]:
        # A worker process sends its errors; without this they would be made again from the message alone.
        return type(self), (self.parameter, self.value, self.allowed)


def _shown(value: object) -> str:
    """A value in a message: whole, unless nobody would read it to its end."""
    try:
        text = repr(value)
    except (ValueError, RecursionError) as error:  # Python writes no number of more than 4,300 digits
        return f"a value that cannot be written ({error})"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"


def not_installed(error: ModuleNotFoundError, target: str, extra: str) -> str:
    """One line: the package that is missing, and the target of make and the extra that bring it."""
    package = str(error.name).partition(".")[0]
    return f"{package} is missing; install: make {target}, or pip install '.[{extra}]' in l1bn's own folder"


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise :exc:`ConfigurationError` unless ``value`` is a whole number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError(name, value, f"a whole number from {low} to {high}")


def require_packets(width: int, lanes: int, counts: Sequence[int]) -> None:
    """Raise :exc:`ConfigurationError` unless so wide samples, so many of them a beat, make packets of these lengths."""
    require_whole("width", width, 1, 128)
    require_whole("lanes", lanes, 1, 64)
    if lanes & (lanes - 1):
        raise ConfigurationError("lanes", lanes, "a power of two")
    if not counts:
        raise ConfigurationError("counts", tuple(counts), "one or more whole numbers")
    for count in counts:
        require_whole("count", count, 1, 1 << 20)
        if count % lanes:
            raise ConfigurationError("count", count, f"a multiple of lanes = {lanes}")
