"""Small rows and netlists that several tests share."""

from __future__ import annotations

import json
from typing import Any

from l1bn_synth.rows import Row


def row(**changes: Any) -> Row:
    """A row of a whole L1 unit on ECP5, with fields replaced."""
    values: dict[str, Any] = {
        "unit": "forward L1, two passes",
        "device": "LFE5U-85F-6",
        "norm": "l1",
        "width": 16,
        "lanes": 1,
        "count": 1024,
        "dsp_allowed": True,
        "lut": 900,
        "ff": 1000,
        "dsp": 1,
        "bram": 4,
        "fmax_mhz": {"median": 300.0, "min": 290.0, "max": 310.0, "seeds": 5},
        "latency": 2200,
        "cycles_per_channel": 1024,
        "samples_per_second": 300e6,
        "energy_per_sample_pj": 100.0,
        "power_mw_at": {"mhz": 100.0, "mw": 10.0},
        "group": "top",
        "critical_path": "a -> b (3 cells; logic 1.00 ns, routing 2.00 ns)",
        "energy_parts": {"lut": 60.0, "clock": 40.0},
        "sensitivity": {"lut": (70.0, 160.0), "clock": (80.0, 140.0)},
        "remarks": [],
    }
    return Row(**{**values, **changes})


def rows() -> list[Row]:
    """Whole units and operators, L1 beside L2."""
    l2 = {"unit": "forward L2, one pass", "norm": "l2"}
    pair = {"group": "pair", "count": 0, "cycles_per_channel": 1, "bram": 0}
    root = {**pair, "unit": "square + root", "norm": "l2"}
    return [
        row(),
        row(
            **l2, lut=1000, dsp=2, bram=2, latency=1300, energy_per_sample_pj=80.0,
            sensitivity={"lut": (50.0, 140.0), "clock": (60.0, 120.0)},
        ),
        row(**pair, unit="abs + sign", lut=40, dsp=0, dsp_allowed=False, energy_per_sample_pj=10.0),
        row(**root, lut=160, energy_per_sample_pj=40.0, fmax_mhz={"median": 150.0, "min": 1, "max": 2, "seeds": 5}),
        row(unit="skid register", **{**pair, "group": "operator"}, norm="", lut=20, ff=34, dsp=0),
    ]  # fmt: skip


def netlist() -> str:
    """A LUT that feeds a flip-flop: ``q <= a & b``; bits 2 to 5 are clk, a, b, q, bit 6 is between."""
    directions = {"A": "input", "B": "input", "C": "input", "D": "input", "Z": "output"}
    lut = {
        "type": "LUT4",
        "parameters": {"INIT": "1000100010001000"},
        "port_directions": directions,
        "connections": {"A": [3], "B": [4], "C": ["0"], "D": ["x"], "Z": [6]},
    }
    flip_flop = {
        "type": "TRELLIS_FF",
        "parameters": {"REGSET": "RESET", "CEMUX": "1 "},
        "port_directions": {"CLK": "input", "DI": "input", "Q": "output"},
        "connections": {"CLK": [2], "DI": [6], "Q": [5]},
    }
    ports = {
        "clk": {"direction": "input", "bits": [2]},
        "x": {"direction": "input", "bits": [3, 4]},
        "q": {"direction": "output", "bits": [5]},
    }
    names = {"clk": [2], "x": [3, 4], "q": [5], "both": [6]}
    module = {
        "ports": ports,
        "cells": {"lut": lut, "ff": flip_flop, "scope": {"type": "$scopeinfo", "connections": {}}},
        "netnames": {name: {"bits": bits} for name, bits in names.items()},
    }
    return json.dumps({"modules": {"unit": module}})
