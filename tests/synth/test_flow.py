"""Real runs of small units: tools, simulation against the golden model, primitives after synthesis."""

from __future__ import annotations

import dataclasses

import pytest
from amaranth.back import rtlil
from amaranth.hdl import unsigned

from l1bn.streams.registers import SampleBuffer
from l1bn_synth.activity import WrongResult, cell_models, parse_saif, simulate
from l1bn_synth.cache import Cache
from l1bn_synth.devices import DEVICES, PLAIN, WHOLE_UNITS
from l1bn_synth.elaborate import elaborate
from l1bn_synth.flow import Point, measure
from l1bn_synth.netlist import Netlist
from l1bn_synth.operator_pairs import Square, _SideBySide
from l1bn_synth.osu018 import parse_signoff
from l1bn_synth.registry import PRESETS, preset
from l1bn_synth.rows import fpga_row
from l1bn_synth.runner import run_flows
from l1bn_synth.tools import FlowError
from l1bn_synth.vectors import Stimulus, pack
from l1bn_synth.yosys import synthesise

ABSOLUTE = next(unit for unit in preset("quick") if unit.key == "absolute value/w16")


def test_a_unit_from_registry_to_row(tmp_path):
    point = Point(ABSOLUTE, DEVICES["HX8K"], dsp=False)
    outcome = run_flows({"a": measure(point, seeds=2)}, Cache(tmp_path), jobs=2)
    assert outcome.failures == {}
    row = fpga_row(outcome.results["a"])
    assert row.ff == 17
    assert row.fmax_mhz["seeds"] == 2
    assert row.fmax_mhz["min"] <= row.fmax_mhz["median"] <= row.fmax_mhz["max"]
    assert row.samples_per_second == pytest.approx(row.fmax_mhz["median"] * 1e6)
    assert row.energy_per_sample_pj == pytest.approx(sum(row.energy_parts.values()), abs=0.01)
    assert "o__payload" in row.critical_path
    again = run_flows({"a": measure(point, seeds=2)}, Cache(tmp_path), jobs=2)
    assert (again.ran, again.results["a"].fmax) == (0, row.fmax_mhz)


def test_a_netlist_that_computes_wrongly_has_no_figure():
    elaboration = elaborate(ABSOLUTE, "logic")
    synthesis = synthesise(elaboration.rtlil, "ice40", dsp=False)
    wrong = list(elaboration.vectors.outputs["o"])
    wrong[7] ^= 1
    vectors = dataclasses.replace(elaboration.vectors, outputs={"o": wrong})
    with pytest.raises(WrongResult, match="1 of 400 results of o are not the golden model's, first number 7"):
        simulate(Netlist(synthesis.netlist).verilog(), cell_models("ice40"), vectors)


def simulated(component, family, dsp, stimulus):
    """Synthesise and simulate; raises where a result is not the expected one."""
    synthesis = synthesise(rtlil.convert(component, name="unit", emit_src=False), family, dsp)
    simulate(Netlist(synthesis.netlist).verilog(), cell_models(family), pack(component, stimulus))
    return synthesis.cells


def edges(width):
    """Both ends of the signed range, what is near them, and bits of every weight."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    return [
        0,
        1,
        -1,
        low,
        high,
        low + 1,
        high - 1,
        *(1 << k for k in range(width - 1)),
        *(~(1 << k) for k in range(width - 1)),
    ]


@pytest.mark.parametrize(
    ("family", "target", "wide", "blocks"),
    [
        ("ecp5", "ecp5", 25, {"MULT18X18D": 1 + 4}),
        ("ice40", "ice40", 25, {"SB_MAC16": 1 + 4}),
        ("ecp5", "ecp5-logic", 17, {}),
    ],
)
def test_multipliers_after_synthesis(family, target, wide, blocks):
    """One block, and four of them under an adder tree."""
    component = _SideBySide(narrow=Square(13, target), wide=Square(wide, target))
    inputs, outputs = {}, {}
    for name, width in (("narrow", 13), ("wide", wide)):
        values = (edges(width) * 4)[:60]
        inputs[f"i_{name}"] = {"value": values}
        outputs[f"o_{name}"] = {"value": [value**2 for value in values]}
    cells = simulated(component, family, True, Stimulus(inputs, outputs, "i_narrow", 5, 50, 1))
    assert {kind: cells.get(kind, 0) for kind in ("MULT18X18D", "SB_MAC16") if kind in cells} == blocks


class _Buffer(SampleBuffer):
    interval = 1


def test_block_rams_of_ecp5_after_synthesis():
    """Words of every width that a block has, several blocks wide, each written and read beyond its end."""
    # (width, beats): blocks of 512 x 36, 1024 x 18, 2048 x 9, 4096 x 4
    shapes = {"half": (40, 500), "full": (17, 1000), "byte": (10, 2000), "nibble": (5, 4000)}
    component = _SideBySide(
        **{name: _Buffer(unsigned(w), beats, "ecp5") for name, (w, beats) in shapes.items()}
    )
    inputs, outputs = {}, {}
    for name, (width, beats) in shapes.items():
        values = [(index * 0x9E3779B97F4A7C15 >> 20) & ((1 << width) - 1) for index in range(2 * beats)]
        inputs[f"i_{name}"] = outputs[f"o_{name}"] = {"value": values}
    cells = simulated(component, "ecp5", True, Stimulus(inputs, outputs, "i_half", 10, 900, 1))
    assert cells["DP16KD"] == 2 + 1 + 2 + 2


def test_presets_grow():
    keys = {name: {unit.key for unit in preset(name)} for name in PRESETS}
    assert keys["quick"] < keys["paper"] < keys["full"]
    assert keys["lanes"] < keys["paper"]
    assert keys["peers"] < keys["full"]


@pytest.mark.parametrize("device", ["LFE5U-85F-6", "HX8K"])
def test_whole_units_of_both_norms_get_the_same_effort_and_operators_the_defaults(device):
    efforts = {"operator": set(), "pair": set(), "top": set()}
    for unit in preset("full"):
        efforts[unit.group].add(Point(unit, DEVICES[device], dsp=False).effort)
    family = DEVICES[device].family
    assert efforts == {"operator": {PLAIN}, "pair": {PLAIN}, "top": {WHOLE_UNITS[family]}}
    assert WHOLE_UNITS[family] != PLAIN


def test_every_unit_has_vectors():
    # The backward units among them.
    narrow = tuple(unit for unit in preset("paper") if unit.width == 8 and unit.lanes == 1)
    assert {unit.kind for unit in narrow} >= {"forward", "backward"}
    for unit in {unit.key: unit for unit in preset("quick") + preset("peers") + narrow}.values():
        elaboration = elaborate(unit, "logic")
        assert elaboration.latency >= 1
        assert 0 < elaboration.vectors.warm_up < elaboration.vectors.end


def test_every_whole_unit_has_vectors_where_the_producer_holds_the_samples():
    units = [unit.for_target("osu018") for unit in preset("quick") if unit.group == "top" and unit.width == 8]
    assert {unit.arguments["storage"] for unit in units} == {"outside"}
    assert any("one pass" in unit.name and unit.norm == "l1" for unit in units)
    for unit in units:
        vectors = elaborate(unit, "logic").vectors
        assert 0 < vectors.warm_up < vectors.end


def test_saif():
    text = "(INSTANCE unit (NET (n3 (T0 60) (T1 40) (TZ 0) (TX 0) (TB 0) (TC 7)) (n12 (T0 0) (T1 100) (TX 0) (TC 0))))"
    toggles, high = parse_saif(text, 100)
    assert toggles == {"n3": 7, "n12": 0}
    assert high == {"n3": 0.4, "n12": 1.0}


SIGNOFF = """
BEGIN-CHECKS
Startpoint: c5 (rising edge-triggered flip-flop clocked by clk)
Endpoint: c9 (rising edge-triggered flip-flop clocked by clk)
   0.1500    0.1500 ^ c5/Q (DFFPOSX1)
   0.3500    0.5000 v c7/Y (INVX1)
            7.5000   slack (MET)
BEGIN-POWER
Group                  Internal  Switching    Leakage      Total
                          Power      Power      Power      Power
Sequential           1.0e-03   2.0e-04   1.0e-09   1.2e-03  60.0%
Combinational        5.0e-04   3.0e-04   1.0e-09   8.0e-04  40.0%
Total                1.5e-03   5.0e-04   2.0e-09   2.0e-03 100.0%
"""


def test_signoff():
    result = parse_signoff(SIGNOFF, 100.0, annotated=3)
    assert result.fmax_mhz == pytest.approx(400)
    assert result.power_mw == pytest.approx({"sequential": 1.2, "combinational": 0.8, "total": 2.0})
    assert result.path == "c5 -> c9 (2 cells, 2.50 ns)"
    with pytest.raises(FlowError, match="no timing or no power"):
        parse_signoff("BEGIN-CHECKS\nNo paths found.\nBEGIN-POWER\n", 100.0, annotated=0)
