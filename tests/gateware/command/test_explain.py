"""``l1bn explain``: what it says is what the unit, its formats and its Verilog have."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from l1bn.command import cli
from l1bn.command.explain import SCALE_WIDTHS, WIDTHS, explain, neighbours
from l1bn.command.tables import explanation_tables
from l1bn.config import PARAMETERS, Configuration
from l1bn.export import presets
from l1bn.generator import generate
from l1bn.numbers.formats import Formats
from l1bn.units import unit
from l1bn.units.accuracy import advice

L1 = Configuration(norm="l1", width=8, lanes=2, counts=(64, 16))
L2 = Configuration(norm="l2", form="two-pass", width=8, lanes=2, counts=(64,), target="ecp5")


def changes(explanation: dict[str, Any], parameter: str) -> list[dict[str, Any]]:
    return [change for change in explanation["changes"] if change["parameter"] == parameter]


def products(text: str) -> int:
    """The products that the top module ``top`` has, those of its instances included."""
    bodies = dict(re.findall(r"^module (\w+) ?\((.*?)^endmodule", text, flags=re.MULTILINE | re.DOTALL))

    def within(name: str) -> int:
        own = re.findall(r"^ *assign .* = .* \* ", bodies[name], flags=re.MULTILINE)
        instances = re.findall(r"^  (\w+) (?:\\\S+|\w+) +\($", bodies[name], flags=re.MULTILINE)
        return len(own) + sum(within(instance) for instance in instances if instance in bodies)

    return within("top")


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_memories_and_multipliers_are_those_of_the_verilog(direction: str) -> None:
    """The words of each memory and the products, as the Verilog of a portable unit has them."""
    config = dataclasses.replace(L2, target="portable", direction=direction)
    explanation, text = explain(config), generate.verilog(unit(config), "top")
    memories = re.findall(r"^ *reg \[(\d+):0\] \S+ +\[(\d+):0\];", text, flags=re.MULTILINE)
    assert sorted((int(high) + 1, int(last) + 1) for high, last in memories) == sorted(
        (memory["width"], memory["words"]) for memory in explanation["memories"]
    )
    assert sum(multiplier["number"] for multiplier in explanation["multipliers"]) == products(text)
    assert explanation["memory_bits"] == sum(memory["bits"] for memory in explanation["memories"]) > 0


def test_the_multipliers_of_two_lanes() -> None:
    assert explain(dataclasses.replace(L2, target="portable"))["multipliers"] == [
        {"factors": [8, 18], "number": 2},  # affine
        {"factors": [9, 9], "number": 2},  # squares of x - m
    ]


def test_blocks_of_a_device_are_counted() -> None:
    wide = dataclasses.replace(L2, width=20, y_width=20, form="one-pass")
    # 20 bits take two blocks, 20 by 20 bits four.
    assert [multiplier["blocks"] for multiplier in explain(wide)["multipliers"]] == [4, 8]


def test_the_epsilon_of_every_count_is_shown_beside_the_users() -> None:
    config = Configuration(counts=(4, 48, 64))
    explanation = explain(config)
    table = next(table for table in explanation_tables(explanation) if table.title.startswith("Counts"))
    headings = [column.heading for column in table.columns]
    assert "0.6367" in table.title and table.notes == []
    for index, row in enumerate(table.rows):
        asked, effective = (row[headings.index(name)] for name in ("epsilon", "epsilon in effect"))
        assert (asked, effective) == ("1e-05", f"{float(Formats(config).effective_epsilon(index)):.10g}")
        assert float(effective) == pytest.approx(1e-5, rel=1e-6)


def test_a_bound_of_more_than_a_unit_is_commented_on() -> None:
    explanation = explain(Configuration(width=20, counts=(16,)))
    assert explanation["advice"] == advice(Configuration(width=20, counts=(16,))) is not None
    table = next(table for table in explanation_tables(explanation) if table.title.startswith("Counts"))
    assert table.notes == [explanation["advice"]]


@pytest.mark.parametrize("config", [L1, L2])
def test_figures_are_those_of_the_unit(config: Configuration) -> None:
    explanation, built = explain(config), unit(config)
    assert explanation["latency"] == built.latency(64)
    assert explanation["cycles_per_channel"] == built.cycles_per_channel(64)
    assert explanation["streams"]["i"] == 2 * 8 + 1 + (len(config.counts) - 1)
    assert explanation["widths"]["sum_width"]["bits"] == 8 + 6
    assert explanation["widths"]["r_exponent_shape"]["bits"] == Formats(config).r_exponent_shape.width
    own = {"l1": "sign_count_width", "l2": "square_sum_width"}
    assert set(explanation["widths"]) == {*WIDTHS, *SCALE_WIDTHS, own[config.norm]}


@pytest.mark.parametrize(
    ("form", "direction"), [("one-pass", "forward"), ("two-pass", "forward"), ("one-pass", "backward")]
)
def test_the_stages_add_up_to_the_latency_of_every_count(form: str, direction: str) -> None:
    config = dataclasses.replace(L1, norm="l2", form=form, direction=direction)
    explanation = explain(config)
    stages = {stage["stage"]: stage["latency"] for stage in explanation["stages"]}
    assert min(stages.values()) >= 0
    for count in config.counts:
        beats = count // config.lanes
        passes = (config.passes - 1) * (beats - 1)
        assert sum(stages.values()) + passes == unit(config).latency(count)


def test_every_parameter_has_a_neighbour() -> None:
    without = {"beta_fraction", "running_fraction"}  # at its limit, derived from the mean
    assert {name for name, _ in neighbours(L1)} == set(PARAMETERS) - without
    for name, neighbour in neighbours(L2):
        moved = {key for key in PARAMETERS if getattr(neighbour, key) != getattr(L2, key)}
        # Another norm may not have the form, and takes its own.
        assert name in moved and moved - {name} <= ({"form"} if name == "norm" else set())


def test_at_its_limit_a_parameter_goes_the_other_way_or_nowhere() -> None:
    limit = Configuration(width=32, lanes=64, counts=(1 << 20,), scale_width=24, epsilon=0.0)
    steps = {name: neighbour for name, neighbour in neighbours(limit)}
    assert "width" not in steps and "scale_width" not in steps
    assert steps["lanes"].lanes == 32
    assert steps["epsilon"].epsilon == 1e-5


def test_what_a_step_costs() -> None:
    explanation = explain(L1)
    (width,) = changes(explanation, "width")
    assert (width["from"], width["to"]) == (8, 9)
    # Two buffers hold 32 beats of two samples and what arrives in the meantime.
    words = [memory["words"] for memory in explanation["memories"]]
    assert width["memory_bits"] - explanation["memory_bits"] == 2 * sum(words)
    assert width["widths_change"]["i"] == 2
    assert width["widths_change"]["sum_width"] == 1
    assert "guard_bits" not in width["widths_change"]
    (outside,) = changes(explanation, "storage")
    assert outside["memory_bits"] == 0
    longer, odd = changes(explanation, "counts")
    assert longer["to"] == [16, 128] and odd["to"] == [16, 48]
    assert longer["widths_change"]["mean_width"] == 1
    assert odd["error_bound"] > explanation["error_bound"]
    assert not changes(explanation, "beta_width")[0]["widths_change"].get("o")


def test_guard_bits_of_the_users_own_have_no_bound() -> None:
    assert explain(dataclasses.replace(L1, guard_bits=2))["error_bound"] is None


@pytest.mark.parametrize("name", ["edge-int8", "int16-resnet", "int16-replay"])
def test_json_of_a_preset(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--preset", name, "--json"]) == 0
    explanation = json.loads(capsys.readouterr().out)
    assert explanation["configuration"] == presets.configuration(name).to_mapping()
    assert explanation["changes"]


def test_the_tables_hold_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--width", "8", "--lanes", "2", "--count", "64,16"]
    assert cli.main(["explain", *arguments]) == 0
    out = capsys.readouterr().out
    explanation = explain(L1)
    bits = [memory["bits"] for memory in explanation["memories"]]
    for number in (explanation["latency"], explanation["error_bound"], *bits):
        assert f" {number:,} " in out
    for name in PARAMETERS:
        assert f" {name} " in out
    assert cli.main(["explain", "--norm", "l2", "--storage", "outside", "--guard-bits", "3"]) == 0
    assert "no buffer" in capsys.readouterr().out


def test_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--lanes", "3"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "l1bn: error: lanes = 3 is not possible; allowed: 1, 2, 4, 8, 16, 32 or 64\n"


@pytest.mark.parametrize("direction", ["inference", "training"])
def test_directions_that_are_explained_by_others(direction: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "--direction", direction]) == 2
    said = capsys.readouterr().err
    assert said == f"l1bn: error: direction = '{direction}' is not possible; allowed: forward or backward\n"


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_what_takes_turns_is_named(direction: str) -> None:
    """Several of what is too slow for the interval, none where channels are long; half of the interval costs more."""
    config = Configuration(direction=direction, width=8, counts=(49,))
    explanation = explain(config)
    found = explanation["in_turns"]
    assert "Scale" in {entry["operator"] for entry in found}
    assert all(entry["number"] > 1 and entry["interval"] <= config.interval == 49 for entry in found)
    assert explanation["operators"] == sum(entry["number"] for entry in found)
    twice, half = changes(explanation, "interval")
    assert (twice["to"], half["to"]) == (98, 24)
    assert twice["operators"] < explanation["operators"] < half["operators"]
    assert any("take turns" in table.title for table in explanation_tables(explanation))
    long = explain(dataclasses.replace(config, counts=(1024,), interval=None))
    assert long["in_turns"] == [] and not any("take turns" in table.title for table in explanation_tables(long))
