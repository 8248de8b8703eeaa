"""Every command and every code block of the pages, in order, in a fresh copy of the project for each page.

What takes too long for the suite is listed in :mod:`.exceptions`; ``make docs-check`` runs that as well, after an
installation from nothing.
"""

from __future__ import annotations

import inspect
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from l1bn.config import Configuration
from l1bn_console.tables import print_tables
from l1bn_sim.toolchain import build_environment

from . import exceptions, pages
from .pages import PAGES, ROOT, Block, Command, blocks, entry_of, inline_commands, skipped

NO_COPY = shutil.ignore_patterns(".git", ".venv", "build", "*_cache", "__pycache__", "*.egg-info")
STORES = ("build/hardware", "build/sim/models")
"""Compiled models, which the copies share with the tree: what they hold is named by what decides it."""
NOT_OURS = ("pytest", "ruff", "mypy", "pip")


def environment() -> dict[str, str]:
    """That of a user: nothing of the test run's own."""
    ours = ("PYTEST_", "COV_", "COLUMNS", "AMARANTH_", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project, with what is installed and with the models that there are."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=NO_COPY)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "scripts" / "install").write_text("#!/bin/sh\n", encoding="utf-8")  # all of it is there
    for store in STORES:
        (ROOT / store).mkdir(parents=True, exist_ok=True)
        (folder / store).parent.mkdir(parents=True, exist_ok=True)
        (folder / store).symlink_to(ROOT / store)
    return folder


def shell(script: str, tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tree, env=environment(), capture_output=True, text=True
    )


def run_console(block: Block, tree: Path, whole: bool) -> str:
    """Run the commands of a block in one shell; returns what they print."""
    lines = []
    for command in block.commands:
        if skipped(command, whole):
            check_options(command, tree)
        else:
            lines.append(command.text)
    done = shell("\n".join(lines), tree)
    assert done.returncode == 0, f"{block}: {done.stdout}{done.stderr}"
    return done.stdout


def run_python(block: Block, tree: Path) -> str:
    """Run a block as a program: it ends well and has nothing to complain about."""
    if any(block.text.startswith(start) for start in exceptions.SHOWN):
        return compare_with_the_package(block)
    if "cocotb.test" in block.text:
        (tree / "tests" / "sim" / "my_bench.py").write_text(block.text, encoding="utf-8")
        return ""
    if "def test_" in block.text:
        return run_test(block, tree)
    saved = re.match(r"# (\w+\.py): ", block.text)  # a file that later blocks of the page import
    program = tree / (saved[1] if saved else "shown.py")
    program.write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [tree / ".venv" / "bin" / "python", program], cwd=tree, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), str(block)
    return done.stdout


def run_test(block: Block, tree: Path) -> str:
    """Run a block that is a test for pytest, beside the tests of the simulation, whose fixtures it uses."""
    (tree / "tests" / "sim" / "test_shown.py").write_text(block.text, encoding="utf-8")
    done = shell(".venv/bin/python -m pytest -q -p no:cacheprovider tests/sim/test_shown.py", tree)
    assert done.returncode == 0 and " passed" in done.stdout, f"{block}: {done.stdout}{done.stderr}"
    return ""


def compare_with_the_package(block: Block) -> str:
    """A definition that a page shows is the one that the package has."""
    from l1bn_golden import backend

    scope: dict[str, Any] = {}
    names = "from __future__ import annotations\nfrom collections.abc import Callable\nfrom typing import Protocol\n"
    exec(f"{names}from l1bn_golden.backend import Backend, Contract\n{block.text}", scope)
    if "class Backend" in block.text:
        for name in ("forward", "backward"):
            shown, real = (inspect.signature(getattr(owner, name)) for owner in (scope["Backend"], backend.Backend))
            assert list(shown.parameters) == list(real.parameters), str(block)
    else:
        assert scope["BackendFactory"] == backend.BackendFactory
    return ""


def check_toml(block: Block, tree: Path) -> None:
    """A file for ``--config``."""
    (tree / "shown.toml").write_text(block.text, encoding="utf-8")
    done = shell(".venv/bin/l1bn generate shown.toml -o build/shown", tree)
    assert (done.returncode, done.stderr) == (0, ""), str(block)


def check_systemverilog(block: Block, tree: Path) -> None:
    """An instance of the unit that the page has generated, out of the example, which Verilator takes."""

    def statements(text: str) -> str:
        return " ".join(re.sub(r"//.*", "", text).split())

    example = tree / "examples" / "accelerator.sv"
    assert statements(block.text) in statements(example.read_text(encoding="utf-8")), str(block)
    sources = [example, tree / "build" / "normaliser" / "normaliser.v", tree / "sim" / "l1bn_sim" / "waivers.vlt"]
    lint = subprocess.run(
        ["verilator", "--lint-only", "--top-module", "accelerator", *sources],
        env=build_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert (lint.returncode, lint.stderr) == (0, ""), str(block)


def check_options(command: Command, tree: Path) -> None:
    """A command that is not run: what it calls exists, and so do the variables and options that it is given."""
    text = re.sub(r"^(python|l1bn) ", r".venv/bin/\1 ", command.text)
    if text.startswith("make "):
        done = shell(f"{text} --dry-run --no-print-directory", tree)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        calls = re.sub(r"\\\n\s*", " ", done.stdout).splitlines()
    else:
        calls = [text]
    for call in calls:
        called = re.match(r"'?\.venv/bin/(?:python'? -m (\S+)|(l1bn))(.*)", call.strip())
        if called is None:
            continue
        module, arguments = called[1] or called[2], shlex.split(called[3])
        if module not in NOT_OURS:
            assert offers(module, arguments), str(command)


def offers(module: str, arguments: list[str]) -> bool:
    """Whether a module has the options: asked for help behind them, it complains of those that it does not know."""
    argv, sys.argv = sys.argv, [module, *arguments, "--help"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return not end.code
    finally:
        sys.argv = argv
    return False


def run_page(page: str, tree: Path, whole: bool = False) -> None:
    """Everything that a page shows, in order."""
    printed, ran, timed = "", False, ""
    for block in blocks(page):
        if block.kind == "console":
            printed = run_console(block, tree, whole)
            ran = not any(skipped(command, whole) for command in block.commands)
            timed = "|".join(entry.timed for entry in map(entry_of, block.commands) if entry and entry.timed)
        elif block.kind == "python":
            printed, ran, timed = run_python(block, tree), True, ""
        elif block.kind == "toml":
            check_toml(block, tree)
        elif block.kind == "systemverilog":
            check_systemverilog(block, tree)
        elif block.kind == "output" and ran:
            shown, found = (re.sub(timed, "", text, flags=re.M) if timed else text for text in (block.text, printed))
            assert shown in found, f"{block}: {printed}"


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tree: Path) -> None:
    run_page(page, tree)
    for command in inline_commands(page):
        check_options(command, tree)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which nothing is installed."""
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=NO_COPY)
    return folder


@pytest.mark.docs
@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("page", PAGES)
def test_whole_page(page: str, fresh: Path) -> None:
    """In one copy, as a reader goes through them: the README's first command installs."""
    shutil.rmtree(fresh / "build", ignore_errors=True)
    run_page(page, fresh, whole=True)


def test_every_entry_of_the_list_is_needed() -> None:
    shown = [block for page in PAGES for block in blocks(page)]
    needed = {entry_of(command) for block in shown if block.kind == "console" for command in block.commands}
    assert [entry.start for entry in exceptions.SKIPPED if entry not in needed] == []
    for start in exceptions.SHOWN:
        assert any(block.text.startswith(start) for block in shown)
    for page, figures in exceptions.FIGURES.items():
        for start in figures:
            assert any(block.kind == "figure" and block.text.startswith(start) for block in blocks(page)), (page, start)


@pytest.mark.parametrize(
    "shown",
    ["make nothing", "make sim NROM=l1", ".venv/bin/l1bn generate --widht 3", "python -m l1bn_sim run --speed 9",
     "l1bn nothing"],
)  # fmt: skip
def test_a_command_that_is_only_taken_apart_must_exist(shown: str, tree: Path) -> None:
    with pytest.raises(AssertionError):
        check_options(Command("page", 1, shown), tree)


@pytest.mark.parametrize("text", ["import sys; print('word', file=sys.stderr)", "raise SystemExit(1)"])
def test_code_that_complains_is_no_code_that_runs(text: str, tree: Path) -> None:
    with pytest.raises(AssertionError):
        run_python(Block("page", 1, "python", text), tree)


def test_a_command_that_fails_ends_the_page(tree: Path) -> None:
    with pytest.raises(AssertionError, match="is not possible; allowed: "):
        run_console(Block("page", 1, "console", ".venv/bin/l1bn generate --width 3\necho on"), tree, whole=False)


def test_a_block_that_nobody_knows_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# Page\n\n    something of its own\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="neither run nor listed"):
        blocks("page.md")


def test_the_table_of_the_readme_is_as_make_sim_prints_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its numbers, read and printed again by the command's own table, and the cycles as the units say."""
    from l1bn import unit
    from l1bn_sim.measure import Row
    from l1bn_sim.report import table

    monkeypatch.delenv("COLUMNS", raising=False)
    shown = next(block.text for block in blocks("README.md") if block.text.startswith("Generated hardware"))
    rows = []
    for line in shown.splitlines():
        if line.startswith("│"):
            norm, form, *cells = (cell.strip().replace(",", "") for cell in line.strip("│").split("│"))
            width, lanes, count, samples, wrong, error, measured, predicted, rate = map(float, cells)
            config = Configuration(norm=norm, form=form, width=int(width), lanes=int(lanes), counts=(int(count),))
            assert unit(config).cycles_per_channel(int(count)) == predicted
            rows.append(Row(norm, form, "forward", int(width), int(lanes), int(count), int(samples), int(wrong),
                            error, measured, int(predicted), rate, 0))  # fmt: skip
    print_tables(table(rows))
    assert len(rows) == 12
    assert shown.startswith(capsys.readouterr().out)
