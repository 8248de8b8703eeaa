"""The tables of a report, once as rows of text, for terminal, Markdown and page alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .compare import METRICS, by_lanes, claims, cost, pairs, sensitivities
from .devices import DEVICES, WHOLE_UNITS
from .energy import Coefficients, sources
from .peers import compare as compare_peers
from .peers import whole_units
from .registry import FORWARD
from .rows import Row

__all__ = ["TableText", "all_tables"]


@dataclass(frozen=True)
class TableText:
    """A table as text: heading, columns, rows, and lines of explanation below it. ``key`` names it in a page.

    The first ``keys`` columns name a row.
    """

    key: str
    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str]
    keys: int = 1


def all_tables(rows: Sequence[Row], energy: Coefficients | None) -> list[TableText]:
    """Every table that has something to say about these rows; ``energy`` is what the estimate was made with."""
    tables = [
        units(rows),
        ratios(rows),
        costs_of_l1(rows),
        literature(rows),
        over_lanes(rows),
        sensitivity(rows),
        coefficient_table(energy) if energy is not None else None,
        peers(rows),
        peer_units(rows),
        paths(rows),
    ]
    return [table for table in tables if table is not None and table.rows]


def _rate(value: float) -> str:
    return f"{value / 1e6:.1f} M" if value < 1e9 else f"{value / 1e9:.2f} G"


def _percent(share: float) -> str:
    """A share with its sign; what rounds to nothing has none."""
    text = f"{100 * share:+z.0f} %"
    return text.removeprefix("+") if text == "+0 %" else text


def _name(row: Row) -> list[str]:
    shape = f"{row.width}" + (f" x {row.lanes}" if row.lanes > 1 else "")
    return [row.unit, shape, row.device, "yes" if row.dsp_allowed else "no"]


def units(rows: Sequence[Row]) -> TableText:
    """All rows."""
    cells = any(row.device == "osu018" for row in rows)
    body = []
    for row in rows:
        fmax = row.fmax_mhz
        spread = "" if fmax["seeds"] == 1 else f" ({fmax['min']:g} to {fmax['max']:g})"
        name = _name(row)
        body.append(
            [
                *([*name[:3], f"{row.area_um2:,.0f}"] if cells else name),
                *(f"{value:,}" for value in (row.lut, row.ff, *(() if cells else (row.dsp, row.bram)))),
                f"{fmax['median']:g}{spread}",
                f"{row.latency:,}",
                f"{row.cycles_per_channel:,}",
                _rate(row.samples_per_second),
                f"{row.energy_per_sample_pj:.1f}",
                f"{row.power_mw_at['mw']:.2f} at {row.power_mw_at['mhz']:g}",
            ]
        )
    columns = ["unit", "W", "device"]
    columns += ["um2", "LUT", "FF"] if cells else ["DSP allowed", "LUT", "FF", "DSP", "BRAM"]
    columns += ["Fmax MHz", "latency", "cycles/channel", "samples/s", "pJ/sample", "mW at MHz"]
    notes = _standard_cell_notes(rows) if cells else _fpga_notes(rows)
    return TableText("units", "Results", columns, body, notes, keys=3 if cells else 4)


def _efforts(rows: Sequence[Row]) -> list[str]:
    """What whole units are built with beyond the tools' defaults."""
    families = sorted({DEVICES[row.device].family for row in rows if row.group == "top"})
    return [
        f"Whole units of both norms with {WHOLE_UNITS[family]}; operators with the tools' defaults."
        for family in families
    ]


def _fpga_notes(rows: Sequence[Row]) -> list[str]:
    seeds = max((int(row.fmax_mhz["seeds"]) for row in rows), default=0)
    return [
        "Cells are the unit alone, packed; Fmax is the unit in a harness of registers, "
        + (f"median and range of seeds 1 to {seeds}." if seeds > 1 else "one run."),
        *_efforts(rows),
        "LUT counts TRELLIS_COMB on ECP5 and logic cells on iCE40. A unit without channels gives one result in the "
        "stated cycles.",
        "Energy and power are an estimate of the dynamic part, from counted toggles; see the coefficients.",
        *(f"{row.unit}, W = {row.width}, {row.device}: {text}" for row in rows for text in row.remarks),
    ]


def _standard_cell_notes(rows: Sequence[Row]) -> list[str]:
    return [
        "LUT counts combinational cells. A unit without channels gives one result in the stated cycles.",
        "Fmax is OpenSTA's, of the unit alone; energy and power are OpenSTA's with the counted toggles.",
        *sorted({text for row in rows for text in row.remarks}),
    ]


def ratios(rows: Sequence[Row]) -> TableText:
    """The norms : L2 by metric."""
    compared = pairs(rows)
    # What no device here has, as multiplier blocks in standard cells, is no column.
    names = [name for name in METRICS if any(pair.ratio(name) is not None for pair in compared)]
    body = []
    for pair in compared:
        values = [pair.ratio(name) for name in names]
        body.append([pair.title, *("-" if value is None else f"{value:.2f}" for value in values)])
    notes = [
        "Fmax and samples per second: above 1 the first is better. Everything else: below 1. A dash: L2 has none "
        "of it, so there is no ratio.",
        "The sign-abs accumulator ends with its multiplication by the mean, once a channel; that of the square "
        "accumulator (the variance) is outside it.",
    ]
    return TableText("ratios", "The norms : L2", ["pair", *(METRICS[name] for name in names)], body, notes)


def costs_of_l1(rows: Sequence[Row]) -> TableText:
    """What the norms cost against L2, beside what they save."""
    body = []
    for pair in pairs(rows):
        if not pair.whole:
            continue
        saved = []
        for name, sign in (("area", -1), ("lut", -1), ("ff", -1), ("energy", -1), ("fmax", 1)):
            ratio = pair.ratio(name)
            if ratio is not None:
                saved.append(f"{METRICS[name]} {_percent(sign * (ratio - 1))}")
        dsp = pair.baseline.dsp - pair.row.dsp
        if pair.baseline.dsp:
            saved.append(f"{dsp} of {pair.baseline.dsp} DSP")
        if pair.row.bram < pair.baseline.bram:
            saved.append(f"{pair.baseline.bram - pair.row.bram} of {pair.baseline.bram} BRAM")
        body.append([cost(pair), ", ".join(saved)])
    notes = ["Savings are positive: less of it, or a faster clock."]
    return TableText("costs", "What a norm costs against L2, and what it saves", ["costs", "saves"], body, notes)


def literature(rows: Sequence[Row]) -> TableText:
    """Claims of the literature against this run."""
    body = [[c.source, c.claim, c.level, c.measured, c.verdict] for c in claims(rows)]
    order = {"operators": 0, "training step": 1, "whole unit": 2}
    body.sort(key=lambda line: (order[line[2]], line[0]))
    notes = [
        "Operators and whole units are different things: what an operator saves is diluted in a unit whose other parts "
        "are the same. A training step is a sample's way through the forward unit and the backward unit.",
        "The operators run side by side, a result of each a cycle, and the root has the width of the square's operand. "
        "A claim about other technology, or another norm, is shown for orientation.",
    ]
    columns = ["source", "claim", "level", "this run", "verdict"]
    return TableText("claims", "Claims of the literature against this run", columns, body, notes)


def over_lanes(rows: Sequence[Row]) -> TableText:
    """What whole units with several numbers of lanes make of them."""
    body = []
    for several in by_lanes(rows):
        for row in several:
            per_sample = f"{row.energy_per_sample_pj:.1f}"
            fmax, cycles = f"{row.fmax_mhz['median']:g}", f"{row.cycles_per_channel:,}"
            lut = f"{row.lut / row.lanes:,.0f}"
            body.append([*_name(row), fmax, cycles, _rate(row.samples_per_second), lut, per_sample])
    columns = ["unit", "W", "device", "DSP allowed", "Fmax MHz", "cycles/channel", "samples/s", "LUT/lane", "pJ/sample"]
    notes = ["Where cycles a channel are its samples through the lanes, the unit takes a beat a cycle."]
    return TableText("lanes", "Samples a second over lanes", columns, body, notes, keys=4)


def sensitivity(rows: Sequence[Row]) -> TableText:
    """How far the ratio of energies moves with each coefficient."""
    body = []
    for pair in pairs(rows):
        plain = pair.ratio("energy")
        moves = sensitivities(pair)
        if plain is None or not moves:
            continue
        values = [value for both in moves.values() for value in both]
        worst = next(iter(moves))
        low, high = moves[worst]
        body.append(
            [
                pair.title,
                f"{plain:.3f}",
                f"{min(values):.3f} to {max(values):.3f}",
                f"{worst}: {low:.3f} halved, {high:.3f} doubled",
            ]
        )
    columns = ["pair", "energy ratio", "with any coefficient halved or doubled", "most decisive"]
    return TableText(
        "sensitivity", "How much the energy ratio depends on the coefficients", columns, body, []
    )


def coefficient_table(energy: Coefficients) -> TableText:
    """The coefficients of the estimate."""
    meaning = {
        "lut": "output of a LUT, a transition",
        "carry": "output of a carry cell, a transition",
        "ff": "output of a flip-flop, a transition",
        "input": "input of the unit, a transition",
        "pip": "routed switch on a net, a transition of the net",
        "clock": "clock pin of a cell, an edge",
        "dsp": "input of a multiplier block, a transition",
        "bram": "output of a memory block, a transition",
        "bram_access": "access to a memory block, counted as two transitions",
    }
    body = [
        [name, meaning[name], f"{value.value:g} pF", f"{value.factor:g} x either way", value.source]
        for name, value in energy.pf.items()
    ]
    notes = [f"Technology: {energy.technology}. Energy of a transition: C V^2 / 2."]
    notes += [f"Source {name}: {text}" for name, text in sources().items()]
    columns = ["coefficient", "of", "capacitance", "uncertainty", "source"]
    return TableText("coefficients", "Coefficients of the energy estimate", columns, body, notes)


def peers(rows: Sequence[Row]) -> TableText:
    """Operators of other projects."""
    body = [[c.what, c.device, c.project, c.theirs, c.ours, c.verdict] for c in compare_peers(rows)]
    columns = ["operator", "device", "project", "theirs: cells, clock", "ours: cells, clock", "ours is"]
    return TableText("peers", "Operators of other projects", columns, body, [], keys=2)


def peer_units(rows: Sequence[Row]) -> TableText | None:
    """Whole units of other projects, with our forward ones of the same width."""
    ours = [
        row
        for row in rows
        if row.unit in FORWARD and (row.width, row.lanes) == (16, 1) and row.device != "osu018"
    ]
    if not ours:
        return None
    body = [[unit["project"], unit["what"], unit["cells"], unit["rates"]] for unit in whole_units()]
    for row in ours:
        cells = f"{row.lut} / {row.ff} / {row.dsp} / {row.bram}"
        where = f"{row.samples_per_second / 1e6:.0f} on {row.device}"
        body.append(["this one", f"{row.unit}{row.restriction}", cells, where])
    columns = [
        "project",
        "what it does, 16 bits, one lane",
        "LUT / FF / DSP / BRAM",
        "M elements/s: ECP5 -6 / HX8K / UP5K",
    ]
    return TableText("peer-units", "Whole units of other projects", columns, body, [])


def paths(rows: Sequence[Row]) -> TableText:
    """Critical paths of the whole units, and how their clock compares with what the device allows an accumulator."""
    body = []
    for row in rows:
        if row.group != "top":
            continue
        device = DEVICES.get(row.device)
        ceiling = device.ceilings.get(row.width) if device is not None else None
        fmax = row.fmax_mhz["median"]
        share = f"{fmax / ceiling:.0%} of {ceiling:g}" if ceiling else "-"
        body.append([*_name(row), f"{fmax:g}", share, row.critical_path])
    columns = ["unit", "W", "device", "DSP allowed", "MHz", "of an accumulator's", "from -> to"]
    notes = [
        "The fastest that these tools make of an accumulator of the same width alone, between registers."
    ]
    return TableText("paths", "Critical paths of the whole units", columns, body, notes)
