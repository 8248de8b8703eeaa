"""Options of a command line for the parameters of a configuration, in every command the same."""

from __future__ import annotations

import click

from ..config import PARAMETERS, Parameter

__all__ = ["flag", "metavar", "option", "value", "values"]


def flag(name: str) -> str:
    """The option of a parameter, such as ``--x-fraction``; that of ``counts`` is ``--count``."""
    return "--count" if name == "counts" else f"--{name.replace('_', '-')}"


def metavar(parameter: Parameter, several: bool = False) -> str:
    """What help shows in place of a value."""
    if parameter.choices:
        return "|".join(map(str, parameter.choices))
    return "N[,N...]" if several else "NUMBER"


def option(name: str, *, default: str = "", several: bool = False) -> click.Option:
    """The option of a parameter, with its meaning, what is allowed and its default.

    It takes any text: :class:`~l1bn.config.Configuration` judges what :func:`value` makes of it. ``default`` is what
    help says where it is not the parameter's own, ``several`` says that numbers may be listed.
    """
    parameter = PARAMETERS[name]
    about = parameter.about[0].upper() + parameter.about[1:]
    allowed = "" if parameter.choices else f": {parameter.allowed}"
    return click.Option(
        [flag(name), name],
        metavar=metavar(parameter, several or name == "counts"),
        multiple=name == "counts",
        help=f"{about}{allowed}. [default: {default or parameter.default}]",
    )


def value(name: str, typed: str | tuple[str, ...]) -> object:
    """What the user typed as the number that it denotes, or as it is; counts as a list."""
    if isinstance(typed, tuple):
        return [value(name, item) for text in typed for item in text.split(",")]
    if PARAMETERS[name].named:
        return typed
    try:
        return float(typed) if name == "epsilon" else int(typed)
    except ValueError:
        return typed


def values(name: str, typed: str) -> list[object]:
    """The numbers of a list with commas, see :func:`value`."""
    return [value(name, item) for item in typed.split(",")]
