"""What is written out: memories without contents, one module for what is the same, no text that grows with size."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from amaranth.back import rtlil as amaranth_rtlil

from l1bn.config import Configuration
from l1bn.export.netlist import flat_verilog
from l1bn.generator import generate
from l1bn.logic import rtlil
from l1bn.primitives.portable import SampleMemory
from l1bn.units import unit

LARGEST = {
    "samples": {"width": 32, "lanes": 4, "counts": (1 << 20,)},
    "samples of one lane": {"counts": (1 << 20,), "target": "ice40", "norm": "l2"},
    "two memories": {"direction": "backward", "counts": (1 << 20, 3 << 18)},
    "channels": {"direction": "training", "channels": 1 << 16, "counts": (1 << 17,)},
}


@pytest.mark.parametrize("values", LARGEST.values(), ids=LARGEST.keys())
def test_no_line_a_word(values: dict[str, Any]) -> None:
    config = Configuration(**values)
    for text in (generate.verilog(unit(config), "u"), flat_verilog(unit(config), "u", [])):
        assert max(map(int, re.findall(r"\]\s\S+\s*\[(\d+):0\];", text))) >= 1 << 15
        assert len(text) < 1 << 20


def test_a_large_unit_takes_little_memory() -> None:
    program = """
import resource
from l1bn import Configuration, unit
from l1bn.generator import generate
config = Configuration(width=32, lanes=64, counts=(1 << 20,), direction="training", target="ecp5")
generate.verilog(unit(config), "u")
print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""

    def peak() -> int:
        """In KiB."""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
        )
        return int(done.stdout)

    # When it is not in its cache, Yosys is compiled, which takes more than any unit; another test may be at it.
    assert any(peak() < 1 << 20 for _ in range(2))


@pytest.mark.parametrize(("width", "depth"), [(8, 4), (1, 2), (3, 1)])
def test_the_memory_is_that_of_the_simulator_without_contents(width: int, depth: int) -> None:
    def cell(text: str) -> dict[str, Any]:
        script = "proc\nmemory_collect\nopt_clean -purge\nwrite_json"
        cells = json.loads(rtlil.run_yosys(text, script))["modules"]["top"]["cells"].values()
        (found,) = (cell for cell in cells if cell["type"] == "$mem_v2")
        return {
            **found["parameters"],
            "widths": {port: len(bits) for port, bits in found["connections"].items()},
        }

    simulated = cell(amaranth_rtlil.convert(SampleMemory(width, depth), name="top", emit_src=False))
    written = cell(rtlil.convert(SampleMemory(width, depth), "top"))
    assert set(simulated.pop("INIT")) == {"0"}
    assert set(written.pop("INIT")) == {"x"}
    assert {**written, "RD_WIDE_CONTINUATION": 0} == {**simulated, "RD_WIDE_CONTINUATION": 0}


def test_equal_lanes_and_multipliers_are_one_module() -> None:
    config = Configuration(norm="l2", width=8, lanes=4, counts=(64,), target="logic")
    for text in (generate.verilog(unit(config), "u"), flat_verilog(unit(config), "u", [])):
        modules = re.findall(r"^module u_shared_(\w+)", text, flags=re.MULTILINE)
        assert sorted(modules) == ["affine_lane", "multiplier_s8_s8", "multiplier_s8_u18"]
        assert len(re.findall(r"^  u_shared_multiplier_s8_s8 ", text, flags=re.MULTILINE)) == 4
        assert len(re.findall(r"^  u_shared_affine_lane ", text, flags=re.MULTILINE)) == 4
        assert not re.search(r"^module \\", text, flags=re.MULTILINE)


def test_lanes_of_other_formats_are_other_modules() -> None:
    config = Configuration(width=8, y_width=12, lanes=2, counts=(64,), direction="training")
    text = generate.verilog(unit(config), "u")
    for module in ("affine_lane", "affine_lane_1"):  # of y and of dx
        assert len(re.findall(rf"^  u_shared_{module} ", text, flags=re.MULTILINE)) == 2
