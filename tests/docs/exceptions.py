"""What of the pages is not run in the test suite, and why: the one place where anything is left out.

A command that is listed here is still taken apart in the suite: its target, its variables and its options exist.
``make docs-check`` runs it unless ``never`` says why not.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FIGURES", "SHOWN", "SKIPPED", "Skipped"]


@dataclass(frozen=True)
class Skipped:
    """Commands that begin with ``start``; ``reason`` keeps them out of the suite, ``never`` out of docs-check too.

    Where the program ``needs`` is missing a command is left out as well. ``timed`` matches what depends on the machine
    in the output that a page shows.
    """

    start: str
    reason: str
    never: str = ""
    needs: str = ""
    timed: str = ""


NPM = "fetches a program from npm"
SKIPPED = [
    Skipped("make sim", "compiles a model of each unit: a minute"),
    Skipped("make setup", "installs everything"),
    Skipped("make test", "is the suite", never="runs this very test; continuous integration has both"),
    Skipped("make lint", "checks the whole project"),
    Skipped(".ci/run", "is the suite and more", never="runs this very test"),
    Skipped("make synth", "places and routes for minutes"),
    Skipped("make synth TARGET=osu018", "synthesises for minutes", needs="sta"),
    Skipped("iverilog", "", needs="iverilog"),
    Skipped("make synth TARGET=ice40 PRESET=paper", "hours", never="hours"),
    Skipped("make synth-check", "places and routes for minutes"),
    Skipped("make peers", "places and routes for minutes"),
    Skipped("make train", "trains for minutes"),
    Skipped("make train PRESET=full", "trains for minutes", never="twenty minutes; the quick one is the same code"),
    Skipped("make loop", "trains for a minute, on models that it compiles", timed=r"[ \d]+│$"),
    Skipped("make accelerator", "simulates for a minute, on models that it compiles"),
    Skipped("make accelerator-synth", "places and routes for minutes"),
    Skipped("make schematic OPERATOR=absolute-value", NPM, never=NPM),
    Skipped("make schematic OPERATOR=mean-sum", NPM, never=NPM),
    Skipped("make schematic", "elaborates every operator"),
    Skipped(".venv/bin/python -m l1bn_golden.benchmark", "measures the machine", timed=r"[ \d.]+$"),
    Skipped("make accuracy", "a hundred million samples: minutes"),
    Skipped(
        ".venv/bin/python -m l1bn_sim.hardware_benchmark",
        "measures the machine, on models that it compiles",
        timed=r"[ \d.]+$",
    ),
    Skipped(
        "make presets",
        "places and routes for minutes",
        never="rewrites a file of the package",
    ),
]

SHOWN = {
    "class Backend(Protocol)": "a protocol of l1bn_golden.backend, whose signatures are compared",
    "BackendFactory = ": "a type of l1bn_golden.backend, which is compared",
}
"""Python that is shown, not run."""

_FLOW = "a drawing of the flow of data"
_CYCLES = "formulas of cycles, which tests/gateware hold units to"
_ARITHMETIC = "formulas of the contract, which tests/golden and tests/gateware hold both sides to"
_LAYERS = "formulas of the integer layers, which tests/golden hold them to"
FIGURES = {
    "docs/accelerator.md": {"pixels -->": _FLOW},
    "hw/accelerator/README.md": {"pixels -->": _FLOW},
    "docs/synthesis.md": {"Amaranth --": _FLOW},
    "docs/training_unit.md": {"i_x --+": _FLOW, "latency ": _CYCLES},
    "docs/architecture.md": {"beats ": _CYCLES, "latency ": _CYCLES},
    "docs/arithmetic.md": {"": _ARITHMETIC},
    "docs/own_norm.md": {"e    =": _ARITHMETIC},
    "docs/training.md": {"x  ": _LAYERS, "|error|": _LAYERS},
}
"""Blocks that are no code, by how they begin."""
