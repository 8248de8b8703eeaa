"""The proven bound on the error of y, ``docs/arithmetic.md``, and what brings it down."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from ..config import PARAMETERS, Configuration
from ..numbers.formats import Formats

__all__ = ["advice", "error_bound", "has_bound"]

LIMIT = 1
"""In units of y's last place at beta = 0: an error above it deserves a word."""


def has_bound(config: Configuration) -> bool:
    """Whether the error of y is below a bound for every channel.

    It is not where guard bits of the user's own leave the mean coarser than the bound needs, nor in a backward unit,
    whose bound depends on the channel.
    """
    if config.direction == "backward":
        return False
    return Formats(config).guard_bits >= Formats(dataclasses.replace(config, guard_bits=None)).guard_bits


def error_bound(formats: Formats, distance: int) -> Fraction:
    """The most that a y ``distance`` from beta is wrong by, both in units of its last place; no saturated one."""
    config = formats.config
    scale = max(
        Fraction(distance, 1 << config.scale_width),
        Fraction(1 << (config.width - 1), 1 << formats.scale.shift_max),
    )
    of_norm = config.traits.error_terms(formats)
    theta = Fraction(of_norm.halves, 1 << (formats.mantissa_width - 1))  # bounds the relative error of r
    return Fraction(1, 2) + scale + distance * theta + of_norm.mean


def advice(config: Configuration) -> str | None:
    """One sentence where the bound at beta = 0 is more than one unit of y's last place, with what would bring it there.

    ``None`` where it is not, and for a backward unit.
    """
    if config.direction == "backward":
        return None
    if not has_bound(config):
        needed = Formats(dataclasses.replace(config, guard_bits=None)).guard_bits
        return (
            f"with guard_bits = {config.guard_bits} the error of y has no bound;"
            f" it has one with {needed}, which is what they are if not given"
        )
    bound = _at_beta_0(config, config.scale_width, config.y_width)
    if bound <= LIMIT:
        return None
    said = f"the error of y is bounded by {float(bound):,.2f} units of its last place only (at beta = 0); "
    limits = PARAMETERS["scale_width"].range
    assert limits is not None
    highest = limits[1]
    for scale_width in range(config.scale_width + 1, highest + 1):
        if _at_beta_0(config, scale_width, config.y_width) <= LIMIT:
            return f"{said}scale_width = {scale_width} brings it to 1"
    y_width = next(
        y_width for y_width in range(config.y_width, 0, -1) if _at_beta_0(config, highest, y_width) <= LIMIT
    )
    return (
        f"{said}no scale_width up to {highest} brings it to 1 with y_width = {config.y_width};"
        f" {highest} does with a y_width of up to {y_width}"
    )


def _at_beta_0(config: Configuration, scale_width: int, y_width: int) -> Fraction:
    formats = Formats(dataclasses.replace(config, scale_width=scale_width))
    return error_bound(formats, 1 << (y_width - 1))
