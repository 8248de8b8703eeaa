"""The user's parameters: one frozen, validated object that everything else is derived from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .channels.turns import ALONE
from .errors import ConfigurationError
from .norms import NORMS, Norm

__all__ = ["PARAMETERS", "Configuration", "ConfigurationError", "Parameter"]

MOST_COUNTS = 64
"""So many counts a unit can tell apart."""
BACKWARD_PASSES = 2
"""Passes over x and dy: for the sums of a channel, and for its dx."""
LEAST_INTERVAL = 48
"""Cycles of a channel down to which a unit keeps up by default: a map of 7 x 7 on one lane, and a little less."""
GRADIENTS = frozenset({"dy_width", "dy_fraction", "dx_width", "dx_fraction"})
AVERAGES = frozenset({"momentum_shift", "running_fraction"})
WINDOW = frozenset({"window_shift", "suspects"})
UNUSED: dict[str, frozenset[str]] = {
    "forward": GRADIENTS | AVERAGES,
    "backward": AVERAGES | {"form", "beta_width", "beta_fraction", "channels"},
    "inference": GRADIENTS | {"form", "momentum_shift", "channels", "storage"},
    "training": frozenset(),
}
"""Parameters that have no meaning for a direction."""


@dataclass(frozen=True)
class Parameter:
    """What a parameter means, what it may be and, where that follows from others, what it is by default."""

    about: str
    said: str
    default: str
    choices: Collection[str] | Collection[int] = ()
    range: tuple[int, int] | None = None

    @property
    def allowed(self) -> str:
        """What it may be, in words."""
        if not self.choices:
            return self.said
        *others, last = map(str, self.choices)
        return f"{', '.join(others)} or {last}" if others else last

    @property
    def named(self) -> bool:
        """Whether its values are words."""
        return any(isinstance(choice, str) for choice in self.choices)

    def check(self, name: str, value: object, high: int | None = None) -> None:
        """Raise :exc:`ConfigurationError` unless ``value`` is a choice or in the range.

        ``high`` replaces the upper end of the range.
        """
        if self.choices:
            if isinstance(value, bool) or not isinstance(value, str | int) or value not in self.choices:
                raise ConfigurationError(name, value, self.allowed)
        elif self.range is not None:
            low, top = self.range
            top = top if high is None else high
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= top:
                raise ConfigurationError(name, value, f"a whole number from {low} to {top}")


def _choice(
    default: str | int | None,
    about: str,
    choices: Collection[Any],
    *,
    derived: str = "",
    range: tuple[int, int] | None = None,
) -> Any:
    """One of some words or numbers; ``range`` are the ends where they are numbers."""
    parameter = Parameter(about, "", derived or str(default), choices, range)
    return dataclasses.field(default=default, metadata={"parameter": parameter})


def _integer(
    default: int | None, about: str, low: int, high: int, *, limit: str = "", derived: str = ""
) -> Any:
    """A whole number; ``limit`` puts into words an upper end that depends on other parameters."""
    parameter = Parameter(about, f"{low} to {limit or high}", derived or str(default), range=(low, high))
    return dataclasses.field(default=default, metadata={"parameter": parameter})


def _integers(default: tuple[int, ...], about: str, low: int, high: int) -> Any:
    """Whole numbers, each from ``low`` to ``high``."""
    allowed = f"{low} to {high}, at most {MOST_COUNTS} of them"
    parameter = Parameter(about, allowed, ", ".join(map(str, default)), range=(low, high))
    return dataclasses.field(default=default, metadata={"parameter": parameter})


def _number(default: float, about: str, allowed: str) -> Any:
    return dataclasses.field(default=default, metadata={"parameter": Parameter(about, allowed, str(default))})


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The parameters of one normalisation unit; each field below says what it means and what is allowed.

    A parameter left at ``None`` takes its default from the others, and reads as that default
    afterwards; only ``guard_bits`` and ``running_fraction`` may stay ``None``, which means "derived" (see
    :class:`l1bn.numbers.formats.Formats`). A parameter that has no meaning for a direction is checked and not used.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """

    norm: str = _choice("l1", " or ".join(norm.about for norm in NORMS.values()), NORMS.keys())
    form: str = _choice(
        None,
        "mean first (two-pass), or all sums at once (one-pass), for which l1 guesses the mean",
        ("one-pass", "two-pass"),
        derived=", ".join(f"{next(iter(norm.forms))} for {name}" for name, norm in NORMS.items()),
    )
    direction: str = _choice("forward", "what the unit computes", tuple(UNUSED))
    width: int = _integer(16, "bits of a sample x", 4, 32)
    x_fraction: int = _integer(None, "fraction bits of x", 0, 31, limit="width - 1", derived="width - 4")
    lanes: int = _choice(1, "samples in a beat", tuple(1 << power for power in range(7)), range=(1, 64))
    counts: tuple[int, ...] = _integers(
        (1024,), "samples in a channel, a multiple of lanes; several are selected per packet", 2, 1 << 20
    )
    guard_bits: int | None = _integer(
        None, "fraction bits of the mean beyond those of x", 0, 64, derived="as many as the accuracy needs"
    )
    scale_width: int = _integer(18, "magnitude bits of the scale k", 8, 24)
    y_width: int = _integer(None, "bits of an output y", 4, 32, derived="width")
    y_fraction: int = _integer(None, "fraction bits of y", 0, 31, limit="y_width - 1", derived="y_width - 4")
    gamma_width: int = _integer(16, "bits of gamma", 2, 32)
    gamma_fraction: int = _integer(
        None, "fraction bits of gamma", 0, 31, limit="gamma_width - 1", derived="gamma_width - 3"
    )
    beta_width: int = _integer(None, "bits of beta", 2, 32, derived="y_width")
    beta_fraction: int = _integer(
        None, "fraction bits of beta", 0, 31, limit="beta_width - 1, at most y_fraction", derived="as y"
    )
    dy_width: int = _integer(None, "bits of the gradient dy that comes back", 4, 32, derived="width")
    dy_fraction: int = _integer(
        None, "fraction bits of dy", 0, 31, limit="dy_width - 1", derived="dy_width - 4"
    )
    dx_width: int = _integer(None, "bits of the gradient dx that is passed on", 4, 32, derived="dy_width")
    dx_fraction: int = _integer(
        None, "fraction bits of dx", 0, 31, limit="dx_width - 1", derived="as dy, at most dx_width - 1"
    )
    epsilon: float = _number(
        1e-5, "added to " + " or to ".join(norm.epsilon_about for norm in NORMS.values()), "0 to 1"
    )
    momentum_shift: int = _integer(3, "m: a channel counts 2^-m in the running statistics", 1, 15)
    running_fraction: int | None = _integer(
        None, "fraction bits of the running spread beyond those of x", 0, 64, derived="as the mean has"
    )
    channels: int = _integer(
        64, "channels of a layer, of which a training unit keeps statistics and a guessing form the means", 1, 1 << 16
    )
    window_shift: int = _integer(2, "half a window about a guessed mean is at most r * 2^-window_shift", 1, 8)
    suspects: int = _choice(
        None,
        "samples in the window that a lane can list",
        tuple(1 << power for power in range(19)),
        derived="enough for Gaussian samples",
        range=(1, 1 << 18),
    )
    interval: int = _integer(
        None,
        "cycles from channel to channel that what works once a channel keeps up with",
        8,
        ALONE,
        derived=f"beats of the shortest count, at least {LEAST_INTERVAL}",
    )
    storage: str = _choice(
        "inside",
        "the unit buffers the channel (inside) or the producer replays it (outside)",
        ("inside", "outside"),
    )
    target: str = _choice(
        "portable",
        "whose multipliers and memories to use: any tool's, those without multiplier blocks, Lattice ECP5's "
        "with its multiplier blocks or without, or iCE40 UltraPlus's",
        ("portable", "logic", "ecp5", "ecp5-logic", "ice40"),
    )

    def __post_init__(self) -> None:
        for name in (
            "norm",
            "storage",
            "target",
            "width",
            "gamma_width",
            "scale_width",
            "momentum_shift",
            "channels",
            "lanes",
        ):
            self._check(name)
        self._check_direction()
        self._check_form()
        self._check_format("x", self.width)
        self._check("y_width", default=self.width)
        self._check_format("y", self.y_width)
        self._default("gamma_fraction", max(0, self.gamma_width - 3))
        self._check_format("gamma", self.gamma_width)
        self._check("beta_width", default=self.y_width)
        self._default("beta_fraction", min(self.y_fraction, self.beta_width - 1))
        self._check_format("beta", self.beta_width, finest=self.y_fraction)
        self._check("dy_width", default=self.width)
        self._check_format("dy", self.dy_width)
        self._check("dx_width", default=self.dy_width)
        self._default("dx_fraction", min(self.dy_fraction, self.dx_width - 1))
        self._check_format("dx", self.dx_width)
        for name in ("guard_bits", "running_fraction"):
            if getattr(self, name) is not None:
                self._check(name)
        if self.guard_bits is not None and not self.traits.centred:
            allowed = f"none for norm = {self.norm}, which subtracts no mean"
            raise ConfigurationError("guard_bits", self.guard_bits, allowed)
        self._check_lanes_and_counts()
        self._check("interval", default=min(ALONE, max(LEAST_INTERVAL, min(self.counts) // self.lanes)))
        self._check_epsilon()
        self._check_window()

    def _default(self, name: str, value: object) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def _check(self, name: str, *, default: object = None, high: int | None = None) -> None:
        self._default(name, default)
        PARAMETERS[name].check(name, getattr(self, name), high)

    def _check_form(self) -> None:
        forms = tuple(self.traits.forms)
        self._default("form", forms[0])
        if self.form not in forms:
            raise ConfigurationError("form", self.form, f"{' or '.join(forms)} for norm = {self.norm}")
        if self.direction == "training" and self._form_guesses:
            others = " or ".join(form for form in forms if form != self.form)
            raise ConfigurationError("form", self.form, f"{others} for direction = training and norm = {self.norm}")

    def _check_direction(self) -> None:
        self._check("direction")
        if self.traits.gradient is None and self.direction in ("backward", "training"):
            raise ConfigurationError(
                "direction", self.direction, f"forward or inference for norm = {self.norm}, which has no gradient"
            )

    def _check_format(self, name: str, width: int, finest: int | None = None) -> None:
        high = width - 1 if finest is None else min(width - 1, finest)
        self._check(f"{name}_fraction", default=max(0, width - 4), high=high)

    def _check_lanes_and_counts(self) -> None:
        lanes = self.lanes
        counts: object = self.counts
        if isinstance(counts, int) and not isinstance(counts, bool):
            counts = (counts,)
        if not isinstance(counts, tuple | list) or not counts:
            raise ConfigurationError("counts", counts, "one or more whole numbers")
        for count in counts:
            PARAMETERS["counts"].check("count", count)
            if count % lanes:
                raise ConfigurationError("count", count, f"a multiple of lanes = {lanes}")
        if len(set(counts)) != len(counts):
            raise ConfigurationError("counts", tuple(counts), "each count once")
        if len(counts) > MOST_COUNTS:
            raise ConfigurationError("counts", f"{len(counts)} counts", f"at most {MOST_COUNTS} counts")
        object.__setattr__(self, "counts", tuple(counts))

    def _check_window(self) -> None:
        self._check("window_shift")
        self._check("suspects", default=likely_suspects(max(self.counts) // self.lanes, self.window_shift))

    def _check_epsilon(self) -> None:
        epsilon: object = self.epsilon
        if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 <= epsilon <= 1:
            raise ConfigurationError("epsilon", epsilon, "a number from 0 to 1")
        object.__setattr__(self, "epsilon", float(epsilon))

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Configuration:
        """Build from a mapping as read from TOML or JSON; ``count = N`` is short for ``counts = [N]``.

        Raises :exc:`ConfigurationError` for a key that is no parameter.
        """
        values = dict(values)
        if "count" in values:
            if "counts" in values:
                raise ConfigurationError("count", values["count"], "either count or counts, not both")
            values["counts"] = values.pop("count")
        for key in values:
            if key not in PARAMETERS:
                raise ConfigurationError(
                    key, values[key], "no such parameter; known: " + ", ".join(PARAMETERS)
                )
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """The parameters with their defaults filled in, ready for JSON."""
        return {**dataclasses.asdict(self), "counts": list(self.counts)}

    def used_parameters(self) -> dict[str, Any]:
        """Those of :meth:`to_mapping` that have a meaning for the direction and for the norm."""
        unused = {*UNUSED[self.direction], *(() if self.traits.centred else ("guard_bits",))}
        if not self.guesses:
            unused |= WINDOW
        return {name: value for name, value in self.to_mapping().items() if name not in unused}

    @property
    def traits(self) -> Norm:
        """All that is its norm's alone."""
        return NORMS[self.norm]

    @property
    def guesses(self) -> bool:
        """Whether the unit guesses the means of a layer's channels from those of the last time."""
        return self.direction == "forward" and self._form_guesses

    @property
    def _form_guesses(self) -> bool:
        return getattr(self.traits.forms[str(self.form)], "guesses", False)

    @property
    def passes(self) -> int:
        """How often the unit reads the samples of a channel, the last one, which writes, included."""
        if self.direction == "inference":
            return 1
        if self.direction == "backward":
            return BACKWARD_PASSES
        return 3 if self.form == "two-pass" else 2

    @property
    def sendings(self) -> int:
        """How often in a row the producer sends the packet of a channel; in training, of the forward pass."""
        return self.passes if self.storage == "outside" else 1

    @property
    def backward_sendings(self) -> int:
        """How often in a row the producer sends the packets x and dy of a channel for the backward pass."""
        return BACKWARD_PASSES if self.storage == "outside" else 1


PARAMETERS: dict[str, Parameter] = {
    field.name: field.metadata["parameter"] for field in dataclasses.fields(Configuration)
}


def likely_suspects(beats: int, window_shift: int) -> int:
    """Entries that the list of a lane needs for so many Gaussian samples, if the window is as wide as it may be.

    Of Gaussian samples 0.64 * 2^-window_shift are inside at the most; four standard deviations more find a place.
    """
    mean = beats * 0.64 * 2**-window_shift
    return 1 << (min(beats, math.ceil(mean + 4 * math.sqrt(mean))) - 1).bit_length()
