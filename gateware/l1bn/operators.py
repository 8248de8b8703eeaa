"""Every declared operator, built from plain data: for benches, synthesis and tests.

An operator is declared beside its class, with :func:`l1bn.logic.operator.computes`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from amaranth.hdl import signed, unsigned

from .beats import affine, deviation, extremes, gradient_sums, squares, sums
from .channels import divide, multiply, normalize, projection, quotient, root, scale
from .config import Configuration
from .logic.operator import DECLARED, Operator
from .numbers.backward_formats import BackwardFormats
from .numbers.formats import Formats

__all__ = ["MODULES", "OPERATORS", "build_operator", "multiplies"]

MODULES = (
    *(affine, deviation, extremes, gradient_sums, squares, sums),
    *(divide, multiply, normalize, projection, quotient, root, scale),
)
"""Those that declare operators."""

OPERATORS = DECLARED
"""The class of each operator by its name."""


def build_operator(name: str, arguments: Mapping[str, Any], target: str = "portable") -> Operator:
    """The operator of that name.

    Parameters
    ----------
    name : a key of :data:`OPERATORS`
    arguments : those of its constructor, a shape as ``(width, is signed)``; for an operator on the numbers of a unit,
        one with a method ``of_formats``, those of a :class:`l1bn.config.Configuration`
    target : whose primitives it is built on, if it :func:`multiplies`

    Raises
    ------
    ConfigurationError
        A value that is not possible.
    """
    kind = OPERATORS[name]
    on_target = {"target": target} if multiplies(name) else {}
    if not hasattr(kind, "of_formats"):
        return kind(**{key: _shape(key, value) for key, value in arguments.items()}, **on_target)
    config = Configuration.from_mapping({**arguments, **on_target})
    formats = BackwardFormats(config) if config.direction == "backward" else Formats(config)
    operator: Operator = kind.of_formats(formats)
    return operator


def multiplies(name: str) -> bool:
    """Whether the operator takes multiplier blocks where its target has them."""
    kind = OPERATORS[name]
    return "target" in inspect.signature(kind).parameters


def _shape(name: str, value: Any) -> Any:
    if not name.endswith("_shape"):
        return value
    width, is_signed = value
    return (signed if is_signed else unsigned)(width)
