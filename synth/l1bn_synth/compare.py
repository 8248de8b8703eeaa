"""The norms against L2: pairs of rows that differ in nothing but the norm, and what the literature says of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .rows import Row
from .training_step import GROUP

__all__ = ["BETTER_UP", "METRICS", "Claim", "Pair", "by_lanes", "claims", "cost", "pairs", "sensitivities"]

METRICS = {
    "area": "area",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM",
    "fmax": "Fmax",
    "latency": "latency",
    "cycles": "cycles per channel",
    "rate": "samples per second",
    "energy": "energy per sample",
    "power": "power",
}
BETTER_UP = frozenset({"fmax", "rate"})
"""The metrics of which more is better."""
_NO_MEAN = "no mean is subtracted, so that one in the samples stays in r and in y"
_COUNTERPARTS = {
    ("training step L1", "training step L2"): "each norm in its form of the least energy forward; both units on one "
    "clock, which take turns",
    ("abs + sign", "square + root"): "",
    ("sign-abs accumulator", "square accumulator"): "",
    ("forward L1, one pass", "forward L2, one pass"): "both read each sample twice, as long as L1 guesses the "
    "mean well, which it does for the channels here",
    ("forward L1, two passes", "forward L2, one pass"): "L1 reads each sample three times, since it needs the mean "
    "first; one-pass L2 reads it twice",
    ("forward L1, two passes", "forward L2, two passes"): "both read each sample three times",
    ("forward Range", "forward L2, one pass"): "both read each sample twice; r depends on two samples alone",
    ("forward RMS", "forward L2, one pass"): f"both read each sample twice; {_NO_MEAN}",
    ("forward MeanAbsolute", "forward L2, one pass"): f"both read each sample twice; {_NO_MEAN}",
    ("backward L1", "backward L2"): "L1 takes one more statistic from the forward unit, the sum of the signs; "
    "L2 multiplies once more an element",
    ("backward Range", "backward L2"): "Range takes two more statistics from the forward unit, the extremes; "
    "L2 multiplies once more an element",
    ("backward RMS", "backward L2"): f"both multiply twice an element; {_NO_MEAN}",
    ("backward MeanAbsolute", "backward L2"): f"L2 multiplies once more an element; {_NO_MEAN}",
}
"""What is compared with which unit of L2, and what of whole units it costs."""
_OF_L1 = {"forward L1, two passes": "whole unit", "training step L1": "training step"}
_OF_RANGE = "forward Range"
"""The units that claims of the literature are about; those of L1 with their level."""


def by_lanes(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of whole units that differ in their lanes alone, where there are several, by their lanes."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        if row.group == "top":
            same = (row.unit, row.width, row.count, row.device, row.dsp_allowed)
            groups.setdefault(same, []).append(row)
    return [sorted(group, key=lambda row: row.lanes) for group in groups.values() if len(group) > 1]


def metric(row: Row, name: str) -> float:
    """A metric of a row by its short name."""
    match name:
        case "area":
            return row.area_um2 or 0.0
        case "fmax":
            return row.fmax_mhz["median"]
        case "cycles":
            return row.cycles_per_channel
        case "rate":
            return row.samples_per_second
        case "energy":
            return row.energy_per_sample_pj
        case "power":
            return row.power_mw_at["mw"]
        case _:
            return float(getattr(row, name))


@dataclass(frozen=True)
class Pair:
    """Two rows that do the same on one device: ``row`` for another norm, ``baseline`` for L2."""

    row: Row
    baseline: Row

    def ratio(self, name: str) -> float | None:
        """Row : baseline, or ``None`` where L2 has none of it."""
        below = metric(self.baseline, name)
        return metric(self.row, name) / below if below else None

    @property
    def whole(self) -> bool:
        """Whether these are whole units, or both that a training step needs."""
        return self.row.group in ("top", GROUP)

    @property
    def title(self) -> str:
        lanes = f", {self.row.lanes} lanes" if self.row.lanes > 1 else ""
        where = f"W = {self.row.width}{lanes}, {self.row.device}{self.baseline.restriction}"
        return f"{self.row.unit} : {self.baseline.unit}, {where}"


def pairs(rows: Iterable[Row]) -> list[Pair]:
    """All pairs among the rows; a row that never multiplies stands for itself with multipliers, too."""
    rows = list(rows)
    found = []
    for first, second in _COUNTERPARTS:
        for below in rows:
            if below.unit != second:
                continue
            place = (below.device, below.width, below.lanes, below.count)
            same = [
                row
                for row in rows
                if row.unit == first and (row.device, row.width, row.lanes, row.count) == place
            ]
            matching = [row for row in same if row.dsp_allowed == below.dsp_allowed] or same
            if matching:
                found.append(Pair(matching[0], below))
    return found


def sensitivities(pair: Pair) -> dict[str, tuple[float, float]]:
    """The ratio of energies with each coefficient halved and doubled, the largest movement first."""
    ratios = {}
    for name, (low, high) in pair.row.sensitivity.items():
        below, above = pair.baseline.sensitivity[name]
        if below and above:
            ratios[name] = (low / below, high / above)
    plain = pair.ratio("energy") or 1.0
    return dict(sorted(ratios.items(), key=lambda item: -max(abs(value - plain) for value in item[1])))


_OPPOSITE = {"less": "more", "fewer": "more", "faster": "slower"}


@dataclass(frozen=True)
class Claim:
    """A claim of the literature, what this run has of it, and whether it holds."""

    source: str
    claim: str
    level: str
    measured: str
    verdict: str


def claims(rows: Sequence[Row]) -> list[Claim]:
    """The claims of the literature against these rows; operators and whole units kept apart.

    What is said of a norm against L2 is held against the forward units of that norm alone.
    """
    result = []
    standard_cells = any(row.device == "osu018" for row in rows)
    technology = "standard cells" if standard_cells else "FPGA"
    for pair in pairs(rows):
        speed, energy = pair.ratio("fmax"), pair.ratio("energy")
        area = pair.ratio("area" if standard_cells else "lut")
        if speed is None or energy is None or area is None:
            continue
        where = pair.title
        if pair.row.group == "pair":
            source = "preprint, arXiv 1802.09769 v1 (FPGA)"
            result.append(_claim(source, "1.5 x the speed", "operators", where, speed, 1.5, "x the clock"))
            less = _claim(
                source, "50 % less power", "operators", where, 1 - energy, 0.5, "less energy a result"
            )
            result.append(less)
        if pair.row.unit in _OF_L1:
            source, level = "journal, TNNLS 30(7) 2019 (ASIC synthesis with reduced resources)", _OF_L1[pair.row.unit]
            note = "" if standard_cells else f"; an {technology}, not an ASIC"
            faster = _claim(source, "25 % faster", level, where, speed - 1, 0.25, "faster clock" + note)
            saved = _claim(source, "37 % less energy", level, where, 1 - energy, 0.37, "less energy" + note)
            result += [faster, saved]
        if pair.row.unit == _OF_RANGE:
            source = "Bactran, 2021 (range norm, FPGA, against L2)"
            smaller = _claim(
                source,
                "10 % fewer resources",
                "whole unit",
                where,
                1 - area,
                0.1,
                "less area" if standard_cells else "fewer LUTs",
            )
            cooler = _claim(source, "10 % less power", "whole unit", where, 1 - energy, 0.1, "less energy")
            result += [smaller, cooler]
    goal = 1.0e9 if standard_cells else 0.25e9
    for row in rows:
        if row.group != "top":
            continue
        rate = row.samples_per_second
        lanes = -(-goal // (rate / row.lanes))
        result.append(
            Claim(
                "Shao et al., TCAS-II 2025 (layer norm, training)",
                f"{goal / 1e9:g} G inputs per second",
                "whole unit",
                f"{row.unit}, W = {row.width}, {row.lanes} {'lane' if row.lanes == 1 else 'lanes'}, {row.device}"
                f"{row.restriction}: {rate / 1e9:.3f} G",
                "reached" if rate >= goal else f"not with these lanes: {lanes:.0f} at this clock would",
            )
        )
    return result


def _claim(
    source: str, claim: str, level: str, where: str, measured: float, wanted: float, what: str
) -> Claim:
    """``measured`` and ``wanted`` are ratios where ``what`` starts with x, and shares else."""
    if what.startswith("x"):
        said = f"{measured:.2f} {what}"
    else:
        first, rest = what.split(" ", 1)
        said = f"{100 * abs(measured):.0f} % {first if measured >= 0 else _OPPOSITE[first]} {rest}"
    neutral = 1.0 if what.startswith("x") else 0.0
    if measured >= wanted - 1e-9:
        verdict = "holds"
    elif measured > neutral + 0.1 * (wanted - neutral):
        verdict = "holds in part: better, but by less"
    elif measured > neutral - 0.1 * (wanted - neutral):
        verdict = "does not hold: no difference"
    else:
        verdict = "does not hold: the opposite"
    return Claim(source, claim, level, f"{where}: {said}", verdict)


def cost(pair: Pair) -> str:
    """What the row costs more than L2 in a pair of whole units."""
    row, below = pair.row, pair.baseline
    memory = f"{row.bram} : {below.bram} memory blocks" if row.bram or below.bram else "samples held by the producer"
    cycles = f"{row.cycles_per_channel} : {below.cycles_per_channel} cycles per channel"
    text = _COUNTERPARTS[row.unit, below.unit]
    return f"{pair.title}: {text}; {memory}; latency {row.latency} : {below.latency} cycles; {cycles}."
