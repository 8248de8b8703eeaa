"""Formats that hold what a network has: samples and outputs as observed, gamma and beta as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..config import PARAMETERS
from ..errors import ConfigurationError
from .choices import Choices
from .network import Layer, Observed, Reals

__all__ = ["SPREAD_STEPS", "choose_formats", "whole_bits"]

SPREAD_STEPS = 16
"""Steps of x in a standard deviation, at least: as many as the default format of 8 bits has where it is 1."""
NARROWEST, WIDEST = PARAMETERS["width"].range or (0, 0)


def whole_bits(low: float, high: float) -> int:
    """Bits of a signed integer that holds the whole part of all numbers from ``low`` to ``high``, 1 at least."""
    bits = 1
    while not -(2.0 ** (bits - 1)) <= low <= high < 2.0 ** (bits - 1):
        bits += 1
    return bits


def choose_formats(choices: Choices, layers: Sequence[Layer]) -> None:
    """Choose width and fractions; without calibration data those of x and y stay at their defaults.

    Raises :exc:`ConfigurationError` if what was seen does not fit into the width that the user wants, or into any.
    """
    observed = [layer.observed for layer in layers if layer.observed is not None]
    if observed:
        _choose_samples(choices, observed)
    width = choices.values.get("y_width", choices.values.get("width", choices.decided.width))
    gammas = [layer.gamma for layer in layers if layer.gamma is not None]
    betas = [layer.beta for layer in layers if layer.beta is not None]
    decided = choices.decided
    _choose_fraction(choices, "gamma", decided.gamma_width, decided.gamma_width - 3, gammas)
    y_fraction = choices.values.get("y_fraction", max(0, width - 4))
    beta_width = choices.values.get("beta_width", width)
    _choose_fraction(choices, "beta", beta_width, min(y_fraction, beta_width - 1), betas)


def _choose_samples(choices: Choices, observed: Sequence[Observed]) -> None:
    """The formats of x and y from what calibration data showed."""
    x = min(seen.low for seen in observed), max(seen.high for seen in observed)
    y = min(seen.y_low for seen in observed), max(seen.y_high for seen in observed)
    spread = min(seen.spread for seen in observed)
    fraction = math.ceil(math.log2(SPREAD_STEPS / spread)) if spread > 0 else 0
    wanted = min(max(whole_bits(*x) + fraction, NARROWEST), WIDEST)
    choices.add("width", wanted, f"{_seen('x', x)}, with a spread from {spread:.4g} on, which has {SPREAD_STEPS} steps")
    width = choices.values["width"]
    _hold(choices, "x", width, x)
    needed = min(whole_bits(*y) + math.ceil(math.log2(SPREAD_STEPS)), WIDEST)
    if needed > width:
        choices.add("y_width", needed, f"{_seen('y', y)}, and 1 has {SPREAD_STEPS} steps")
    _hold(choices, "y", choices.values.get("y_width", width), y)


def _hold(choices: Choices, name: str, width: int, ends: tuple[float, float]) -> None:
    """Choose the finest fraction of x or y that holds what was seen."""
    whole = whole_bits(*ends)
    if whole > width:
        raise ConfigurationError("width" if name == "x" else "y_width", width, f"{whole} or more: {_seen(name, ends)}")
    choices.add(f"{name}_fraction", width - whole, _seen(name, ends))


def _seen(name: str, ends: tuple[float, float]) -> str:
    return f"{name} was seen from {ends[0]:.4g} to {ends[1]:.4g}"


def _choose_fraction(choices: Choices, name: str, width: int, usual: int, values: Sequence[Reals]) -> None:
    """The finest fraction, the default one at most, with which every value fits."""
    if not values:
        return
    low, high = min(float(each.min()) for each in values), max(float(each.max()) for each in values)
    fraction = max(0, min(usual, width - whole_bits(low, high)))
    if fraction != usual:
        choices.add(f"{name}_fraction", fraction, f"{name} is from {low:.4g} to {high:.4g}")
