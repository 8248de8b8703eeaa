"""Tables for people: the presets, and the explanation of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from rich.table import Table

from . import presets
from .config import PARAMETERS

__all__ = ["explanation_tables", "presets_table"]


def presets_table() -> Table:
    """The presets and what each takes on its device."""
    versions, seeds = presets.measured_with()
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    table = _table(
        "Presets",
        ("name", "norm", "width", "lanes", "count", "device"),
        ("LUT", "FF", "DSP", "BRAM", "MHz"),
        caption=f"MHz: {'one run' if seeds == 1 else f'median of {seeds} runs'} of nextpnr; {tools}; measured by"
        f" python -m l1bn_synth.presets --seeds {seeds}",
    )
    for name, preset in presets.PRESETS.items():
        config, found = preset.configuration, presets.resources(name)
        counts = ", ".join(map(str, config.counts))
        about = f"[bold]{name}[/]\n{preset.about}"
        row = [about, config.norm, str(config.width), str(config.lanes), counts, preset.device]
        if found is not None:
            row += [*(f"{number:,}" for number in (found.lut, found.ff, found.dsp, found.bram))]
            row.append(f"{found.fmax_mhz:.1f}")
        table.add_row(*row)
    return table


def explanation_tables(explanation: Mapping[str, Any]) -> Iterator[Table]:
    """An explanation as tables to print one after the other."""
    yield _parameters_table(explanation)
    yield _widths_table(explanation)
    yield _counts_table(explanation)
    yield _stages_table(explanation)
    yield _blocks_table(explanation)
    yield _changes_table(explanation)


def _table(title: str, words: tuple[str, ...], numbers: tuple[str, ...] = (), caption: str = "") -> Table:
    table = Table(title=title, title_justify="left", caption=caption or None, caption_justify="left")
    for heading in words:
        table.add_column(heading)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _parameters_table(explanation: Mapping[str, Any]) -> Table:
    table = _table("Parameters", ("parameter", "value", "what it is"))
    for name, value in explanation["configuration"].items():
        shown = "derived" if value is None else _shown(value)
        table.add_row(name, shown, PARAMETERS[name].about)
    return table


def _widths_table(explanation: Mapping[str, Any]) -> Table:
    table = _table("Derived widths and constants (docs/arithmetic.md)", ("symbol", "what it is"), ("value",))
    for name, bits in explanation["streams"].items():
        table.add_row(name, f"payload of stream {name}, bits", str(bits))
    table.add_section()
    for width in explanation["widths"].values():
        table.add_row(width["symbol"], f"{width['about']}, bits", str(width["bits"]))
    table.add_section()
    for constant in explanation["constants"].values():
        table.add_row(constant["symbol"], constant["about"], str(constant["value"]))
    return table


def _counts_table(explanation: Mapping[str, Any]) -> Table:
    bound = explanation["error_bound"]
    table = _table(
        f"Counts; y is within {bound} units of its last place at beta = 0" if bound else "Counts",
        (),
        ("select", "count", "beats", "latency", "cycles a channel", "samples a cycle", "epsilon"),
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
        epsilon = float(Fraction(count["epsilon"]))
        table.add_row(*(f"{cell:,}" for cell in cells), f"{samples:.3f}", f"{epsilon:.4g}")
    return table


def _stages_table(explanation: Mapping[str, Any]) -> Table:
    table = _table("Stages, in cycles", ("stage",), ("latency", "cycles a channel"))
    for stage in explanation["stages"]:
        table.add_row(stage["stage"], str(stage["latency"]), str(stage["interval"] or "beats"))
    return table


def _blocks_table(explanation: Mapping[str, Any]) -> Table:
    table = _table("Memories and multipliers", ("what", "size"), ("bits",))
    for memory in explanation["memories"]:
        table.add_row("buffer", f"{memory['words']:,} words of {memory['width']} bits", f"{memory['bits']:,}")
    if not explanation["memories"]:
        table.add_row("no buffer", f"the producer sends each channel {explanation['passes']} times", "0")
    table.add_section()
    for multiplier in explanation["multipliers"]:
        table.add_row("multipliers", _multiplier(multiplier), "")
    return table


def _changes_table(explanation: Mapping[str, Any]) -> Table:
    table = _table(
        "What one step of a parameter costs",
        ("step",),
        ("memory bits", "latency", "cycles\na channel", "error\nbound"),
        caption="latency and cycles of the largest count; bound in units of y's last place at beta = 0",
    )
    table.add_column("multipliers")
    table.add_column("widths that move, bits")
    idle = []
    for change in explanation["changes"]:
        step = f"{change['parameter']}\n{_shown(change['from'])} → {_shown(change['to'])}"
        numbers = [
            _moved(explanation[name], change[name])
            for name in ("memory_bits", "latency", "cycles_per_channel", "error_bound")
        ]
        same = change["multipliers"] == explanation["multipliers"]
        multipliers = "" if same else "\n".join(map(_multiplier, change["multipliers"]))
        widths = ", ".join(f"{_short(name)} {step:+}" for name, step in change["widths_change"].items())
        if any([*numbers, multipliers, widths]):
            table.add_row(step, *numbers, multipliers, widths)
        else:
            idle.append(step.replace("\n", " "))
    if idle:
        table.caption = f"{table.caption}\nnothing changes here: {', '.join(idle)}"
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
