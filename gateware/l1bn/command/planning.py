"""What `l1bn plan` and `l1bn export --from` take, and the plan that comes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..config import PARAMETERS, ConfigurationError
from ..errors import not_installed
from .options import option, value

if TYPE_CHECKING:  # which loads NumPy: only to read a network
    from ..plan import Plan

__all__ = ["parameter_options", "plan_of", "planning_options", "refuse_all", "taken"]

PROPOSED = {"lanes", "channels", "epsilon", "storage"}
"""What is chosen for every network."""


def planning_options() -> list[click.Parameter]:
    """How a network is read, and what its unit has to reach."""
    return [
        click.Option(
            ["--input"],
            multiple=True,
            metavar="N,C,H,W",
            help="Shape of the network's input with the batch in front, once for each input. Needed for a module of"
            " PyTorch; for ONNX where the file leaves sizes open.",
        ),
        click.Option(["--batch"], metavar="NUMBER", help="Samples of a batch. [default: that of the input]"),
        click.Option(
            ["--samples-per-second"],
            metavar="NUMBER",
            help="Samples x of all layers together that have to pass in a second: the unit gets the lanes for it."
            " [default: whatever one lane gives]",
        ),
        click.Option(
            ["--mhz"], metavar="NUMBER", help="Clock of the unit. [default: that of the nearest measured preset]"
        ),
        click.Option(
            ["--memory-bits"],
            metavar="NUMBER",
            help="Block RAM that buffers may take; with more, storage is outside. [default: all of the device]",
        ),
        click.Option(
            ["--calibration"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A .npz file with data for each input of the network, whose ranges decide widths and fractions.",
        ),
    ]


def parameter_options() -> list[click.Parameter]:
    """The parameters of a unit but its counts, which the network has."""
    return [
        option(name, default="chosen for the network") if name in PROPOSED else option(name)
        for name in PARAMETERS
        if name != "counts"
    ]


def taken(given: dict[str, Any]) -> dict[str, Any]:
    """The values of :func:`planning_options`, which are taken out of all that is ``given``."""
    return {str(option.name): given.pop(str(option.name)) for option in planning_options()}


def refuse_all(planning: Mapping[str, Any]) -> None:
    """Refuse :func:`planning_options` where no network is read."""
    for name, given in planning.items():
        if given:
            raise ConfigurationError(name, given, "together with --from MODEL only")


def plan_of(model: str, typed: Mapping[str, str | None], planning: Mapping[str, Any]) -> Plan:
    """The plan for a network.

    Parameters
    ----------
    typed : parameters of the unit as the user typed them
    planning : :func:`planning_options` by name
    """
    try:
        from ..plan import Inputs, MissingPackage, Wishes, propose, read, shape_of
    except ModuleNotFoundError as error:
        raise click.ClickException(not_installed(error, "install-plan", "plan")) from error
    inputs = Inputs(
        shapes=tuple(map(shape_of, planning["input"])),
        batch=_whole("batch", planning["batch"]),
        calibration=planning["calibration"],
    )
    wishes = Wishes(
        samples_per_second=_positive("samples_per_second", planning["samples_per_second"]),
        mhz=_positive("mhz", planning["mhz"]),
        memory_bits=_whole("memory_bits", planning["memory_bits"]),
    )
    decided = {name: value(name, text) for name, text in typed.items() if text}
    try:
        return propose(read(model, inputs), decided, wishes)
    except MissingPackage as error:
        raise click.ClickException(str(error)) from error


def _whole(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ConfigurationError(name, text, "a whole number of at most 15 digits")
    return int(text)


def _positive(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ConfigurationError(name, text, "a number above 0")
    return number
