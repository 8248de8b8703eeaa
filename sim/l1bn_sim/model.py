"""Verilator models of generated Verilog, one folder a model, built once and then reused.

A model's folder is named by a hash of everything that decides what it does: the Verilog, the waivers, the
options, the sources that build it and the versions of the tools.

Two things make a build short. Only the ports are public to the simulator, so Verilator optimises all the
rest. And the part of Verilator that is the same in every model (most of what there is to compile) is kept
beside the models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config

from l1bn_golden.provenance import provenance

from . import toolchain
from .compile import LOG, BuildError, build_folder, call, digest, is_whole, make_model, package_file

__all__ = ["BuildError", "Model", "build"]

OPTIMISATION = {"OPT_FAST": "-O0", "OPT_SLOW": "-O0"}
"""None: the bench, in Python, takes most of a run's time, and the compiler most of a build's."""

VERILATOR_OPTIONS = ("-cc", "--exe", "--vpi", "--prefix", "Vtop")


@dataclass(frozen=True)
class Model:
    """A built model: the simulator's executable for the module ``top``."""

    folder: Path
    top: str
    waves: bool

    @property
    def executable(self) -> Path:
        return self.folder / self.top


def build(verilog: str, top: str, ports: Iterable[str], store: Path, waves: bool = False) -> Model:
    """Build the model of module ``top``, or find it in ``store``.

    Parameters
    ----------
    verilog : source text
    top : name of the top module
    ports : names of the signals of ``top`` that a bench reads and writes
    store : folder of all models; made when missing
    waves : the model can write an FST file

    Raises
    ------
    ToolchainError
        A program that the build needs is missing.
    BuildError
        The build failed.
    """
    options = [*VERILATOR_OPTIONS, "--top-module", top, "-o", top, *(["--trace-fst"] if waves else [])]
    control = package_file("waivers.vlt") + _public(top, ports)
    decisive = [verilog, control, options, *_common(waves)]
    model = Model(store / f"{top}-{digest(decisive)}", top, waves)
    if is_whole(model.folder):
        return model
    toolchain.require()
    with build_folder(model.folder, (top, f"{top}.v", LOG)) as folder:
        (folder / f"{top}.v").write_text(verilog, encoding="utf-8")
        (folder / "control.vlt").write_text(control, encoding="utf-8")
        _verilate(folder, top, options)
        _compile(folder, store / f"runtime-{digest(_common(waves))}", waves)
    return model


def _common(waves: bool) -> list[object]:
    """What decides the part that is the same in every model."""
    shims = {name: package_file(f"fst/{name}") for name in ("lz4.h", "zlib.h")} if waves else {}
    return [OPTIMISATION, toolchain.versions(), provenance(build).digest, shims]


def _public(top: str, ports: Iterable[str]) -> str:
    return "".join(f'public_flat_rw -module "{top}" -var "{port}"\n' for port in sorted(ports))


def _verilate(folder: Path, top: str, options: list[str]) -> None:
    for shim in ("lz4.h", "zlib.h"):
        (folder / shim).write_text(package_file(f"fst/{shim}"), encoding="utf-8")
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    (folder / main.name).write_bytes(main.read_bytes())
    call(folder, ["verilator", *options, "-Mdir", ".", main.name, "control.vlt", f"{top}.v"])


def _compile(folder: Path, runtime: Path, waves: bool) -> None:
    options = [f"VM_TRACE={int(waves)}"]
    # Also leaves out the libraries that the FST writer asks for. Where cocotb's are is the run's business, so that a
    # model is none of an environment that has moved or was made anew.
    options += [f"LDLIBS=-L{toolchain.plain(cocotb_tools.config.libs_dir)} -lcocotbvpi_verilator"]
    options += [f"{name}={flags}" for name, flags in OPTIMISATION.items()]
    make_model(folder, options, runtime)
