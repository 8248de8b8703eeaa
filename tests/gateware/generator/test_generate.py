"""The generated files: the same everywhere, clean names, and a manifest that tells the truth."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Module, Shape
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from l1bn.config import Configuration, ConfigurationError
from l1bn.generator import generate, manifest
from l1bn.numbers.formats import Formats
from l1bn.numbers.scale_format import ScaleFormat
from l1bn.units import unit as unit_of
from l1bn_golden import Contract
from l1bn_golden.exact import error_bound

CONFIGURATIONS = {
    "l1": Configuration(width=6, counts=(16,), lanes=2),
    "l1-counts": Configuration(width=5, counts=(12, 16, 20), lanes=4, epsilon=0.01, gamma_width=7),
    "l1-outside": Configuration(width=8, counts=(8,), storage="outside", y_width=6, beta_width=4),
    "l2": Configuration(norm="l2", width=6, counts=(16,), lanes=2),
    "l2-two-pass": Configuration(norm="l2", form="two-pass", width=5, counts=(6,)),
    "l1-backward": Configuration(direction="backward", width=5, dx_width=7, counts=(12, 16), lanes=4),
    "inference": Configuration(direction="inference", width=5, counts=(8,), lanes=2),
}
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def written(request: pytest.FixtureRequest) -> tuple[Any, str, dict[str, Any]]:
    """A unit, its Verilog and its manifest as a user's tools read it."""
    unit = unit_of(CONFIGURATIONS[request.param])
    text = generate.verilog(unit, "top")
    return unit, text, json.loads(manifest.dumps(manifest.describe(unit, "top")))


DIGEST = """
import hashlib, pathlib, sys
from l1bn.generator import generate
from l1bn.config import Configuration
for norm in ("l1", "rms"):
    config = Configuration(norm=norm, width=4, counts=(8, 12), lanes=2)
    for path in generate.write(config, folder=pathlib.Path(norm)):
        print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_output_is_the_same_in_every_process(tmp_path: Path) -> None:
    outputs = set()
    for seed in ("0", "1", "random"):
        folder = tmp_path / seed
        folder.mkdir()
        run = subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == 4


def test_no_trace_of_the_machine(written: tuple[Any, str, dict[str, Any]]) -> None:
    _, text, described = written
    for content in (text, json.dumps(described)):
        for trace in (str(ROOT), str(Path.home()), sys.prefix, os.uname().nodename, ".py", "(* src"):
            assert trace not in content
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", content)


def test_an_installed_yosys_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yosys = tmp_path / "yosys"
    yosys.write_text("#!/bin/sh\necho Yosys 99.0\n")
    yosys.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AMARANTH_USE_YOSYS", raising=False)
    unit = unit_of(CONFIGURATIONS["l1"])
    assert "module top(" in generate.verilog(unit, "top")
    assert "AMARANTH_USE_YOSYS" not in os.environ


def test_the_header_states_the_configuration(written: tuple[Any, str, dict[str, Any]]) -> None:
    unit, text, _ = written
    header = text[: text.index("\n\n")].splitlines()
    assert header[0].startswith(
        f"// top: {unit.config.norm.upper()} batch normalisation, {unit.config.direction}"
    )
    assert "// SPDX-License-Identifier: Apache-2.0" in header
    stated = dict(line[2:].split(maxsplit=1) for line in header if line.startswith("//   "))
    assert stated["counts"] == ", ".join(map(str, unit.config.counts))
    assert stated["guard_bits"].isdigit()
    used = unit.config.used_parameters()
    assert set(stated) == set(used)
    for key in {"norm", "form", "storage"} & set(used):
        assert stated[key] == used[key]


def test_module_names_are_plain_and_start_with_the_top(written: tuple[Any, str, dict[str, Any]]) -> None:
    _, text, _ = written
    names = re.findall(r"^module (\S+?) ?\(", text, flags=re.MULTILINE)
    assert names[0] == "top"
    assert len(names) > 1
    assert all(re.fullmatch(r"top_\w+", name) for name in names[1:])
    assert len(set(names)) == len(names)
    instances = re.findall(r"^  (\S+) +\S+ +\($", text, flags=re.MULTILINE)
    assert set(instances) == set(names[1:])


class Leaf(wiring.Component):
    def __init__(self) -> None:
        super().__init__({"a": In(1), "b": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.b.eq(self.a)
        return m


class Branches(wiring.Component):
    """Submodules called ``names``, side by side or, where a name has a dot, one in the other."""

    config = CONFIGURATIONS["l1"]

    def __init__(self, *names: str):
        self.names = names
        super().__init__({"a": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in self.names:
            inner, outer = Leaf(), m
            *path, last = name.split(".")
            for part in path:
                child = Module()
                setattr(outer.submodules, part, child)
                outer = child
            setattr(outer.submodules, last, inner)
            outer.d.comb += inner.a.eq(self.a)
        return m


def test_submodules_of_submodules_are_renamed_as_well() -> None:
    text = generate.verilog(Branches("one.two"), "top")
    assert re.findall(r"^module (\S+?) ?\(", text, flags=re.MULTILINE) == ["top", "top_one", "top_one_two"]
    assert re.search(r"^  top_one one \($", text, flags=re.MULTILINE)
    assert re.search(r"^  top_one_two two \($", text, flags=re.MULTILINE)


def test_submodules_that_would_share_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match="differ only in punctuation"):
        generate.verilog(Branches("one.two", "one_two"), "top")


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.b", "../a", "a$", "begin", "logic", "a" * 65, "ä"])
def test_names_that_no_module_can_have(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^name = "):
        generate.verilog(unit_of(CONFIGURATIONS["l1"]), name)


def test_the_manifest_lists_the_ports_of_the_verilog(written: tuple[Any, str, dict[str, Any]]) -> None:
    _, text, described = written
    top = text[: text.index("endmodule")]
    declared = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", top, flags=re.MULTILINE)
    ports = {(name, direction, int(high or 0) + 1) for direction, high, name in declared}
    assert ports == {(port["name"], port["direction"], port["width"]) for port in described["ports"]}
    assert len(ports) == len(described["ports"])
    expected = {
        "forward": {"i__payload", "i_affine__valid", "o_stats__payload"},
        "backward": {
            "i_x__payload",
            "i_dy__valid",
            "i_stats__ready",
            "i_gamma__payload",
            "o_gradients__payload",
        },
        "inference": {"i__payload", "i_averages__valid", "i_affine__valid", "o_fold__payload"},
    }[described["configuration"]["direction"]]
    assert {"clk", "rst", "o__ready", *expected} <= {name for name, _, _ in ports}
    assert described["module"] == "top" and described["source"] == "top.v"


def bits(layout: data.StructLayout, name: str, value: Any) -> int:
    """The payload with one field set and all others 0."""
    constant = layout.const({name: value}).as_value()
    return int(constant.value) & ((1 << layout.size) - 1)


def test_the_manifest_places_the_fields_as_the_payloads_do(written: tuple[Any, str, dict[str, Any]]) -> None:
    unit, _, described = written
    config, formats = unit.config, unit.formats
    fractions = {}
    for port in described["ports"]:
        if port.get("role") != "payload":
            continue
        layout = getattr(unit, port["stream"]).payload.shape()
        assert sum(field["width"] * field.get("lanes", 1) for field in port["fields"]) == port["width"]
        assert [field["name"] for field in port["fields"]] == [name for name, _ in layout]
        for field in port["fields"]:
            ones = (1 << field["width"]) - 1
            full = -1 if field["signed"] else ones
            for lane in range(field.get("lanes", 1)):
                value = [0] * lane + [full] if "lanes" in field else full
                lsb = field["lsb"] + lane * field["width"]
                assert bits(layout, field["name"], value) == ones << lsb
            if "fraction" in field:
                fractions[port["stream"], field["name"]] = field["fraction"]
            assert field["about"]
    x, mean = config.x_fraction, config.x_fraction + formats.guard_bits
    affine = {("i_affine", "gamma"): config.gamma_fraction, ("i_affine", "beta"): config.beta_fraction}
    y = {("i", "data"): x, ("o", "data"): config.y_fraction, **affine}
    assert (
        fractions
        == {
            "forward": {**y, ("o_stats", "mean"): mean},
            "backward": {
                ("i_x", "data"): x,
                ("i_dy", "data"): config.dy_fraction,
                ("i_stats", "mean"): mean,
                ("i_gamma", "gamma"): config.gamma_fraction,
                ("o", "data"): config.dx_fraction,
                ("o_gradients", "dgamma"): config.dy_fraction,
                ("o_gradients", "dbeta"): config.dy_fraction,
            },
            "inference": {**y, ("i_averages", "mean"): mean, ("i_averages", "spread"): mean},
        }[config.direction]
    )


def test_the_manifest_states_time_and_epsilon_of_every_count(
    written: tuple[Any, str, dict[str, Any]],
) -> None:
    unit, _, described = written
    config = unit.config
    assert described["passes"] == config.passes
    assert [item["count"] for item in described["counts"]] == list(config.counts)
    for index, item in enumerate(described["counts"]):
        assert item["select"] == index
        assert item["beats"] * config.lanes == item["count"]
        assert item["latency"] == unit.latency(item["count"])
        assert item["cycles_per_channel"] == unit.cycles_per_channel(item["count"])
        golden = Contract.from_parameters(config.to_mapping())
        lsb = 1 << (config.x_fraction * (1 if config.norm == "l1" else 2))
        assert Fraction(item["epsilon"]) == golden.effective_epsilon(item["count"]) / lsb


@pytest.mark.parametrize(
    ("values", "largest"),
    [
        ({"width": 8, "scale_width": 16}, 0.54),
        ({"width": 12, "scale_width": 16}, 0.54),
        ({"width": 16, "scale_width": 16}, 1.04),
        ({"width": 16, "scale_width": 18}, 0.64),
        ({"width": 16, "scale_width": 20}, 0.54),
        ({"width": 16, "scale_width": 20, "counts": (1000,)}, 0.54 + 2**-8),
        ({"norm": "l2", "counts": (1000,)}, 0.64),
        # What the README says of the default formats, whatever the norm and the counts are.
        ({"norm": "l1", "counts": (4, 60, 1000)}, 0.64),
    ],
)
def test_the_manifest_states_the_bound_of_the_documentation(values: dict[str, Any], largest: float) -> None:
    config = Configuration(**values)
    accuracy = manifest.describe(unit_of(config), "top")["accuracy"]
    assert largest - 0.011 < Fraction(accuracy["largest_for_beta_0"]) <= largest
    assert ("2^-8" in accuracy["formula"]) == ("counts" in values and config.norm == "l1")
    assert ("2^-9" in accuracy["formula"]) == ("counts" in values and config.norm == "l2")
    contract = Contract.from_parameters(config.to_mapping())
    for key, distance in (("largest_for_beta_0", config.y_width - 1), ("largest", config.y_width)):
        assert float(Fraction(accuracy[key])) == float(error_bound(contract, distance=2**distance))


def test_no_bound_is_stated_for_a_mean_that_is_too_coarse() -> None:
    assert Formats(Configuration(counts=(1024,))).guard_bits == 10
    for guard_bits, stated in ((9, False), (10, True), (11, True)):
        unit = unit_of(Configuration(counts=(1024,), guard_bits=guard_bits))
        assert (manifest.describe(unit, "top")["accuracy"] is not None) == stated


def test_the_manifest_holds_all_formats(written: tuple[Any, str, dict[str, Any]]) -> None:
    unit, _, described = written
    formats = described["formats"]
    others = {"config", "effective_epsilon", "traits", "gradient"}
    public = {name for name in dir(unit.formats) if not name.startswith("_")} - others
    own = unit.formats.traits.widths(unit.formats)
    assert set(formats) == public | own.keys()
    assert {name: formats[name] for name in own} == {name: width.bits for name, width in own.items()}
    for name in public:
        value = getattr(unit.formats, name)
        if isinstance(value, ScaleFormat):
            assert formats[name]["scale_bits"] == value.scale_bits
        elif isinstance(value, Shape):
            assert formats[name] == {"width": value.width, "signed": value.signed}
        elif isinstance(value, range):
            assert formats[name] == {"from": min(value), "to": max(value)}
        else:
            assert formats[name] == (list(value) if isinstance(value, tuple) else value)


def test_the_manifest_is_a_configuration(written: tuple[Any, str, dict[str, Any]], tmp_path: Path) -> None:
    unit, text, described = written
    assert described["schema"] == manifest.SCHEMA
    path = tmp_path / "top.json"
    path.write_text(json.dumps(described))
    values, name = manifest.read(path)
    again = Configuration.from_mapping(values)
    assert (again, name) == (unit.config, "top")
    repeated = generate.verilog(unit_of(again), name)
    assert hashlib.sha256(repeated.encode()).digest() == hashlib.sha256(text.encode()).digest()
