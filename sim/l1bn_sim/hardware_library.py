"""Verilator models as shared libraries: built once, loaded into this process, stepped by C++ alone.

A library's folder is named by a hash of everything that decides what it does (the Verilog, the driver, the
options, the sources that build it and the versions of the tools).
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from functools import cache
from pathlib import Path

from l1bn_golden.provenance import provenance
from l1bn_vectors.payloads import StreamPort

from . import toolchain
from .compile import LOG, build_folder, call, digest, is_whole, make_model, package_file
from .design import Design

__all__ = ["Library", "Status", "Transfer", "build", "load"]

DRIVER = "hardware_driver.cpp"
LIBRARY = "hardware.so"
VERILATOR_OPTIONS = (
    *("-cc", "--exe", "--prefix", "Vtop", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing"),
    # Symbols stay inside, so that a process can load any number of models that all call their class Vtop.
    *("-CFLAGS", "-fPIC -fvisibility=hidden -fno-gnu-unique", "-LDFLAGS", "-shared -Wl,-Bsymbolic"),
    *("-o", LIBRARY),
)
OPTIMISATION = {"OPT_FAST": "-O2", "OPT_SLOW": "-O1", "OPT_GLOBAL": "-O2"}


class Transfer(ctypes.Structure):
    """One stream's part of a run, see ``hardware_driver.cpp``."""

    _fields_ = (
        ("words", ctypes.c_void_p),
        ("items", ctypes.c_uint64),
        ("moved", ctypes.c_uint64),
        ("first", ctypes.c_uint64),
        ("last", ctypes.c_uint64),
        ("pause", ctypes.c_uint32),
        ("resume", ctypes.c_uint32),
        ("random", ctypes.c_uint64),
        ("paused", ctypes.c_uint8),
        ("waiting", ctypes.c_uint8),
    )


class Status(IntEnum):
    """How a call of ``run`` ended."""

    DONE = 0
    MORE = 1
    STUCK = 2
    VALID_FELL = 3
    PAYLOAD_CHANGED = 4


class Library:
    """The functions of a library; a model is a pointer that ``open`` gives and ``close`` takes back."""

    def __init__(self, path: Path):
        library = ctypes.CDLL(str(path.resolve()))
        model, number = ctypes.c_void_p, ctypes.c_uint64
        self.open = library.l1bn_open
        self.close = library.l1bn_close
        self.reset = library.l1bn_reset
        self.cycle = library.l1bn_cycle
        self.run = library.l1bn_run
        self.open.argtypes, self.open.restype = (), model
        self.close.argtypes, self.close.restype = (model,), None
        self.reset.argtypes, self.reset.restype = (model,), None
        self.cycle.argtypes, self.cycle.restype = (model,), number
        self.run.argtypes, self.run.restype = (model, ctypes.POINTER(Transfer), number, number), ctypes.c_int


@cache
def load(path: Path) -> Library:
    """The library at ``path``, loaded once."""
    return Library(path)


def build(design: Design, store: Path) -> Path:
    """Build the library of a design, or find it in ``store``, which is made when missing; returns its path.

    Raises
    ------
    ToolchainError
        A program that the build needs is missing.
    BuildError
        The build failed.
    """
    toolchain.require()
    options = [*VERILATOR_OPTIONS, "--top-module", design.name]
    sources = {
        f"{design.name}.v": design.verilog,
        "waivers.vlt": package_file("waivers.vlt"),
        "ports.h": _ports(design.streams),
        DRIVER: package_file(DRIVER),
    }
    common = [VERILATOR_OPTIONS, OPTIMISATION, toolchain.versions(), provenance(build).digest]
    target = store / f"{design.name}-{digest([sources, options, common])}"
    if is_whole(target):
        return target / LIBRARY
    with build_folder(target, (LIBRARY, f"{design.name}.v", LOG)) as folder:
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        call(folder, ["verilator", *options, "-Mdir", ".", DRIVER, "waivers.vlt", f"{design.name}.v"])
        flags = [f"{name}={value}" for name, value in OPTIMISATION.items()]
        make_model(folder, flags, store / f"runtime-{digest(common)}")
    return target / LIBRARY


def _ports(streams: tuple[StreamPort, ...]) -> str:
    """The streams as the driver wants them named: two underscores are ___05F in Verilator's C++."""
    kinds = {"in": "INPUT", "out": "OUTPUT"}
    names = " ".join(f"{kinds[port.direction]}({port.name.replace('__', '___05F')})" for port in streams)
    return f"#define L1BN_PORTS(INPUT, OUTPUT) {names}\n"
