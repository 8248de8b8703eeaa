"""The parameters of a unit, each with the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config import Configuration

__all__ = ["Choices"]

TYPED = "as asked for"


class Choices:
    """Parameters that were chosen; what the user has decided stays.

    Parameters
    ----------
    decided : a configuration with the user's parameters, in which all others are as by default
    typed : those of the user
    """

    def __init__(self, decided: Configuration, typed: Mapping[str, Any]) -> None:
        self.decided, self.typed = decided, typed
        self.values: dict[str, Any] = dict(typed)
        self.reasons: dict[str, str] = dict.fromkeys(typed, TYPED)

    def add(self, name: str, value: Any, reason: str) -> None:
        """Choose a parameter, unless the user has."""
        if name not in self.typed:
            self.values[name], self.reasons[name] = value, reason

    def with_(self, name: str, value: Any, reason: str) -> Choices:
        """The same with one more."""
        more = Choices(self.decided, self.typed)
        more.values |= self.values
        more.reasons |= self.reasons
        more.add(name, value, reason)
        return more

    def configuration(self) -> Configuration:
        """The configuration; :exc:`~l1bn.errors.ConfigurationError` where the parameters do not go together."""
        return Configuration.from_mapping(self.values)
