"""Files of a user's, whatever they turn out to be."""

from __future__ import annotations

from pathlib import Path

from ..config import ConfigurationError

__all__ = ["read_text"]

LIMIT = 1 << 24
"""Bytes; a device may go on for ever."""


def read_text(parameter: str, path: Path) -> str:
    """The text of a file that ``parameter`` names.

    Raises :exc:`ConfigurationError` if it cannot be read, is longer than any configuration or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise ConfigurationError(parameter, str(path), f"a readable file ({error.strerror})") from error
    except ValueError as error:  # a null character in the name
        raise ConfigurationError(parameter, str(path), f"a readable file ({error})") from error
    if len(content) > LIMIT:
        raise ConfigurationError(parameter, str(path), f"a file of at most {LIMIT} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(parameter, str(path), f"text in UTF-8 ({error.reason})") from error
