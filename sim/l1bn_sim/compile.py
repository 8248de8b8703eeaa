"""Calls of Verilator and the compiler: with a log, in a folder of their own, and no part compiled twice."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.resources
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from . import toolchain

__all__ = ["LOG", "BuildError", "build_folder", "call", "digest", "make_model", "package_file"]

LOG = "build.log"


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
    """A folder to build in; when the build is done, ``target`` appears with the files to keep.

    It appears by one rename, so an interrupted build leaves nothing that could be mistaken for a complete one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent)
    with beside as partial, toolchain.workplace(Path(partial)) as folder:
        yield folder
        complete = Path(partial) / "complete"
        complete.mkdir()
        for name in keep:
            shutil.move(folder / name, complete / name)
        with suppress(OSError):  # somebody else was first: theirs is the same
            complete.rename(target)


def make_model(folder: Path, options: Sequence[str], runtime: Path) -> None:
    """Run make on what Verilator has written to ``folder`` with the prefix Vtop.

    The part of Verilator that is the same in every model (most of what there is to compile) is taken from the
    folder ``runtime``, or kept there if this is the first model; ``runtime`` must be named after all that
    decides what it holds.
    """
    # One C++ file: the wheel's makefile gets precompiled headers, which several files would use, wrong for g++.
    make = ["make", "-j2", "-f", "Vtop.mk", "VM_PARALLEL_BUILDS=0", *options]
    if not runtime.exists():
        with _locked(runtime.with_suffix(".lock")):
            if not runtime.exists():
                call(folder, make)
                _keep_runtime(folder, runtime)
                return
    for kept in runtime.iterdir():
        shutil.copyfile(kept, folder / kept.name)
    call(folder, make)


def _keep_runtime(folder: Path, runtime: Path) -> None:
    kept = folder / "runtime"
    kept.mkdir()
    for compiled in folder.glob("verilated*.o"):
        shutil.copyfile(compiled, kept / compiled.name)
    kept.rename(runtime)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
