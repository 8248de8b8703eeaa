"""The generated Verilog of each top through Yosys for ECP5: no latch, no loop, nothing undriven or driven twice."""

from __future__ import annotations

import pytest

from l1bn.config import Configuration
from l1bn.generator.generate import verilog
from l1bn.units import unit
from l1bn_synth.yosys import run_yosys

SMALL = {"width": 8, "counts": (64,), "scale_width": 12, "gamma_width": 8, "channels": 4}
TOPS = {
    "forward l1": {"norm": "l1"},
    "forward l2, one pass": {"norm": "l2", "form": "one-pass"},
    "forward l2, two passes": {"norm": "l2", "form": "two-pass"},
    "backward l2": {"norm": "l2", "direction": "backward", **SMALL},
    "inference": {"direction": "inference", **SMALL},
    # The backward unit of L1 is in this one.
    "training": {"direction": "training", **SMALL},
}


@pytest.mark.parametrize("name", TOPS)
def test_verilog_synthesises_for_ecp5_without_complaint(name, tmp_path):
    (tmp_path / "unit.v").write_text(verilog(unit(Configuration(**TOPS[name])), "unit"))
    # `run_yosys` raises for what Yosys only warns about: latches, loops, undriven and doubly driven nets.
    log = run_yosys("read_verilog unit.v\nsynth_ecp5 -top unit\ncheck -assert\n", tmp_path)
    warnings = [line for line in log.splitlines() if line.startswith("Warning")]
    assert not warnings
