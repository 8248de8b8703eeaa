"""Energy per sample, estimated from counted toggles and published capacitances.

This is an estimate. Static power, glitches within a cycle, I/O and the clock's spine are no part of it.
"""

from __future__ import annotations

import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import median

from .activity import Activity
from .netlist import Netlist

__all__ = ["PARTS", "Coefficient", "Coefficients", "Energy", "coefficients", "estimate", "sources"]

PARTS = ("lut", "carry", "ff", "dsp", "bram", "clock", "input")
"""What energy is spent in; the wires behind a driver belong to the driver."""

# What lets the clock of a memory port through: pins that are all 1 in the same cycle.
_ACCESSES = {
    "DP16KD": ("CEA&WEA", "CEB"),
    "SB_RAM40_4K": ("RE&RCLKE", "WE&WCLKE"),
    "TRELLIS_DPR16X4": ("WRE",),
}


@dataclass(frozen=True)
class Coefficient:
    """An effective capacitance in pF, the factor by which it may be wrong either way, and where it comes from."""

    value: float
    factor: float
    source: str


@dataclass(frozen=True)
class Coefficients:
    """The coefficients of one family."""

    technology: str
    pf: Mapping[str, Coefficient]


@dataclass(frozen=True)
class Energy:
    """Picojoules per sample by part, and by the coefficient that they come from; picojoules per clock cycle in all.

    ``routed`` is the share of nets whose length is known.
    """

    parts: dict[str, float]
    by_coefficient: dict[str, float]
    per_cycle: float
    routed: float

    @property
    def per_sample(self) -> float:
        return sum(self.parts.values())

    def with_coefficient(self, name: str, factor: float) -> float:
        """Picojoules per sample with one coefficient multiplied."""
        return self.per_sample + (factor - 1) * self.by_coefficient[name]


@cache
def _data() -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    text = importlib.resources.files(__package__).joinpath("coefficients.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def coefficients(family: str) -> Coefficients:
    """The coefficients of a family, from ``coefficients.toml``."""
    data = _data()[family]
    pf = {name: Coefficient(**values) for name, values in data["pf"].items()}  # type: ignore[arg-type]
    return Coefficients(str(data["technology"]), pf)


def sources() -> dict[str, str]:
    """Where the coefficients come from."""
    return {name: " ".join(str(entry["text"]).split()) for name, entry in _data()["source"].items()}


def estimate(
    netlist: Netlist, activity: Activity, pips: Mapping[str, int], values: Coefficients, voltage: float
) -> Energy:
    """Energy of a netlist.

    Parameters
    ----------
    netlist, activity : the netlist and what was counted in it
    pips : routed switches by net name of the netlist; a net that is not among them is taken to have as many for
        each pin that it feeds as the others have in the median
    values : coefficients
    voltage : core supply
    """
    nets = netlist.nets()
    length = {
        name: next((pips[alias] for alias in net.aliases if alias in pips), None)
        for name, net in nets.items()
    }
    known = [
        count / nets[name].fanout for name, count in length.items() if count is not None and nets[name].fanout
    ]
    typical = median(known) if known else 0.0
    # Transitions by part and by the capacitance that they charge.
    charged: dict[tuple[str, str], float] = {}

    def charge(part: str, name: str, transitions: float) -> None:
        charged[part, name] = charged.get((part, name), 0.0) + transitions

    for name, net in nets.items():
        count = length[name]
        switches = count if count is not None else 0 if net.driver == "carry" else typical * net.fanout
        toggles = activity.toggles.get(name, 0)
        charge(net.driver, net.driver, toggles)
        charge(net.driver, "pip", toggles * switches)
    for name, pins in netlist.inputs_of("dsp").items():
        charge("dsp", "dsp", activity.toggles.get(name, 0) * pins)
    for enables in netlist.enables(_ACCESSES):
        share = 1.0
        for name in enables:
            share = min(share, float(name in ("1", "x")) if len(name) == 1 else activity.high.get(name, 0.0))
        charge("bram", "bram_access", 2 * activity.cycles * share)
    charge("clock", "clock", 2 * activity.cycles * sum(netlist.clocked().values()))

    # Half of capacitance times voltage squared, in pJ.
    parts, by_coefficient = dict.fromkeys(PARTS, 0.0), dict.fromkeys(values.pf, 0.0)
    for (part, name), transitions in charged.items():
        energy = 0.5 * voltage**2 * values.pf[name].value * transitions / activity.samples
        parts[part] += energy
        by_coefficient[name] += energy
    per_cycle = sum(parts.values()) * activity.samples / activity.cycles
    found = sum(count is not None for count in length.values())
    return Energy(parts, by_coefficient, per_cycle, found / max(1, len(length)))
