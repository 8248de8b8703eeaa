"""``python -m l1bn_synth.schematic``: the schematic of an operator, drawn by netlistsvg."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from l1bn.logic import rtlil

from .entry import run_command
from .registry import Subject, units
from .tools import ToolMissing, run_tool
from .yosys import run_yosys

__all__ = ["main", "netlist", "operators", "slug"]

NETLISTSVG = "netlistsvg@1.0.2"
INSTALL = "netlistsvg is missing; install: apt-get install npm, which brings npx, or npm install --global netlistsvg"


def slug(unit: Subject) -> str:
    """The name of a unit as a word: ``mean-sum``, ``square-root-iterative``."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in unit.name).split()).lower()


def operators(width: int) -> dict[str, Subject]:
    """The units of the registry that are no whole normalisers by :func:`slug`, with one lane and that width.

    One that does not come in that width has its own.
    """
    found: dict[str, Subject] = {}
    for unit in units().values():
        if unit.group == "top" or unit.lanes != 1:
            continue
        if slug(unit) not in found or unit.width == width:
            found[slug(unit)] = unit
    return found


def netlist(unit: Subject) -> str:
    """The unit in Yosys' JSON, as registers, adders, comparisons and choices of whole words."""
    source = rtlil.convert(unit.build("portable"), "unit")
    with tempfile.TemporaryDirectory(prefix="l1bn-yosys-") as name:
        folder = Path(name)
        (folder / "unit.il").write_text(source, encoding="utf-8")
        run_yosys(
            """
            read_rtlil unit.il
            prep -top unit -flatten
            opt_clean -purge
            write_json unit.json
            """,
            folder,
        )
        return (folder / "unit.json").read_text(encoding="utf-8")


def netlistsvg() -> list[str]:
    """The command that draws. Raises :exc:`ToolMissing` where there is neither netlistsvg nor npx to fetch it."""
    if shutil.which("netlistsvg"):
        return ["netlistsvg"]
    if shutil.which("npx"):
        return ["npx", "--yes", NETLISTSVG]
    raise ToolMissing(INSTALL)


def draw(text: str, program: Sequence[str], path: Path) -> None:
    """Draw a netlist as SVG."""
    with tempfile.TemporaryDirectory(prefix=".schematic-", dir=path.parent) as name:
        folder = Path(name)
        (folder / "unit.json").write_text(text, encoding="utf-8")
        run_tool("netlistsvg", [*program, "unit.json", "-o", "unit.svg"], folder)
        picture = (folder / "unit.svg").read_text(encoding="utf-8")
        picture = picture.replace("<svg ", '<svg style="background:white" ', 1)
        (folder / "unit.svg").write_text(picture, encoding="utf-8")
        os.replace(folder / "unit.svg", path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("operator", required=False)
@click.option("--width", type=int, help="Bits of a sample.  [default: 8 where there is such an operator]")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/schematic"),
    show_default=True,
    help="Folder of the picture.",
)
def command(operator: str | None, width: int | None, output: Path) -> int:
    """Draw the schematic of OPERATOR; without one, list the operators there are."""
    known = operators(8 if width is None else width)
    if operator is None:
        for name, unit in known.items():
            click.echo(f"{name} ({unit.width} bits)")
        return 0
    if operator not in known:
        raise click.ClickException(f"OPERATOR = {operator!r} is not possible; allowed: {', '.join(known)}")
    unit = known[operator]
    if width not in (None, unit.width):
        widths = sorted({each.width for each in units().values() if each.lanes == 1 and slug(each) == operator})
        allowed = " or ".join(map(str, widths))
        raise click.ClickException(f"WIDTH = {width} is not possible; allowed for {operator}: {allowed}")
    program = netlistsvg()
    path = output / f"{operator}-w{unit.width}.svg"
    output.mkdir(parents=True, exist_ok=True)
    draw(netlist(unit), program, path)
    click.echo(path)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for bad input or a missing tool, 1 for a failing one."""
    return run_command(command, "python -m l1bn_synth.schematic", arguments)


if __name__ == "__main__":
    sys.exit(main())
