"""The unit that is proposed: what it takes, why it is as it is, and what no unit is proposed for."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from l1bn import Configuration, unit
from l1bn.errors import ConfigurationError
from l1bn.export.presets import PRESETS, resources
from l1bn.plan import Layer, Network, Observed, Plan, Wishes, propose
from l1bn.plan.estimate import estimate
from l1bn.plan.ranges import whole_bits
from l1bn.units.contents import memories


def layer(channels: int = 4, count: int = 64, **more: Any) -> Layer:
    """A layer of L1 with parameters that any format takes."""
    known = {"gamma": np.ones(channels), "beta": np.zeros(channels), "mean": None, "spread": None, **more}
    return Layer(f"layer{channels}", channels, count, "l1", 2.0**-10, **known)


def plan(*layers: Layer, wishes: Wishes = Wishes(), **typed: Any) -> Plan:  # noqa: B008 (it is frozen)
    return propose(Network("network", 1, layers), typed, wishes)


def test_one_unit_for_all_layers() -> None:
    found = plan(layer(4, 64), layer(8, 16), layer(2, 64))
    assert found.config == Configuration(counts=(16, 64), channels=8, epsilon=2.0**-10)
    assert found.parameters == {"norm": "l1", "lanes": 1, "counts": [16, 64], "channels": 8, "epsilon": 2.0**-10}
    assert found.parameters.keys() == found.reasons.keys()


def test_what_is_decided_stays() -> None:
    typed = {"norm": "l2", "lanes": 4, "channels": 9, "epsilon": 0.5, "storage": "outside", "width": 9, "y_width": 7}
    found = plan(layer(), wishes=Wishes(memory_bits=0), **typed)
    for name, value in typed.items():
        assert getattr(found.config, name) == value
        assert found.reasons[name] == "as asked for"
    assert found.config.norm == "l2" and found.config.form == "one-pass"


def test_a_unit_that_guesses_tells_all_channels_apart() -> None:
    assert plan(layer(4), layer(8), form="one-pass").config.channels == 12


def test_epsilon_is_the_largest() -> None:
    found = plan(layer(), dataclasses.replace(layer(), epsilon=0.25))
    assert found.config.epsilon == 0.25


# -- lanes ---------------------------------------------------------------------------------------


def test_the_fewest_lanes_that_are_enough() -> None:
    """For every rate that some number of lanes reaches, that number and not half of it."""
    layers = layer(64, 256), layer(32, 128)
    reached = {}
    for lanes in (1, 2):
        found = plan(*layers, wishes=Wishes(mhz=100), lanes=lanes)
        rate = found.samples_per_second
        assert rate == found.schedule.samples * 100e6 / found.schedule.cycles
        reached[lanes] = rate
    for lanes, rate in reached.items():
        assert plan(*layers, wishes=Wishes(samples_per_second=rate, mhz=100)).config.lanes == lanes
        assert plan(*layers, wishes=Wishes(samples_per_second=rate * 1.001, mhz=100)).config.lanes == 2 * lanes


def test_without_a_clock_it_is_that_of_the_preset() -> None:
    found = plan(layer())
    assert found.mhz == found.estimate.mhz is not None
    slower = plan(layer(), wishes=Wishes(mhz=found.mhz / 2))
    assert slower.samples_per_second == pytest.approx(found.samples_per_second / 2)


def test_lanes_divide_every_count() -> None:
    layers = layer(64, 1024), layer(32, 12)
    with pytest.raises(ConfigurationError, match=r"at most .* with 4 lanes; they divide every count, and so 4$"):
        plan(*layers, wishes=Wishes(samples_per_second=1e12))
    assert plan(*layers, wishes=Wishes(samples_per_second=2e8, mhz=100)).config.lanes == 4


# -- storage -------------------------------------------------------------------------------------


def test_buffers_that_do_not_fit_are_outside() -> None:
    """They take whole blocks of 18,432 bits."""
    inside = plan(layer())
    needed = inside.estimate.bram * 18432
    assert inside.config.storage == "inside" and needed > inside.memory_bits > 0
    enough = plan(layer(), wishes=Wishes(memory_bits=needed))
    assert enough.config == inside.config
    short = plan(layer(), wishes=Wishes(memory_bits=needed - 1))
    assert (short.config.storage, short.memory_bits, short.estimate.bram) == ("outside", 0, 0)
    assert f"{needed:,} bits" in short.reasons["storage"]
    assert short.schedule.cycles > inside.schedule.cycles


def test_the_memory_is_that_of_the_device() -> None:
    """Two buffers of 2^15 words: of 17 bits they are more than the 56 blocks of an ECP5-25F, of 9 bits less. Those of
    15 bits are as many bits as 54 blocks, but a block holds one bit of 2^14 words."""
    assert plan(layer(1, 30000)).config.storage == "outside"
    assert plan(layer(1, 30000), width=14).config.storage == "outside"
    assert plan(layer(1, 30000), width=8).config.storage == "inside"
    assert plan(layer(1, 30000), width=8, target="ice40").config.storage == "outside"


# -- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(0, 0.9, 1), (-1, 0.5, 1), (-1.1, 0, 2), (0, 1, 2), (-2, 1.9, 2), (0, 2, 3), (-300, 255, 10)],
)
def test_whole_bits(low: float, high: float, bits: int) -> None:
    assert whole_bits(low, high) == bits


def seen(low: float, high: float, spread: float, y_low: float = -1.0, y_high: float = 1.0) -> Observed:
    return Observed(low, high, spread, y_low, y_high)


def test_widths_from_what_was_observed() -> None:
    """The range of the widest layer, the steps of the narrowest one: 5 bits and the sign, 16 steps of 1/2."""
    found = plan(layer(observed=seen(-3, 30, 8)), layer(observed=seen(-1, 1, 0.5, -3, 5))).config
    assert (found.width, found.x_fraction) == (6 + 5, 5)
    assert (found.y_width, found.y_fraction) == (11, 11 - 4)


def test_a_width_that_is_asked_for_keeps_the_range() -> None:
    found = plan(layer(observed=seen(-3, 30, 8, -3, 5)), width=8, y_width=6).config
    assert (found.width, found.x_fraction, found.y_width, found.y_fraction) == (8, 2, 6, 2)


def test_outputs_have_steps_as_well() -> None:
    found = plan(layer(observed=seen(-1, 1, 8, -100, 9))).config
    assert (found.width, found.y_width, found.y_fraction) == (4, 8 + 4, 4)


@pytest.mark.parametrize(
    ("observed", "typed", "words"),
    [
        (seen(-300, 255, 1), {"width": 9}, r"^width = 9 is not .* 10 or more: x was seen from -300 to 255$"),
        (seen(-1e30, 0, 1), {}, r"^width = 32 is not possible; allowed: 101 or more"),
        (seen(-1, 1, 1, 0, 9), {"y_width": 4}, r"^y_width = 4 is not .* 5 or more: y was seen from 0 to 9$"),
    ],
)
def test_what_was_seen_has_to_fit(observed: Observed, typed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        plan(layer(observed=observed), **typed)


def test_a_layer_that_does_not_vary_needs_no_steps() -> None:
    assert plan(layer(observed=seen(0, 0, 0))).config.width == 4


@pytest.mark.parametrize(("largest", "fraction"), [(3.9, 13), (4, 12), (-4, 13), (100, 8), (1e9, 0)])
def test_gammas_fit(largest: float, fraction: int) -> None:
    found = plan(layer(gamma=np.array([0, 0, 0, largest])))
    assert found.config.gamma_fraction == fraction
    assert found.initial[0].tables[0].saturated == (fraction == 0)


@pytest.mark.parametrize(("largest", "fraction"), [(7.9, 12), (8, 11), (-8, 12)])
def test_betas_fit(largest: float, fraction: int) -> None:
    assert plan(layer(beta=np.array([0, 0, 0, largest]))).config.beta_fraction == fraction


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "typed", "words"),
    [
        ([layer(count=1)], {}, "count of layer4 = 1 is not possible; allowed: 2 to 1048576, see --batch and --input"),
        ([layer(count=(1 << 20) + 1)], {}, "count of layer4 = 1048577 is not possible"),
        ([layer(channels=(1 << 16) + 1)], {}, "channels of layer65537 = 65537 is not possible; allowed: 1 to 65536"),
        ([layer(count=8 * n) for n in range(1, 66)], {}, "counts = '65 different ones' is not possible; allowed: "),
        ([layer()], {"lanes": 128}, "lanes = 128 is not possible"),
        ([layer()], {"lanes": 64, "counts": (96,)}, "count = 96 is not possible; allowed: a multiple of lanes = 64"),
        ([layer(), layer()], {"direction": "training"}, "direction = 'training' is not possible"),
        ([layer(gamma=np.array([1, np.nan, 1, 1]))], {}, "gamma = nan is not possible; allowed: finite numbers"),
        ([layer(spread=-np.ones(4))], {}, "spread = -1.0 is not possible; allowed: finite numbers from 0 for each"),
    ],
)
def test_layers_that_no_unit_takes(layers: list[Layer], typed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        propose(Network("network", 1, tuple(layers)), typed, Wishes())
    assert words in str(refused.value)


def test_a_rate_without_a_clock() -> None:
    with pytest.raises(ConfigurationError, match="together with --mhz"):
        plan(layer(), wishes=Wishes(samples_per_second=1), target="logic")
    assert plan(layer(), wishes=Wishes(samples_per_second=1, mhz=10), target="logic").estimate.lut is None


# -- directions and estimates --------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["forward", "backward", "inference", "training"])
def test_every_direction(direction: str) -> None:
    found = plan(layer(3, 32), direction=direction)
    assert found.schedule.cycles > 3 * 32
    assert (found.estimate.lut is None) == (direction in ("inference", "training"))


@pytest.mark.parametrize("name", [name for name in PRESETS if resources(name)])
def test_the_estimate_of_a_preset_is_what_was_measured(name: str) -> None:
    found, taken = estimate(unit(PRESETS[name].configuration)), resources(name)
    assert taken is not None and (found.nearest, found.moved) == (name, ())
    assert (found.lut, found.ff, found.dsp, found.bram) == (taken.lut, taken.ff, taken.dsp, taken.bram)
    assert found.mhz == taken.fmax_mhz


def test_an_estimate_moves_along_two_presets() -> None:
    """From 1 lane to 16 as measured, between them in proportion."""
    config = Configuration(target="ecp5", lanes=4)
    taken = {name: resources(name) for name in ("int16-ecp5", "int16-x16")}
    one, sixteen = taken["int16-ecp5"], taken["int16-x16"]
    assert one is not None and sixteen is not None
    found = estimate(unit(config))
    assert found.nearest == "int16-ecp5"
    assert found.lut == round(one.lut + (sixteen.lut - one.lut) * 3 / 15)
    assert found.ff == round(one.ff + (sixteen.ff - one.ff) * 3 / 15)
    assert found.dsp == 4
    assert len(found.moved) == 1 and "from int16-ecp5 to int16-x16" in found.moved[0]


def test_an_estimate_says_what_is_unlike_the_preset() -> None:
    for more, nearest, unlike in (
        ({"norm": "l2", "storage": "outside"}, "int16-l2", ("storage inside",)),
        ({"norm": "rms", "counts": (12,)}, "int16-l2", ("norm l2", "counts that are powers of two")),
        ({"counts": (12,)}, "int16-resnet", ("target ecp5",)),
        ({"lanes": 8}, "int16", ()),
    ):
        found = estimate(unit(Configuration(**more)))
        assert (found.nearest, found.unlike) == (nearest, unlike)


def test_the_buffers_of_a_form_that_repeats_channels() -> None:
    (buffer,) = memories(unit(Configuration(form="one-pass", counts=(64,))))
    assert buffer["words"] >= 64 and buffer["bits"] == buffer["words"] * buffer["width"]
