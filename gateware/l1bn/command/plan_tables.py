"""Tables for people: a plan for a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l1bn_console.tables import Table, names, numbers, texts

__all__ = ["plan_tables"]


def plan_tables(plan: Mapping[str, Any]) -> Iterator[Table]:
    """A plan, as :func:`l1bn.plan.describe` gives it, as tables to print one after the other."""
    yield _layers_table(plan)
    yield _parameters_table(plan)
    yield _figures_table(plan)


def _layers_table(plan: Mapping[str, Any]) -> Table:
    layers = plan["layers"]
    table = Table(
        f"Normalisation layers of {plan['model']}, batch {plan['batch']}",
        [*numbers("#"), *texts("layer"), *numbers("channels", "samples a channel", "select", "cycles")],
        keys=2,
        notes=_layer_notes(plan),
    )
    for number, layer in enumerate(layers, start=1):
        cells = (layer["channels"], layer["count"], layer["select"], layer["cycles"])
        table.add(str(number), layer["name"], *(f"{cell:,}" for cell in cells))
    return table


def _layer_notes(plan: Mapping[str, Any]) -> list[str]:
    """What happened to the numbers of the layers."""
    norm, layers = plan["configuration"]["norm"], plan["layers"]
    others = sorted({layer["made_with"] for layer in layers} - {norm})
    notes = []
    if others:
        notes.append(
            f"made with {' and '.join(others)}: gamma, epsilon and running statistics are translated to {norm} as for"
            " Gaussian samples"
        )
    for name in ("gamma", "beta", "mean", "spread"):
        tables = [layer["tables"].get(name) for layer in layers]
        if None in tables:
            notes.append(f"{name}: {tables.count(None)} of {len(tables)} layers do not say any")
        lost = sum(table["saturated"] for table in tables if table)
        if lost:
            notes.append(f"{name}: {lost} channels do not fit into its format and are saturated")
    return notes


def _parameters_table(plan: Mapping[str, Any]) -> Table:
    table = Table("One unit for all of them", [*names("parameter"), *texts("value", "why")])
    for name, value in plan["parameters"].items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add(name, f"{value:.6g}" if isinstance(value, float) else shown, plan["reasons"][name])
    if not any(layer["observed"] for layer in plan["layers"]):
        table.notes.append("no calibration data: widths and fractions of x and y are the defaults or as asked for")
    return table


def _figures_table(plan: Mapping[str, Any]) -> Table:
    estimate = plan["estimate"]
    table = Table("What it takes", [*texts("what"), *numbers("number"), *texts("how that is known")])
    table.add("cycles a batch", f"{plan['cycles']:,}", "one layer after the other, without a pause")
    table.add("samples a batch", f"{plan['samples']:,}", "of all layers")
    if plan["mhz"] is not None:
        clock = "estimate: that of the preset" if plan["mhz"] == estimate["mhz"] else "as asked for"
        table.add("MHz", f"{plan['mhz']:.1f}", clock)
        table.add("samples a second", f"{plan['samples_per_second']:,.0f}", "samples a batch / cycles a batch * MHz")
        table.add("batches a second", f"{plan['batches_per_second']:,.2f}", "MHz / cycles a batch")
    table.section()
    table.add("bits of buffers", f"{plan['memory_bits']:,}", "of the unit as it is")
    table.add("BRAM", f"{estimate['bram']:,}", f"blocks of an {estimate['device']} for those bits")
    table.add("DSP", f"{estimate['dsp']:,}", "blocks for the unit's multipliers")
    if estimate["nearest"] is None:
        table.notes.append("LUT, FF and MHz: no estimate, because no preset of this direction and target was measured")
        return table
    unlike, moved = ", ".join(estimate["unlike"]), "; ".join(estimate["moved"])
    how = f"estimate: measured for preset {estimate['nearest']}"
    how += f" (which has {unlike})" * bool(unlike) + f", then moved: {moved}" * bool(moved)
    table.add("LUT", f"{estimate['lut']:,}", how)
    table.add("FF", f"{estimate['ff']:,}", "estimate: as LUT")
    return table
