"""nextpnr's logs and reports, read."""

from __future__ import annotations

import pytest

from l1bn_synth.devices import DEVICES
from l1bn_synth.nextpnr import Area, check_capacity, count_pips, parse_timing, parse_utilisation, readable
from l1bn_synth.tools import FlowError

LOG = """
Info: Device utilisation:
Info: \t         ICESTORM_LC:     765/   7680     9%
Info: \t        ICESTORM_RAM:      18/     32    56%
Info: \t               SB_IO:      54/    206    26%
"""


def step(kind, delay, start, end, port="I0", net=""):
    place = {"cell": start, "port": "O", "loc": [0, 0]}, {"cell": end, "port": port, "loc": [0, 0]}
    return {"type": kind, "delay": delay, "from": place[0], "to": place[1], "net": net}


def report(paths=None):
    clock_edge = "posedge clk"
    path = [
        step("clk-to-q", 0.5, "unit.sum_SB_DFF_Q_3_DFFLC", "unit.sum_SB_DFF_Q_3_DFFLC"),
        step("routing", 1.25, "x", "y", net="unit.sum[3]"),
        step("logic", 0.25, "y", "y", "COUT"),
        step("routing", 0.0, "y", "z", net="$nextpnr_ICESTORM_LC_1$I3"),
        step("logic", 0.5, "z", "z", "O"),
        step("routing", 0.5, "z", "w", net="unit.carried_SB_LUT4_O"),
        step("setup", 0.25, "unit.total_SB_DFF_Q_D_SB_LUT4_O_LC", "unit.total_SB_DFF_Q_D_SB_LUT4_O_LC"),
    ]
    return {
        "fmax": {"clk$glb": {"achieved": 123.4, "constraint": 12}},
        "critical_paths": [
            {"from": "<async>", "to": clock_edge, "path": []},
            {"from": clock_edge, "to": clock_edge, "path": path},
        ]
        if paths is None
        else paths,
    }


def test_utilisation():
    area = parse_utilisation(LOG, {"SB_DFF": 3, "SB_DFFESR": 4, "SB_LUT4": 9}, DEVICES["HX8K"])
    assert area.used == {"lut": 765, "ff": 7, "dsp": 0, "bram": 18}
    assert area.available == {"lut": 7680, "bram": 32}


def test_log_without_utilisation():
    with pytest.raises(FlowError, match="no device utilisation"):
        parse_utilisation("Info: done\n", {}, DEVICES["HX8K"])


def test_too_large_says_by_how_much():
    area = Area({"lut": 9120, "ff": 1, "dsp": 3, "bram": 5}, {"lut": 7680, "bram": 32})
    with pytest.raises(FlowError) as caught:
        check_capacity(area, DEVICES["HX8K"])
    assert str(caught.value) == (
        "too large for HX8K: needs 9120 ICESTORM_LC of 7680, 1440 too many; 3 ICESTORM_DSP of 0, 3 too many"
    )


def test_what_fits_passes():
    check_capacity(
        Area({"lut": 7680, "ff": 1, "dsp": 0, "bram": 32}, {"lut": 7680, "bram": 32}), DEVICES["HX8K"]
    )


def test_critical_path_is_between_registers_and_readable():
    timing = parse_timing(report(), 3, {})
    assert (timing.seed, timing.fmax_mhz) == (3, 123.4)
    path = timing.path
    assert (path.start, path.end, path.levels, path.carries) == ("sum", "total", 2, 1)
    assert (path.logic_ns, path.routing_ns) == (1.5, 1.75)
    assert path.nets == ["sum[3]", "carried"]
    assert str(path) == (
        "sum -> total through sum[3], carried (2 cells, 1 of them carry; logic 1.50 ns, routing 1.75 ns)"
    )


def test_report_without_a_path():
    with pytest.raises(FlowError, match="1 clocks and 0 paths"):
        parse_timing(report(paths=[]), 1, {})


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("unit.stage_root$68_SB_DFFE_Q_13_DFFLC", "stage_root"),
        ("unit.a.b.held_TRELLIS_FF_Q_3_DI_LUT4_Z_C_CCU2C_S0$CCU2_COMB0", "a.b.held"),
        ("$nextpnr_ICESTORM_LC_27$I3", ""),
        ("unit.o__payload[3]", "o__payload[3]"),
    ],
)
def test_readable_names(name, signal):
    assert readable(name) == signal


def test_switches_of_routed_nets():
    nets = {
        "unit.a": {"attributes": {"ROUTING": "w0;;1;w1;p1;1;w2;p2;1"}},
        "unit.carry": {"attributes": {"ROUTING": "w3;;1"}},
        "shift": {"attributes": {"ROUTING": "w4;p4;1"}},
        "unit.unrouted": {"attributes": {}},
    }
    assert count_pips({"modules": {"top": {"netnames": nets}}}) == {"a": 2, "carry": 0}
