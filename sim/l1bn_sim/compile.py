"""Calls of Verilator and the compiler: with a log, in a folder of their own, and no part compiled twice."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.resources
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import toolchain

__all__ = ["LOG", "BuildError", "build_folder", "call", "digest", "is_whole", "make_model", "package_file"]

LOG = "build.log"
CHECKSUMS = "checksums.json"

HEADERS = "headers.h"
PRECOMPILED = f"{HEADERS}.gch"
INCLUDED = ("memory", "string", "verilated.h", "verilated_dpi.h", "verilated_vpi.h")
"""What takes most of the time of a model's C++: Verilator's headers, and those of the library that they use."""

# Verilator's own part must not see them: its files include the same headers in another way. There is no prerequisite,
# because what was compiled once is older than the folder that it is used in.
HEADERS_RULES = f"""
Vtop__ALL.o $(VK_USER_OBJS): private CPPFLAGS += -include {HEADERS}
Vtop__ALL.o $(VK_USER_OBJS): {PRECOMPILED}
{PRECOMPILED}:
\t$(CXX) $(OPT_FAST) $(CXXFLAGS) $(CPPFLAGS) -x c++-header -o $@ {HEADERS}
"""


class BuildError(RuntimeError):
    """Verilator or the compiler failed; the message ends with the tail of the log."""


def package_file(name: str) -> str:
    """The text of a file that comes with this package."""
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def digest(values: object) -> str:
    """A short name for everything that decides what a build gives, as plain data."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def call(folder: Path, command: Sequence[str]) -> None:
    """Run a command in ``folder``, its output appended to ``build.log`` there; :exc:`BuildError` if it fails."""
    log = folder / LOG
    with log.open("ab") as output:
        environment = toolchain.build_environment()
        done = subprocess.run(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise BuildError("\n".join([f"{os.path.basename(command[0])} failed:", *lines[-30:]]))


@contextmanager
def build_folder(target: Path, keep: Sequence[str]) -> Iterator[Path]:
    """A folder to build in; when the build is done, ``target`` appears with the files to keep, see :func:`is_whole`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent)
    with beside as partial, toolchain.workplace(Path(partial)) as folder:
        yield folder
        _keep([folder / name for name in keep], target)


def is_whole(folder: Path) -> bool:
    """Whether what was built once is there as it was built; where it is damaged, that is told, and it is removed."""
    if not folder.exists():
        return False
    try:
        whole = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8")) == _checksums(folder)
    except (OSError, ValueError):
        whole = False
    if not whole:
        print(f"l1bn_sim: {folder}: it is damaged; it is dropped and built again", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    return whole


def _keep(files: Sequence[Path], target: Path) -> None:
    """Make ``target`` appear with copies of the files and their checksums.

    It appears by one rename, so an interrupted build leaves nothing that could be mistaken for a complete one.
    """
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as partial:
        complete = Path(partial) / "complete"
        complete.mkdir()
        for file in files:
            shutil.copy(file, complete / file.name)
        (complete / CHECKSUMS).write_text(json.dumps(_checksums(complete)), encoding="utf-8")
        try:
            complete.rename(target)
        except OSError:
            if not is_whole(target):  # else somebody was first: theirs is the same
                raise


def _checksums(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.name != CHECKSUMS)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def make_model(folder: Path, options: Sequence[str], runtime: Path) -> None:
    """Run make on what Verilator has written to ``folder`` with the prefix Vtop.

    What is the same in every model (Verilator's own part, and its headers, which g++ can precompile: most of what there
    is to compile) is taken from the folder ``runtime``, or kept there if this is the first model; ``runtime`` must be
    named after all that decides what it holds.
    """
    # One C++ file: the wheel's makefile gets precompiled headers, which several files would use, wrong for g++.
    make = ["make", "-j2", "-f", "Vtop.mk", "VM_PARALLEL_BUILDS=0", *options]
    if toolchain.is_gcc():
        (folder / HEADERS).write_text("".join(f"#include <{name}>\n" for name in INCLUDED), encoding="utf-8")
        (folder / "headers.mk").write_text(HEADERS_RULES, encoding="utf-8")
        make += ["-f", "headers.mk"]
    if not is_whole(runtime):
        with _locked(runtime.with_suffix(".lock")):
            if not is_whole(runtime):
                call(folder, make)
                _keep([*folder.glob("verilated*.o"), *folder.glob(PRECOMPILED)], runtime)
                return
    for kept in runtime.glob("*.o"):
        shutil.copyfile(kept, folder / kept.name)
    for kept in runtime.glob(PRECOMPILED):
        (folder / kept.name).symlink_to(kept.resolve())  # it is large
    call(folder, make)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
