"""Installation: what is pinned is what is needed, scripts/install gives one line, make takes what it knows."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


# -- pins ---------------------------------------------------------------------------------------


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def distributions() -> dict[str, str]:
    """The versions in the environment; what a package keeps for itself, as setuptools does, is not of it."""
    found = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    return {canonicalize_name(each.name): each.version.partition("+")[0] for each in found}


def needed() -> set[str]:
    """Everything that an installation of all extras brings, on the Pythons that l1bn is for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    own = [*project["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]
    waiting = [(Requirement(line), "") for line in [*own, *project["build-system"]["requires"]]]
    found: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        environments = [{"extra": extra, "python_version": version} for version in PYTHONS]
        if name == "l1bn" or (marker and not any(map(marker.evaluate, environments))):
            continue
        for wanted in ["", *requirement.extras]:
            if (name, wanted) not in found:
                found.add((name, wanted))
                with suppress(importlib.metadata.PackageNotFoundError):  # what only another Python needs
                    waiting += [(Requirement(line), wanted) for line in importlib.metadata.requires(name) or []]
    return {name for name, _ in found}


def test_what_is_pinned_is_what_is_needed() -> None:
    # PyPI's build of PyTorch for Linux requires those of graphics cards, in versions that it pins itself.
    accelerators = {name for name in needed() if re.match("nvidia-|cuda-|triton$", name)}
    assert needed() - accelerators <= set(pins())
    # What is pinned and not installed is for another Python.
    assert set(pins()) & set(distributions()) <= needed()


def test_what_is_installed_is_what_is_pinned() -> None:
    versions = distributions()
    assert {name: versions.get(name, version) for name, version in pins().items()} == pins()


# -- make ---------------------------------------------------------------------------------------


def make(*arguments: str, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    # Not as a part of the make that runs the tests.
    kept = {name: value for name, value in os.environ.items() if not re.match("MAKE|MFLAGS", name)}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env={**kept, **more}, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("generate WIDHT=3", "make generate does not take WIDHT (did you mean WIDTH?); it takes: "),
        ("sim norm=l1", "make sim does not take norm (did you mean NORM?); it takes: "),
        ("export OUTPUT=x", "make export does not take OUTPUT (did you mean OUT?); it takes: "),
        ("synth WAVES=1", "make synth does not take WAVES; it takes: "),
        ("lint TESTS=tests", "make lint does not take TESTS; it takes: "),
        ("COUNT=8", "make help does not take COUNT; it takes: "),
        ("sim NORM=l1 --no-print-directory VENV=x", "make sim does not take VENV"),
    ],
)
def test_make_refuses_what_a_target_does_not_take(arguments: str, message: str) -> None:
    done = make("--dry-run", *arguments.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_make_takes_what_help_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, text in re.findall(r"^([a-z-]+):.*## .*\n((?:#v .*\n)*)", makefile, flags=re.MULTILINE):
        variables = set(re.findall(r"\b[A-Z]{3,}\b", text)) - {"FST", "ECP"}
        done = make("--dry-run", target, *(f"{name}=1" for name in variables))
        assert done.returncode == 0, done.stderr


def test_values_reach_the_program_as_they_are() -> None:
    done = make("--dry-run", "generate", "OUT=a folder's name; $$HOME")
    assert "--output 'a folder'\\''s name; $HOME'" in done.stdout


def test_variables_of_the_environment_mean_something_else() -> None:
    done = make("--dry-run", "generate", WIDTH="3", NAME="x", PYTHON="/nowhere")
    assert done.returncode == 0 and "--width" not in done.stdout and "nowhere" not in done.stdout


# -- scripts/install, with a Python that only says what it is asked for -------------------------------

PYTHON = r"""#!/bin/bash
echo "$(basename "$(dirname "$0")")/$(basename "$0") $*" >>"$CALLS"
case "$*" in
  "-c "*"$MISSING"*) [ -z "$MISSING" ] || exit 1; case "$*" in *print*) basename "$0" ;; esac ;;
  *print*) cat "$(dirname "$0")/version" 2>/dev/null || basename "$0" ;;
  "--version") echo Python 3.11.2 ;;
  "-m venv .venv")
    mkdir -p .venv/bin && cp "$0" .venv/bin/python && basename "$0" >.venv/bin/version ;;
  "-m pip"*)
    [ -z "${DOWNLOAD-}" ] || { echo "$DOWNLOAD"; exit 1; }
    echo "Installing collected packages: some"
    [ -z "${INSTALL-}" ] || { echo "$INSTALL"; exit 1; }
    echo "#!$PWD/.venv/bin/python" >.venv/bin/l1bn ;;
esac
"""
VENV, PIP = "-m venv", "-m pip"


class Clone:
    """A folder with what an installation reads, and interpreters that do nothing."""

    def __init__(self, folder: Path):
        self.folder, self.calls = folder / "a clone, größer", folder / "calls"
        self.programs = folder / "programs"
        (self.folder / "scripts").mkdir(parents=True)
        self.programs.mkdir()
        for name in ("scripts/install", "pyproject.toml", "constraints.txt", "Makefile"):
            shutil.copy(ROOT / name, self.folder / name)
        for name in ("python3.11", "python3.12", "python3.13", "python3.14", "python3"):
            (self.programs / name).write_text(PYTHON, encoding="utf-8")
            (self.programs / name).chmod(0o755)

    def install(self, *arguments: str, **more: str) -> tuple[int, str, list[str]]:
        """Exit code, the last line that was printed, and which of venv and pip were called."""
        self.calls.write_text("")
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "CALLS": str(self.calls), "MISSING": "?", **more}
        done = subprocess.run(
            ["scripts/install", *(arguments or ["sim"])],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        calls = re.findall(f"{VENV}|{PIP}", self.calls.read_text())
        return done.returncode, ["", *done.stdout.splitlines()][-1], list(dict.fromkeys(calls))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture
def installed(clone: Clone) -> Clone:
    assert clone.install()[::2] == (0, [VENV, PIP])
    return clone


def test_what_is_there_is_not_installed_again(installed: Clone) -> None:
    assert installed.install() == (0, "", [])
    assert installed.install("dev")[::2] == (0, [PIP])
    assert [installed.install(name)[2] for name in ("sim", "synth", "export", "train")] == [[]] * 4


def test_an_extra_brings_those_that_it_contains(installed: Clone) -> None:
    assert installed.install("export")[2] == []
    assert installed.install("synth")[2] == [PIP]


def test_changed_pins_are_installed(installed: Clone) -> None:
    with (installed.folder / "constraints.txt").open("a") as file:
        file.write("one==1\n")
    assert installed.install()[::2] == (0, [PIP])
    assert installed.install()[2] == []


def test_everything_but_l1bn_comes_as_a_wheel(installed: Clone) -> None:
    (installed.folder / ".venv" / ".installed-sim").unlink()
    installed.install()
    calls = [line for line in installed.calls.read_text().splitlines() if PIP in line]
    assert len(calls) == 2
    assert all("--only-binary=:all: --constraint constraints.txt" in call for call in calls)


def test_a_moved_clone_is_installed_anew(installed: Clone) -> None:
    moved = installed.folder.with_name("moved")
    installed.folder.rename(moved)
    installed.folder = moved
    assert installed.install()[::2] == (0, [VENV, PIP])


def test_another_python_is_installed_anew(installed: Clone) -> None:
    assert installed.install("sim", "python3.12")[::2] == (0, [VENV, PIP])
    assert installed.install("sim", "python3.12")[2] == []
    assert installed.install()[2] == []


def test_an_interpreter_that_is_gone_is_installed_anew(installed: Clone) -> None:
    (installed.folder / ".venv" / "bin" / "python").unlink()
    assert installed.install()[::2] == (0, [VENV, PIP])


def test_an_end_in_the_middle_is_installed_anew(clone: Clone) -> None:
    code, line, _ = clone.install(INSTALL="OSError: [Errno 28] No space left on device")
    assert code == 2
    assert line == "l1bn: the installation failed: No space left on device (all of it: .venv/installing.log)"
    assert clone.install()[::2] == (0, [VENV, PIP])


def test_no_network_leaves_what_there_was(installed: Clone) -> None:
    reason = "WARNING: Retrying: Failed to establish a new connection: Temporary failure in name resolution"
    code, line, calls = installed.install("dev", DOWNLOAD=reason)
    assert (code, calls) == (2, [PIP])
    assert line.startswith("l1bn: the installation failed: Failed to establish a new connection")
    assert installed.install() == (0, "", [])


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("version_info", "missing: Python 3.11 or newer (python3 is not)"),
        ("ensurepip", "missing: the venv module of python3; install: apt-get install python3-venv"),
        ("INSTSONAME", "missing: the shared library of python3.11, which the simulator loads; install:"),
    ],
)
def test_what_is_missing_is_said_in_one_line(clone: Clone, missing: str, words: str) -> None:
    code, line, calls = clone.install(MISSING=missing)
    assert (code, calls) == (2, [])
    assert words in line
    assert not (clone.folder / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(clone: Clone) -> None:
    (clone.folder / "build").touch()  # root may write everywhere else
    assert clone.install()[:2] == (2, f"l1bn: the folder {clone.folder} cannot be written")
