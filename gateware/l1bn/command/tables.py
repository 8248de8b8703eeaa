"""Tables for people: the presets, and the explanation of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from l1bn_console.tables import Table, names, numbers, texts

from ..config import PARAMETERS
from ..export import presets

__all__ = ["explanation_tables", "presets_table"]


def presets_table() -> Table:
    """The presets and what each takes on its device."""
    versions, seeds = presets.measured_with()
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    runs = "one run" if seeds == 1 else f"median of {seeds} runs"
    table = Table(
        "Presets",
        [
            *names("name", "norm"),
            *numbers("width", "lanes"),
            *texts("count"),
            *names("target", "device"),
            *numbers("LUT", "FF", "DSP", "BRAM", "MHz"),
            *texts("what it is for"),
        ],
        notes=[
            "target: what the unit is built from, plain Verilog (portable) or the multipliers and memories of a family;"
            " device: where that was synthesised, placed and routed",
            f"MHz: {runs} of nextpnr; {tools}; measured by python -m l1bn_synth.presets --seeds {seeds}",
        ],
    )
    for name, preset in presets.PRESETS.items():
        config, found = preset.configuration, presets.resources(name)
        counts = ", ".join(map(str, config.counts))
        resources = [""] * 5
        if found is not None:
            resources = [*(f"{number:,}" for number in (found.lut, found.ff, found.dsp, found.bram))]
            resources.append(f"{found.fmax_mhz:.1f}")
        built = (config.width, config.lanes, counts, config.target, preset.device)
        table.add(name, config.norm, *built, *resources, preset.about)
    return table


def explanation_tables(explanation: Mapping[str, Any]) -> Iterator[Table]:
    """An explanation as tables to print one after the other."""
    yield _parameters_table(explanation)
    yield _widths_table(explanation)
    yield _counts_table(explanation)
    yield _stages_table(explanation)
    if explanation["in_turns"]:
        yield _in_turns_table(explanation)
    yield _blocks_table(explanation)
    yield _changes_table(explanation)


def _parameters_table(explanation: Mapping[str, Any]) -> Table:
    table = Table("Parameters", [*names("parameter"), *texts("value", "what it is")])
    for name, value in explanation["configuration"].items():
        shown = "derived" if value is None else _shown(value)
        table.add(name, shown, PARAMETERS[name].about)
    return table


def _widths_table(explanation: Mapping[str, Any]) -> Table:
    table = Table(
        "Derived widths and constants (docs/arithmetic.md)",
        [*names("symbol"), *texts("what it is"), *numbers("value")],
    )
    for name, bits in explanation["streams"].items():
        table.add(name, f"payload of stream {name}, bits", str(bits))
    table.section()
    for width in explanation["widths"].values():
        table.add(width["symbol"], f"{width['about']}, bits", str(width["bits"]))
    table.section()
    for constant in explanation["constants"].values():
        table.add(constant["symbol"], constant["about"], str(constant["value"]))
    return table


def _counts_table(explanation: Mapping[str, Any]) -> Table:
    bound = explanation["error_bound"]
    epsilons = ("epsilon", "epsilon in effect")
    table = Table(
        f"Counts; y is within {bound} units of its last place at beta = 0" if bound else "Counts",
        numbers("select", "count", "beats", "latency", "cycles a channel", "samples a cycle", *epsilons),
        keys=2,
        notes=[explanation["advice"]] if explanation["advice"] else [],
    )
    for count in explanation["counts"]:
        samples = count["count"] / count["cycles_per_channel"]
        cells = (
            count["select"],
            count["count"],
            count["beats"],
            count["latency"],
            count["cycles_per_channel"],
        )
        asked, had = explanation["configuration"]["epsilon"], float(Fraction(count["epsilon"]))
        table.add(*(f"{cell:,}" for cell in cells), f"{samples:.3f}", f"{asked:.10g}", f"{had:.10g}")
    return table


def _stages_table(explanation: Mapping[str, Any]) -> Table:
    table = Table("Stages, in cycles", [*texts("stage"), *numbers("latency", "cycles a channel")])
    for stage in explanation["stages"]:
        table.add(stage["stage"], str(stage["latency"]), str(stage["interval"] or "beats"))
    return table


def _in_turns_table(explanation: Mapping[str, Any]) -> Table:
    interval = explanation["configuration"]["interval"]
    table = Table(
        f"Operators that take turns, to keep up with a channel every {interval:,} cycles",
        [*names("operator"), *numbers("number", "cycles a channel")],
    )
    for entry in explanation["in_turns"]:
        table.add(entry["operator"], str(entry["number"]), str(entry["interval"]))
    return table


def _blocks_table(explanation: Mapping[str, Any]) -> Table:
    table = Table("Memories and multipliers", [*names("what"), *texts("size"), *numbers("bits")])
    for memory in explanation["memories"]:
        table.add("buffer", f"{memory['words']:,} words of {memory['width']} bits", f"{memory['bits']:,}")
    if not explanation["memories"]:
        table.add("no buffer", f"the producer sends each channel {explanation['passes']} times", "0")
    table.section()
    for multiplier in explanation["multipliers"]:
        table.add("multipliers", _multiplier(multiplier), "")
    return table


def _changes_table(explanation: Mapping[str, Any]) -> Table:
    table = Table(
        "What one step of a parameter costs",
        [
            *texts("step"),
            *numbers("memory bits", "operators", "latency", "cycles a channel", "error bound"),
            *texts("multipliers", "widths that move, bits"),
        ],
        notes=[
            "operators: of those that take turns; latency and cycles of the largest count; bound in units of y's last "
            "place at beta = 0"
        ],
    )
    idle = []
    for change in explanation["changes"]:
        step = f"{change['parameter']}\n{_shown(change['from'])} → {_shown(change['to'])}"
        figures = [
            _moved(explanation[name], change[name])
            for name in ("memory_bits", "operators", "latency", "cycles_per_channel", "error_bound")
        ]
        same = change["multipliers"] == explanation["multipliers"]
        multipliers = "" if same else "\n".join(map(_multiplier, change["multipliers"]))
        widths = ", ".join(f"{_short(name)} {step:+}" for name, step in change["widths_change"].items())
        if any([*figures, multipliers, widths]):
            table.add(step, *figures, multipliers, widths)
        else:
            idle.append(step.replace("\n", " "))
    if idle:
        table.notes.append(f"nothing changes here: {', '.join(idle)}")
    return table


def _moved(before: float | None, after: float | None) -> str:
    """A difference with its sign, nothing where there is none."""
    if before is None or after is None:
        return "" if before == after else ("none" if after is None else str(after))
    if before == after:
        return ""
    step = after - before
    return f"{step:+,}" if isinstance(step, int) else f"{step:+.4f}"


def _multiplier(multiplier: Mapping[str, Any]) -> str:
    a, b = multiplier["factors"]
    blocks = f", {multiplier['blocks']} DSP" if "blocks" in multiplier else ""
    return f"{multiplier['number']} of {a}x{b}{blocks}"


def _shown(value: Any) -> str:
    if value is None:
        return "derived"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _short(name: str) -> str:
    return name.removesuffix("_width").removesuffix("_shape").replace("_", " ")
