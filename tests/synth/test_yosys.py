"""Synthesis: what counts as an error, and the harness around a mapped unit."""

from __future__ import annotations

import json

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Instance, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from l1bn_synth.netlist import Netlist
from l1bn_synth.tools import FlowError
from l1bn_synth.yosys import check_log, synthesise


class Adder(wiring.Component):
    """``o <= a + b``."""

    def __init__(self, width: int):
        super().__init__({"a": In(signed(width)), "b": In(signed(width)), "o": Out(signed(width + 1))})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.a + self.b)
        return m


class Tripled(wiring.Component):
    """``o <= a + 2 * a``: both operands repeat the sign of ``a`` in the uppermost bit."""

    def __init__(self, width: int):
        super().__init__({"a": In(signed(width)), "o": Out(signed(width + 2))})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o.eq(self.a + self.a.shift_left(1))
        return m


@pytest.mark.parametrize(
    "line",
    [
        "Warning: Driver-driver conflict for \\y between cell $a.Y and constant 1'0 in unit: Resolved using constant.",
        "Warning: multiple conflicting drivers for unit.\\a:",
        "Latch inferred for signal `\\unit.\\o' from process `\\unit.$1': $auto$2",
        "Warning: found logic loop in module unit:",
        "Warning: Wire unit.\\a is used but has no driver.",
    ],
)
def test_what_yosys_only_warns_about_is_an_error(line):
    with pytest.raises(FlowError, match=r"^yosys found "):
        check_log(f"2.1. Executing PASS\n{line}\nEnd of script.\n")


def test_harmless_lines_pass():
    check_log(
        "2.3. Executing SCC pass (detecting logic loops).\nWarning: Resizing cell port.\nNo latch inferred for x\n"
    )


def test_adder_alone_and_in_its_harness():
    synthesis = synthesise(rtlil.convert(Adder(8), name="unit", emit_src=False), "ecp5", dsp=True)
    assert synthesis.cells["TRELLIS_FF"] == 9
    harnessed = json.loads(synthesis.harnessed)["modules"]["harness"]
    ports = {name: len(port["bits"]) for name, port in harnessed["ports"].items()}
    assert ports == {"clk": 1, "rst": 1, "serial_i": 1, "serial_o": 1} or ports == {
        "clk": 1,
        "serial_i": 1,
        "serial_o": 1,
    }
    kinds = [cell["type"] for cell in harnessed["cells"].values()]
    # 16 bits of a and b and the reset from the shift register; 9 held bits, folded to 3, then 1.
    assert kinds.count("TRELLIS_FF") == 9 + 17 + 9 + 3 + 1
    assert kinds.count("CCU2C") == synthesis.cells["CCU2C"], "the unit is mapped once, alone"


def test_undriven_net_is_an_error():
    class Undriven(wiring.Component):
        def __init__(self):
            super().__init__({"o": Out(1)})

        def elaborate(self, platform):
            m = Module()
            floating, clock = Signal(), Signal()
            m.submodules += Instance("SB_DFF", i_C=clock, i_D=floating, o_Q=self.o)
            return m

    text = rtlil.convert(Undriven(), name="unit", emit_src=False)
    undriven = text.replace("connect \\D 1'0", "connect \\D \\loose").replace(
        "module \\unit\n", "module \\unit\n  wire \\loose\n"
    )
    assert undriven != text
    with pytest.raises(FlowError, match="an undriven net"):
        synthesise(undriven, "ice40", dsp=False)


def test_crash_of_yosys_is_one_line():
    with pytest.raises(FlowError, match=r"^yosys exited with code 1: .*ERROR"):
        synthesise("module \\unit\n  nonsense\nend\n", "ice40", dsp=False)


def test_netlist_counts_what_yosys_counts():
    synthesis = synthesise(rtlil.convert(Adder(4), name="unit", emit_src=False), "ice40", dsp=False)
    assert Netlist(synthesis.netlist).counts() == synthesis.cells


def test_no_logic_cell_of_ice40_has_a_net_twice():
    synthesis = synthesise(rtlil.convert(Tripled(8), name="unit", emit_src=False), "ice40", dsp=False)
    cells = json.loads(synthesis.netlist)["modules"]["unit"]["cells"].values()
    chains = [cell for cell in cells if cell["type"] in ("SB_CARRY", "SB_LUT4")]
    assert any(cell["type"] == "SB_CARRY" for cell in chains)
    for cell in chains:
        inputs = [
            bits[0]
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "input" and isinstance(bits[0], int)
        ]
        assert len(inputs) == len(set(inputs)), cell
