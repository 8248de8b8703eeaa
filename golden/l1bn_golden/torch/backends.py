"""The backends that layers compute with, found by a text that an operator can carry.

A factory that can be imported by its name goes by that name, in every process: its backends are made once a
process. Any other factory goes by a text that means something only in its process and only as long as who asked
for it keeps the answer of :func:`backends_of`.
"""

from __future__ import annotations

import pkgutil
import sys
import uuid
from functools import cache
from weakref import WeakValueDictionary

from ..backend import Backend, BackendFactory
from ..contract import Contract

__all__ = ["Backends", "backends_of", "find_backends"]


class Backends:
    """What a factory makes, one backend for each contract. ``key`` is its text."""

    def __init__(self, factory: BackendFactory, key: str) -> None:
        self.factory = factory
        self.key = key
        self._made: dict[Contract, Backend] = {}

    def __getitem__(self, contract: Contract) -> Backend:
        if contract not in self._made:
            self._made[contract] = self.factory(contract)
        return self._made[contract]


_KEPT: WeakValueDictionary[str, Backends] = WeakValueDictionary()


def backends_of(factory: BackendFactory) -> Backends:
    """The backends of a factory: those of its name, or new ones."""
    name = _name(factory)
    if name is not None:
        return _imported(name)
    # No number that starts anew in each process: a graph of another one must find nothing.
    backends = Backends(factory, f"#{uuid.uuid4().hex}")
    _KEPT[backends.key] = backends
    return backends


def find_backends(key: str) -> Backends:
    """The backends with that key, or :exc:`RuntimeError` if there are none in this process."""
    if not key.startswith("#"):
        return _imported(key)
    found = _KEPT.get(key)
    if found is None:
        raise RuntimeError(
            "the backend of this graph is gone with its layer, or belongs to another process; allowed: keep the"
            " layer, or trace one whose backend can be imported by its name"
        )
    return found


@cache
def _imported(name: str) -> Backends:
    return Backends(pkgutil.resolve_name(name), name)


def _name(factory: BackendFactory) -> str | None:
    """``module:name`` if that is where the factory is found."""
    module, qualified = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    if module not in sys.modules or not isinstance(qualified, str):
        return None
    name = f"{module}:{qualified}"
    try:
        return name if pkgutil.resolve_name(name) is factory else None
    except (AttributeError, ValueError):  # no such attribute, or something like <lambda> that is no name
        return None
