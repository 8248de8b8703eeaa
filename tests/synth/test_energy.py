"""The energy estimate against numbers worked out by hand."""

from __future__ import annotations

import pytest
from samples import netlist

from l1bn_synth.activity import Activity
from l1bn_synth.energy import Coefficient, Coefficients, coefficients, estimate, sources
from l1bn_synth.netlist import Netlist

VALUES = {
    "lut": 1.0,
    "carry": 0.0,
    "ff": 2.0,
    "input": 0.5,
    "pip": 0.25,
    "clock": 0.125,
    "dsp": 0.0,
    "bram": 0.0,
}
UNIT = Coefficients(
    "none", {name: Coefficient(value, 2, "x") for name, value in {**VALUES, "bram_access": 0.0}.items()}
)
ACTIVITY = Activity(cycles=10, samples=5, toggles={"n3": 4, "n4": 2, "n5": 6, "n6": 8}, high={}, checked=1)


def test_energy_by_hand():
    # Half of V^2 is 2; inputs (4 + 2) * 0.5, the LUT 8 * (1 + 3 * 0.25), the flip-flop 6 * 2, clock 2 * 10 * 0.125.
    # The inputs have no known length and one pin each: as many switches as the one net that has, 3.
    energy = estimate(Netlist(netlist()), ACTIVITY, {"both": 3}, UNIT, voltage=2.0)
    per_sample = {part: value * 5 for part, value in energy.parts.items()}
    assert per_sample["lut"] == pytest.approx(2 * 8 * (1 + 0.75))
    assert per_sample["ff"] == pytest.approx(2 * 6 * 2)
    assert per_sample["input"] == pytest.approx(2 * 6 * (0.5 + 0.75))
    assert per_sample["clock"] == pytest.approx(2 * 2 * 10 * 0.125)
    assert energy.per_cycle == pytest.approx(sum(per_sample.values()) / 10)
    assert energy.routed == 0.25


def test_coefficients_share_the_energy_and_scale_it():
    energy = estimate(Netlist(netlist()), ACTIVITY, {"both": 3}, UNIT, voltage=2.0)
    assert sum(energy.by_coefficient.values()) == pytest.approx(energy.per_sample)
    assert energy.by_coefficient["pip"] == pytest.approx(2 * (8 + 6) * 0.25 * 3 / 5)
    changed = Coefficients("none", {**UNIT.pf, "pip": Coefficient(0.5, 2, "x")})
    doubled = estimate(Netlist(netlist()), ACTIVITY, {"both": 3}, changed, voltage=2.0)
    assert energy.with_coefficient("pip", 2) == pytest.approx(doubled.per_sample)


@pytest.mark.parametrize("family", ["ice40", "ecp5"])
def test_every_coefficient_has_a_source_and_an_uncertainty(family):
    for coefficient in coefficients(family).pf.values():
        assert coefficient.value > 0
        assert coefficient.factor > 1
        assert coefficient.source in sources()
