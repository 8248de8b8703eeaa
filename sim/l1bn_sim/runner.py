"""Runs a cocotb bench on a design and says whether it passed.

The simulator's exit code does not tell: it is 0 with failed tests and with none found. The result file
decides.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb_tools.config
from cocotb_tools.check_results import get_results

from . import toolchain
from .design import Design
from .model import Model, build

__all__ = ["BenchFailure", "Outcome", "run_bench"]

IGNORED = re.compile("(COCOTB|PYGPI|GPI)_.*|PYTHONHOME|MODULE|TESTCASE|TOPLEVEL|RANDOM_SEED|PLUSARGS")
"""Variables of the caller that would change what cocotb runs."""

TAIL = 40
"""Lines of the simulator's log that a failure shows."""


class BenchFailure(AssertionError):
    """A bench failed, crashed or ran no test; the message names the log and ends with its tail."""


@dataclass(frozen=True)
class Outcome:
    """A bench that passed."""

    tests: int
    result: dict[str, Any]
    """What the bench reported, see :meth:`l1bn_sim.bench.Bench.report`."""
    log: Path


def run_bench(
    design: Design,
    module: str,
    folder: Path,
    *,
    store: Path,
    seed: int,
    parameters: Mapping[str, Any] | None = None,
    cases: str | None = None,
    waves: Path | None = None,
) -> Outcome:
    """Build ``design``, or take the model that is there, and run the cocotb tests in ``module`` on it.

    Parameters
    ----------
    design : the device under test
    module : import path of the bench
    folder : where the run leaves its log and results; made when missing
    store : folder of the built models, see :func:`l1bn_sim.model.build`
    seed : seed of all random numbers in the bench
    parameters : plain data for the bench, see :func:`l1bn_sim.bench.parameters`
    cases : regular expression; only the tests whose names it matches are run
    waves : FST file to write

    Raises
    ------
    BenchFailure
        A test failed, none ran, or the simulator ended abnormally.
    BuildError, ToolchainError
        See :func:`l1bn_sim.model.build`.
    """
    model = build(design.verilog, design.name, design.signals, store, waves is not None)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("results.xml", "result.json"):
        (folder / stale).unlink(missing_ok=True)
    streams = [port.to_json() for port in design.streams]
    description = {"streams": streams, "parameters": dict(parameters or {})}
    (folder / "bench.json").write_text(json.dumps(description), encoding="utf-8")

    _simulate(model, folder, _environment(model, module, folder, seed, cases), waves)
    tests = _check(folder)
    result_file = folder / "result.json"
    result = json.loads(result_file.read_text(encoding="utf-8")) if result_file.exists() else {}
    return Outcome(tests, result, folder / "simulation.log")


def _environment(model: Model, module: str, folder: Path, seed: int, cases: str | None) -> dict[str, str]:
    libraries = [str(cocotb_tools.config.libs_dir), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment = {
        **{name: value for name, value in os.environ.items() if not IGNORED.fullmatch(name)},
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "GPI_USERS": f"{toolchain.libpython()};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TOPLEVEL": model.top,
        "COCOTB_TEST_MODULES": module,
        "COCOTB_RESULTS_FILE": str((folder / "results.xml").resolve()),
        "COCOTB_RANDOM_SEED": str(seed),
        # Verilator applies inertial writes itself; without this, each one costs a callback.
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        # Importing pytest to rewrite assertions takes longer than most simulations.
        "COCOTB_REWRITE_ASSERTION_FILES": os.environ.get("COCOTB_REWRITE_ASSERTION_FILES", ""),
        "L1BN_BENCH": str((folder / "bench.json").resolve()),
    }
    if cases is not None:
        environment["COCOTB_TEST_FILTER"] = cases
    return environment


def _simulate(model: Model, folder: Path, environment: dict[str, str], waves: Path | None) -> None:
    command = [str(model.executable.resolve())]
    if waves is not None:
        command += ["--trace", "--trace-file", str(waves.resolve())]
    with (folder / "simulation.log").open("wb") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)


def _check(folder: Path) -> int:
    log = folder / "simulation.log"

    def failure(what: str) -> BenchFailure:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
        return BenchFailure("\n".join([f"{what}; log: {log}", *tail]))

    try:
        tests, failed = get_results(folder / "results.xml")
    except RuntimeError:
        raise failure("the simulation ended abnormally") from None
    if not tests:
        raise failure("no test ran")
    if failed:
        raise failure(f"{failed} of {tests} tests failed")
    return tests
