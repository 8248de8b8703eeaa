"""The generated Verilog of each top through Yosys for ECP5: no latch, no loop, nothing undriven or driven twice."""

from __future__ import annotations

import pytest

from l1bn.config import Configuration
from l1bn.forward import unit
from l1bn.generate import verilog
from l1bn_synth.yosys import run_yosys


@pytest.mark.parametrize("norm, form", [("l1", "two-pass"), ("l2", "one-pass"), ("l2", "two-pass")])
def test_verilog_synthesises_for_ecp5_without_complaint(norm, form, tmp_path):
    (tmp_path / "unit.v").write_text(verilog(unit(Configuration(norm=norm, form=form)), "unit"))
    # `run_yosys` raises for what Yosys only warns about: latches, loops, undriven and doubly driven nets.
    log = run_yosys("read_verilog unit.v\nsynth_ecp5 -top unit\ncheck -assert\n", tmp_path)
    warnings = [line for line in log.splitlines() if line.startswith("Warning")]
    assert not warnings
