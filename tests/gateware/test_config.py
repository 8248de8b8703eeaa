"""Every parameter: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import pytest
from amaranth.back import rtlil

from l1bn import units
from l1bn.config import PARAMETERS, Configuration, ConfigurationError
from l1bn.errors import SHOWN
from l1bn.generator import generate, manifest
from l1bn.numbers.formats import Formats

# The ranges that users were promised, on purpose not taken from the code.
RANGES = {
    "width": (4, 32),
    "x_fraction": (0, 15),
    "lanes": (1, 64),
    "guard_bits": (0, 64),
    "scale_width": (8, 24),
    "y_width": (4, 32),
    "y_fraction": (0, 15),
    "gamma_width": (2, 32),
    "gamma_fraction": (0, 15),
    "beta_width": (2, 32),
    "beta_fraction": (0, 12),
    "dy_width": (4, 32),
    "dy_fraction": (0, 15),
    "dx_width": (4, 32),
    "dx_fraction": (0, 15),
    "momentum_shift": (1, 15),
    "channels": (1, 65536),
    "running_fraction": (0, 64),
    "window_shift": (1, 8),
    "interval": (8, 65536),
}
CHOICES = {
    "norm": ("l1", "l2", "range"),
    "form": ("two-pass",),
    "direction": ("forward", "backward", "inference", "training"),
    "storage": ("inside", "outside"),
    "target": ("portable", "logic", "ecp5", "ecp5-logic", "ice40"),
}


def refusal(**values: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Configuration(**values)
    message = str(caught.value)
    assert "\n" not in message
    shown = repr(caught.value.value)
    if len(shown) > SHOWN:
        shown = f"{shown[:SHOWN]}... ({len(shown)} characters)"
    assert message.startswith(f"{caught.value.parameter} = {shown} is not possible; allowed: ")
    return caught.value


def test_these_tests_know_every_parameter() -> None:
    assert {*RANGES, *CHOICES, "counts", "epsilon", "suspects"} == set(PARAMETERS)


def test_defaults_follow_from_the_widths() -> None:
    config = Configuration(width=10, y_width=9, gamma_width=8)
    assert (config.form, config.x_fraction, config.y_fraction) == ("two-pass", 6, 5)
    assert (config.gamma_fraction, config.beta_width, config.beta_fraction) == (5, 9, 5)
    assert (config.counts, config.scale_width, config.guard_bits) == ((1024,), 18, None)
    assert Configuration(norm="l2").form == "one-pass"
    config = Configuration(width=10, dy_width=8, dx_width=4)
    assert (config.dy_fraction, config.dx_fraction) == (4, 3)
    assert (Configuration().dy_width, Configuration().dx_width, Configuration().dx_fraction) == (16, 16, 12)


def test_the_interval_follows_from_the_shortest_channel() -> None:
    """Its beats, but not less than 48 and not more than may be asked for."""
    given = {(1024,): 1024, (1024, 196): 196, (49,): 49, (16,): 48, (1 << 20,): 1 << 16}
    assert {counts: Configuration(counts=counts).interval for counts in given} == given
    assert Configuration(counts=(1024,), lanes=16).interval == 64
    assert Configuration(counts=(16,), interval=8).interval == 8


def test_defaults_of_the_narrowest_formats() -> None:
    config = Configuration(width=4, gamma_width=2, beta_width=2)
    assert (config.x_fraction, config.y_fraction, config.gamma_fraction, config.beta_fraction) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", RANGES)
def test_both_ends_of_a_range_are_accepted(name: str) -> None:
    for value in RANGES[name]:
        fraction = {"y_fraction": 0, "beta_fraction": 0} if name in ("y_width", "beta_width") else {}
        assert getattr(Configuration(**{name: value, **fraction}, counts=(1024,)), name) == value


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("wrong", ["below", "above", "text", "real", "flag", "list"])
def test_out_of_range(name: str, wrong: str) -> None:
    low, high = RANGES[name]
    kinds = {"below": low - 1, "above": high + 1, "text": "8", "real": 8.0, "flag": True, "list": [8]}
    value = kinds[wrong]
    error = refusal(**{name: value})
    assert (error.parameter, error.value) == (name, value)
    expected = "1, 2, 4, 8, 16, 32 or 64" if name == "lanes" else f"a whole number from {low} to {high}"
    assert error.allowed == expected


@pytest.mark.parametrize("name", [name for name in RANGES if PARAMETERS[name].default.isdigit()])
def test_nothing_is_no_value_where_no_default_is_derived(name: str) -> None:
    assert refusal(**{name: None}).parameter == name


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("value", ["", "L1", "backwards", 1, ["l1"], ("inside",)])
def test_unknown_choice(name: str, value: object) -> None:
    error = refusal(**{name: value})
    assert (error.parameter, error.value) == (name, value)
    assert all(choice in error.allowed for choice in CHOICES[name])


@pytest.mark.parametrize("value", [0, 3, 1 << 19, True, "4"])
def test_lists_hold_a_power_of_two(value: object) -> None:
    error = refusal(suspects=value)
    assert error.parameter == "suspects" and error.allowed.startswith("1, 2, 4, ")


def test_a_form_is_one_of_the_norm() -> None:
    error = refusal(norm="range", form="two-pass")
    assert error.parameter == "form"
    assert "one-pass for norm = range" in error.allowed
    assert "two-pass for direction = training" in refusal(norm="l1", form="one-pass", direction="training").allowed


def test_only_a_form_that_guesses_has_a_window() -> None:
    shown = set(Configuration(norm="l1", form="one-pass").used_parameters())
    assert shown - set(Configuration(norm="l1").used_parameters()) == {"window_shift", "suspects"}
    assert Configuration(norm="l1", form="one-pass").suspects == 256
    assert Configuration(norm="l1", form="one-pass", counts=(8,)).suspects == 8


def test_fractions_end_below_their_widths() -> None:
    assert "0 to 7" in refusal(width=8, x_fraction=8).allowed
    assert "0 to 7" in refusal(y_width=8, y_fraction=8).allowed
    assert "0 to 4" in refusal(gamma_width=5, gamma_fraction=5).allowed
    assert "0 to 4" in refusal(beta_width=5, beta_fraction=5).allowed


def test_beta_is_never_finer_than_y() -> None:
    error = refusal(y_fraction=6, beta_fraction=7)
    assert error.parameter == "beta_fraction"
    assert "0 to 6" in error.allowed


@pytest.mark.parametrize("lanes", [3, 5, 6, 48, 63])
def test_lanes_are_a_power_of_two(lanes: int) -> None:
    assert refusal(lanes=lanes).allowed == "1, 2, 4, 8, 16, 32 or 64"


@pytest.mark.parametrize("count", [1, 0, -4, 2**20 + 1, 8.0, "8", True, None])
def test_a_count_out_of_range(count: object) -> None:
    error = refusal(counts=(16, count))
    assert (error.parameter, error.value) == ("count", count)
    assert error.allowed == "a whole number from 2 to 1048576"


@pytest.mark.parametrize(("lanes", "count"), [(2, 3), (4, 1022), (64, 32), (64, 96)])
def test_lanes_divide_every_count(lanes: int, count: int) -> None:
    error = refusal(lanes=lanes, counts=(1024, count))
    assert (error.parameter, error.value, error.allowed) == ("count", count, f"a multiple of lanes = {lanes}")


def test_counts_are_a_set_of_one_to_sixty_four() -> None:
    assert refusal(counts=()).parameter == "counts"
    assert refusal(counts="1024").parameter == "counts"
    assert refusal(counts=None).parameter == "counts"
    assert refusal(counts=(8, 16, 8)).allowed == "each count once"
    assert refusal(counts=tuple(range(2, 67))).allowed == "at most 64 counts"
    assert len(Configuration(counts=tuple(range(2, 66))).counts) == 64
    assert Configuration(counts=2).counts == (2,)  # type: ignore[arg-type]
    assert Configuration(counts=[2**20]).counts == (2**20,)  # type: ignore[arg-type]


@pytest.mark.parametrize("epsilon", [-1e-9, 1.0001, math.nan, math.inf, 10**400, "1e-5", True, None, [0.1]])
def test_epsilon_out_of_range(epsilon: object) -> None:
    error = refusal(epsilon=epsilon)
    assert (error.parameter, error.allowed) == ("epsilon", "a number from 0 to 1")


def test_epsilon_is_stored_as_a_real_number() -> None:
    assert isinstance(Configuration(epsilon=0).epsilon, float)
    assert Configuration(epsilon=1).epsilon == 1.0


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"widht = 8 .* no such parameter; known: norm, .*storage"):
        Configuration.from_mapping({"widht": 8})


def test_count_is_short_for_counts() -> None:
    assert Configuration.from_mapping({"count": 64}).counts == (64,)
    assert Configuration.from_mapping({"count": [64, 32]}).counts == (64, 32)
    with pytest.raises(ConfigurationError, match=r"count = 64 .* either count or counts, not both"):
        Configuration.from_mapping({"count": 64, "counts": [32]})


@pytest.mark.parametrize(
    "values", [{}, {"norm": "l2", "form": "two-pass"}, {"counts": (48, 96), "lanes": 8}, {"guard_bits": 3}]
)
def test_mapping_round_trip(values: dict[str, Any]) -> None:
    config = Configuration(**values)
    assert Configuration.from_mapping(config.to_mapping()) == config


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Configuration().width = 8  # type: ignore[misc]


@pytest.mark.parametrize(
    ("norm", "form", "passes"), [("l1", "two-pass", 3), ("l2", "two-pass", 3), ("l2", "one-pass", 2)]
)
def test_passes(norm: str, form: str, passes: int) -> None:
    assert Configuration(norm=norm, form=form).passes == passes


UNUSED = {
    "forward": {"dy_width", "dy_fraction", "dx_width", "dx_fraction", "momentum_shift", "running_fraction"},
    "backward": {"form", "beta_width", "beta_fraction", "momentum_shift", "running_fraction", "channels"},
    "inference": {
        *("form", "dy_width", "dy_fraction", "dx_width", "dx_fraction"),
        *("momentum_shift", "channels", "storage"),
    },
    "training": set(),
}
WINDOW = {"window_shift", "suspects"}
"""What only a unit has that guesses means."""


@pytest.mark.parametrize("direction", UNUSED)
def test_what_a_direction_does_not_use_changes_nothing(direction: str) -> None:
    other = {
        **{"form": "two-pass", "beta_width": 7, "beta_fraction": 2, "channels": 7, "storage": "outside"},
        **{"dy_width": 9, "dy_fraction": 3, "dx_width": 7, "dx_fraction": 3},
        **{"momentum_shift": 5, "running_fraction": 4, "window_shift": 5, "suspects": 2},
    }
    config = Configuration(norm="l2", direction=direction, width=6, counts=(4,), channels=4)
    assert set(config.to_mapping()) - set(config.used_parameters()) == UNUSED[direction] | WINDOW
    changed = dataclasses.replace(config, **{name: other[name] for name in UNUSED[direction] | WINDOW})
    texts = {rtlil.convert(units.unit(one), name="unit", emit_src=False) for one in (config, changed)}
    assert len(texts) == 1


@pytest.mark.parametrize("direction", UNUSED)
@pytest.mark.parametrize("counts", [(16,), (12, 20)])
def test_every_parameter_that_is_shown_has_a_value(direction: str, counts: tuple[int, ...]) -> None:
    config = Configuration(direction=direction, counts=counts)
    shown = manifest.parameters(config)
    assert set(shown) == set(config.used_parameters())
    assert None not in shown.values()
    assert shown["guard_bits"] == Formats(config).guard_bits
    lines = "\n".join(generate.header(config, "unit", "l1bn"))
    assert "None" not in lines and "derived" not in lines
    for name in UNUSED[direction]:
        assert not re.search(rf"\b{name}\b", lines)
    assert Configuration.from_mapping(shown).to_mapping().keys() == config.to_mapping().keys()


@pytest.mark.parametrize(
    ("parameters", "forward", "backward"),
    [
        ({"norm": "l1", "storage": "inside"}, 1, 1),
        ({"norm": "l1", "storage": "outside"}, 3, 2),
        ({"norm": "l2", "storage": "outside", "form": "one-pass"}, 2, 2),
        ({"norm": "l2", "storage": "outside", "form": "two-pass"}, 3, 2),
        ({"norm": "l1", "storage": "outside", "direction": "backward"}, 2, 2),
        ({"norm": "l1", "storage": "outside", "direction": "training"}, 3, 2),
    ],
)
def test_how_often_a_packet_is_sent(parameters: dict[str, Any], forward: int, backward: int) -> None:
    config = Configuration(**parameters)
    assert (config.sendings, config.backward_sendings) == (forward, backward)
