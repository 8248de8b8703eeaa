"""A netlist: its nets, its Verilog, and trees of buffers."""

from __future__ import annotations

import json

from samples import netlist

from l1bn_synth.netlist import Netlist


def test_nets_know_their_driver_and_fanout():
    nets = Netlist(netlist()).nets()
    assert {name: (net.driver, net.fanout) for name, net in nets.items()} == {
        "n3": ("input", 1),
        "n4": ("input", 1),
        "n5": ("ff", 0),
        "n6": ("lut", 1),
    }
    assert nets["n4"].aliases == ("x[1]",)


def test_verilog_has_a_scalar_for_each_net():
    text = Netlist(netlist()).verilog()
    assert "assign {n4, n3} = x;" in text
    assert "LUT4 #(.INIT(16'b1000100010001000)) c0(.A(n3), .B(n4), .C(1'b0), .D(1'b0), .Z(n6));" in text
    assert 'TRELLIS_FF #(.REGSET("RESET"), .CEMUX("1"))' in text
    assert "scopeinfo" not in text


def test_clocked_cells_are_counted():
    assert Netlist(netlist()).clocked() == {"ff": 1}


def test_buffers_leave_no_net_with_more_than_the_limit():
    data = json.loads(netlist())
    module = data["modules"]["unit"]
    for index in range(30):
        cell = {
            "type": "INVX1",
            "parameters": {},
            "port_directions": {"A": "input", "Y": "output"},
            "connections": {"A": [6], "Y": [100 + index]},
        }
        module["cells"][f"inverter{index}"] = cell
        module["netnames"][f"out{index}"] = {"bits": [100 + index]}
    buffered = Netlist(json.dumps(data))
    buffered.insert_buffers(4, "BUFX4", ("A", "Y"))
    nets = buffered.nets()
    assert max(net.fanout for net in nets.values()) <= 4
    driver = {
        cell["connections"]["Y"][0]: cell["connections"]["A"][0]
        for cell in buffered.cells.values()
        if cell["type"] == "BUFX4"
    }
    for index in range(30):
        bit = buffered.cells[f"inverter{index}"]["connections"]["A"][0]
        while bit in driver:
            bit = driver[bit]
        assert bit == 6, "every pin still hangs on the net it hung on"
