"""What is wrong with what a user asks for."""

from __future__ import annotations

__all__ = ["ConfigurationError"]

SHOWN = 400
"""Characters of a value in a message, at most: a path may be long."""


class ConfigurationError(ValueError):
    """A parameter has a value that no unit can be built from.

    The message is one line that names the parameter, the value and what is allowed.
    """

    def __init__(self, parameter: str, value: object, allowed: str):
        self.parameter, self.value, self.allowed = parameter, value, allowed
        super().__init__(f"{parameter} = {_shown(value)} is not possible; allowed: {allowed}")


def _shown(value: object) -> str:
    """A value in a message: whole, unless nobody would read it to its end."""
    try:
        text = repr(value)
    except (ValueError, RecursionError) as error:  # Python writes no number of more than 4,300 digits
        return f"a value that cannot be written ({error})"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"
