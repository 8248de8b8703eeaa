"""The example accelerator of ``hw/accelerator`` against NumPy: ``python -m l1bn_sim.accelerator``.

A plain Verilog bench compares every sample of the feature maps, of the normalised ones and of the outputs with
:mod:`l1bn_sim.layer`, at full speed and with pauses on every stream, under Verilator and, where it is installed,
Icarus Verilog.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from l1bn.config import Configuration
from l1bn.export import export
from l1bn_console.tables import Table, coloured, names, print_json, print_tables, print_text, texts
from l1bn_golden import Contract

from . import toolchain
from .commands import exit_code
from .compile import LOG, call
from .layer import CHANNELS, IMAGES, SHIFT, SIDE, Case, Integers, Result, compute, digits, extremes

__all__ = ["SOURCES", "build_ip", "main", "normaliser", "normaliser_contract", "write_vectors"]

SOURCES = Path(__file__).parents[2] / "hw" / "accelerator"
MODULES = ("accelerator", "image_buffer", "window", "convolution", "requantise")
SEEDS = (0, 7)
"""Of the pauses on the streams; 0 stands for none."""
CASES: tuple[Callable[[], Case], ...] = (digits, extremes)


@dataclass(frozen=True)
class Run:
    """A simulation and what its bench said."""

    simulator: str
    case: str
    seed: int
    verdict: str

    @property
    def passed(self) -> bool:
        return self.verdict.startswith("PASS")


def normaliser() -> tuple[Configuration, str]:
    """The configuration and the name of the normaliser in the accelerator."""
    values = tomllib.loads((SOURCES / "normaliser.toml").read_text(encoding="utf-8"))
    name = values.pop("name")
    return Configuration.from_mapping(values), name


def normaliser_contract() -> Contract:
    """What the normaliser computes."""
    return Contract.from_parameters(normaliser()[0].to_mapping())


def build_ip(folder: Path, target: str | None = None) -> Path:
    """Export the normaliser to a folder of its own, by default for its own target; returns its Verilog."""
    config, name = normaliser()
    if target is not None:
        config = dataclasses.replace(config, target=target)
    return export(config, name=name, folder=folder, force=True) / "rtl" / f"{name}.v"


def write_vectors(case: Case, result: Result, folder: Path) -> None:
    """The files that the bench reads: a number a line, hexadecimal, in two's complement."""
    affine = (case.beta & 0xFFFF) << 16 | (case.gamma & 0xFFFF)
    files = {
        "pixels": (case.pixels, 8),
        "weights": (case.kernels, 8),
        "affine": (affine, 32),
        "maps": (result.maps, 19),
        "normalised": (result.normalised, 16),
        "outputs": (result.outputs, 8),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (values, bits) in files.items():
        digits = -(-bits // 4)
        words = (values.ravel() & ((1 << bits) - 1)).tolist()
        text = "".join(f"{word:0{digits}x}\n" for word in words)
        (folder / f"{name}.hex").write_text(text, encoding="utf-8")


def build_simulators(folder: Path, ip: Path) -> dict[str, list[str]]:
    """The commands that simulate the bench, by simulator."""
    bench = [SOURCES / f"{name}.v" for name in ("accelerator_tb", *MODULES)]
    files = [str(path.resolve()) for path in (*bench, ip)]
    top = ["--top-module", "accelerator_tb", "-Mdir", "verilated"]
    make = ["-CFLAGS", "-std=c++20", "-MAKEFLAGS", "VM_PARALLEL_BUILDS=0 OPT_FAST=-O1 OPT_SLOW=-O0"]
    built = folder.resolve() / "verilator"
    with toolchain.workplace(folder) as place:
        call(place, ["verilator", "--binary", "--timing", *top, *make, *files])
        shutil.copy2(place / "verilated" / "Vaccelerator_tb", built)
    commands = {"Verilator": [str(built)]}
    if shutil.which("iverilog"):
        compiled = folder.resolve() / "icarus.vvp"
        call(folder, ["iverilog", "-g2001", "-s", "accelerator_tb", "-o", str(compiled), *files])
        commands["Icarus"] = ["vvp", "-n", str(compiled)]
    return commands


def simulate(simulator: str, command: list[str], case: Case, seed: int, vectors: Path) -> Run:
    """Run the bench on the vectors of a case."""
    pauses = [f"+pauses={seed}"] if seed else []
    (vectors / LOG).unlink(missing_ok=True)
    call(vectors, [*command, f"+batches={len(case.pixels)}", *pauses])
    said = (vectors / LOG).read_text(encoding="utf-8")
    verdict = re.search(r"^(PASS|FAIL) .*$", said, flags=re.MULTILINE)
    return Run(simulator, case.name, seed, verdict[0] if verdict else f"FAIL {said.strip()[-200:]}")


def run_all(folder: Path) -> list[Run]:
    """Build everything in ``folder`` and simulate every case."""
    ip = build_ip(folder / "ip")
    contract = normaliser_contract()
    commands = build_simulators(folder, ip)
    runs = []
    for make in CASES:
        case = make()
        vectors = folder / case.name
        write_vectors(case, compute(case, contract), vectors)
        runs += [
            simulate(simulator, command, case, seed, vectors)
            for simulator, command in commands.items()
            for seed in SEEDS
        ]
    return runs


def draw(case: Case, result: Result, path: Path) -> None:
    """A picture of the first batch: its images, and what each channel makes of them on the way."""
    from matplotlib import pyplot

    rows = {
        "feature map": result.maps[0] / 2.0**14,
        "normalised": result.normalised[0] / 2.0**12,
        "output": result.outputs[0] / 2.0 ** (12 - SHIFT),
    }
    style: dict[Any, Any] = {"font.size": 9, "axes.titlesize": 9}
    with pyplot.rc_context(style):
        figure = pyplot.figure(figsize=(9, 5.4), layout="constrained")
        grid = figure.add_gridspec(len(rows), CHANNELS + 1)
        _show(figure.add_subplot(grid[1, 0]), _tiled(case.pixels[0]), "input, 16 images")
        for row, (name, values) in enumerate(rows.items()):
            lowest, highest = float(values.min()), float(values.max())
            for channel in range(CHANNELS):
                tiles = _tiled(values[channel].reshape(IMAGES, SIDE, SIDE))
                title = f"{name}, channel {channel}" if channel == 0 else f"channel {channel}"
                axes = figure.add_subplot(grid[row, channel + 1])
                image = _show(axes, tiles, title, lowest, highest)
            figure.colorbar(image, ax=axes, fraction=0.05)
        figure.savefig(path, dpi=100, metadata={"Software": None})
        pyplot.close(figure)


def _tiled(images: Integers) -> Integers:
    """Sixteen images, four beside and four below each other, with a line of nothing between them."""
    framed = np.pad(images.astype(float), ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    across = 4
    tiles = framed.reshape(-1, across, *framed.shape[1:]).transpose(0, 2, 1, 3)
    return tiles.reshape(len(images) // across * framed.shape[1], -1)[:-1, :-1]


def _show(
    axes: Any, values: Any, title: str, lowest: float | None = None, highest: float | None = None
) -> Any:
    axes.set_title(title)
    axes.set_axis_off()
    return axes.imshow(values, cmap="viridis" if highest else "gray", vmin=lowest, vmax=highest)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/accelerator"),
    show_default=True,
    help="Folder of the normaliser, the vectors, the simulations and the picture.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON instead of a table.")
def command(output: Path, as_json: bool) -> int:
    """Simulate the example accelerator on handwritten digits and compare every sample with NumPy."""
    toolchain.require()
    output.mkdir(parents=True, exist_ok=True)
    runs = run_all(output)
    if as_json:
        print_json([dataclasses.asdict(run) for run in runs])
        return 0 if all(run.passed for run in runs) else 1
    print_tables(_table(runs))
    if shutil.which("iverilog") is None:
        print_text("Icarus Verilog is not installed and was left out; install: apt-get install iverilog")
    case = digits()
    picture = output / "accelerator.png"
    draw(case, compute(case, normaliser_contract()), picture)
    click.echo(f"picture: {picture}")
    return 0 if all(run.passed for run in runs) else 1


def _table(runs: Iterable[Run]) -> Table:
    columns = [*names("simulator", "input"), *texts("pauses", "verdict")]
    table = Table("The example accelerator against NumPy", columns, keys=2)
    for run in runs:
        pauses = f"at random, seed {run.seed}" if run.seed else "none"
        colour = "green" if run.passed else "red"
        table.add(run.simulator, run.case, pauses, coloured(run.verdict, colour))
    return table


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a mismatch, 2 for a missing tool, 130 for Ctrl-C."""
    return exit_code(
        lambda: command.main(arguments, prog_name="python -m l1bn_sim.accelerator", standalone_mode=False)
    )


if __name__ == "__main__":
    sys.exit(main())
