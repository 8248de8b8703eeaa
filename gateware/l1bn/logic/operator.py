"""What every operator states of itself, and the declaration that makes it known beyond its module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

__all__ = ["DECLARED", "Operator", "computes"]


@runtime_checkable
class Operator(Protocol):
    """A component with streams as ports that computes one thing.

    ``i`` takes what it works on and ``o`` gives what it found, in the same order. Latency and interval are exact: a
    bench holds every declared operator to them.
    """

    model: str
    """The full name of the Python function that says what it computes."""
    latency: int
    """Cycles from an item on ``i``, the final beat of a packet where there are packets, to the result on ``o``."""
    interval: int
    """Cycles from an item on ``i`` to the next one that it takes, if neither side waits."""
    i: Any
    o: Any


DECLARED: dict[str, Any] = {}
"""The classes of the declared operators by name; :data:`l1bn.operators.OPERATORS` is all of them."""

Class = TypeVar("Class", bound=Callable[..., Any])


def computes(model: str) -> Callable[[Class], Class]:
    """Declare an operator, beside its class, with the full name of the golden function that it computes.

    A declared operator has an exercise in :mod:`l1bn_vectors.edge_exercises`, which gives its stimulus, and runs under
    Verilator; ``synth`` finds it by its name.
    """

    def declare(kind: Class) -> Class:
        name = kind.__name__
        if name in DECLARED:
            raise ValueError(f"operator = {name!r} is not possible; allowed: a name that is not declared yet")
        declared: Any = kind
        declared.model = model
        DECLARED[name] = declared
        return kind

    return declare
