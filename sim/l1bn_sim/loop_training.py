"""The command ``python -m l1bn_sim.loop_training``: a network of the study, trained with the generated hardware."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from rich.console import Console

from l1bn.command.options import option, value
from l1bn.config import Configuration, ConfigurationError
from l1bn.norms import NORMS
from l1bn_console.tables import Table, names, numbers, print_json, print_tables
from l1bn_golden.training.data import digits, mnist
from l1bn_golden.training.runs import Settings, execute

from . import toolchain
from .commands import exit_code
from .compile import BuildError
from .hardware import STORE, HardwareError
from .loop import HardwareLoop, LoopMismatch

__all__ = ["LoopRun", "main", "train"]

WIDTH = 8
EPOCHS = {"mlp": 10, "cnn": 2}


@dataclass(frozen=True)
class LoopRun:
    """A run with the hardware that equals the one with the integer model, value by value and in its result.

    ``accuracy`` is that of the trained network in per cent, ``values`` how many outputs of the hardware were
    compared, ``cycles`` how many clock cycles it took, ``seconds`` the CPU time of the run with the hardware,
    the network and the comparison included.
    """

    settings: Settings
    accuracy: float
    values: int
    cycles: int
    seconds: float


def train(settings: Settings, loop: HardwareLoop) -> LoopRun:
    """Train with the integer model, then the same again with the hardware, every output checked.

    Raises
    ------
    LoopMismatch
        An output of the hardware differs, or a loss or an accuracy of the two runs does.
    HardwareError, BuildError, ToolchainError
        See :mod:`l1bn_sim.hardware`.
    """
    expected = execute(settings)
    values, cycles, start = loop.compared, loop.cycles, time.process_time()
    found = execute(settings, loop.backend)
    if found != expected or "failed" in found:
        raise LoopMismatch(f"{settings.task}: the run gives {found}, expected {expected}")
    return LoopRun(
        settings,
        found["accuracy"][-1],
        loop.compared - values,
        loop.cycles - cycles,
        time.process_time() - start,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    0: all equal; 1: a difference, or hardware or a build that fails; 2: bad input or a missing tool; 130: Ctrl-C.
    """
    return exit_code(
        lambda: command.main(arguments, prog_name="python -m l1bn_sim.loop_training", standalone_mode=False),
        failures=(LoopMismatch, HardwareError, BuildError),
    )


UNIT = [option("norm", default="both"), option("width", default=str(WIDTH)), option("lanes")]
"""The options that say what the hardware is."""


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}, params=[*UNIT])
@click.option(
    "--task",
    type=click.Choice(["mlp", "cnn"]),
    default="mlp",
    show_default=True,
    help="Perceptron on 8x8 digits, or residual network on MNIST.",
)
@click.option("--epochs", type=click.IntRange(1), help="Epochs.  [default: 10 for mlp, 2 for cnn]")
@click.option("--images", type=int, help="Pictures for training, a multiple of 64.  [default: all]")
@click.option("--pauses", type=float, default=0.0, help="Share of idle and of stalled cycles, 0 to 0.9.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the run.")
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    default=STORE,
    show_default=True,
    help="Folder of the models.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON instead of a table.")
def command(
    task: str,
    epochs: int | None,
    images: int | None,
    pauses: float,
    seed: int,
    store: Path,
    as_json: bool,
    **typed: str | None,
) -> None:
    """Train a network twice: its norms computed by the integer model, then by the generated hardware.

    Every output of the hardware is compared with the model's as the training goes on, and the losses and
    accuracies of the two runs are at the end.
    """
    if not 0 <= pauses <= 0.9:
        raise ConfigurationError("pauses", pauses, "0 to 0.9")
    available = len((digits() if task == "mlp" else mnist()).train)
    images = available if images is None else images
    if not 64 <= images <= available or images % 64:
        raise ConfigurationError("images", images, f"a multiple of 64, at most {available}")
    given = {name: value(name, text) for name, text in typed.items() if text}
    trained = [name for name, each in NORMS.items() if each.gradient is not None]
    units = [
        Configuration.from_mapping({"width": WIDTH, "norm": norm, **given})
        for norm in ([given["norm"]] if "norm" in given else trained)
    ]
    toolchain.require()
    torch.set_num_threads(1)  # the layers are too small to gain from more
    runs = []
    for unit in units:
        settings = Settings(
            task=task,
            norm=unit.norm,
            width=unit.width,
            seed=seed,
            epochs=epochs or EPOCHS[task],
            images=images,
        )
        waiting = Console(stderr=True).status(f"{task}, {unit.norm}: training with the model, then the hardware")
        with waiting, HardwareLoop(lanes=unit.lanes, idle=pauses, stall=pauses, seed=seed, store=store) as loop:
            runs.append(train(settings, loop))
    if as_json:
        print_json([dataclasses.asdict(run) for run in runs])
    else:
        print_tables(_table(runs))


def _table(runs: list[LoopRun]) -> Table:
    title = "Trained with the generated hardware: no output, loss or accuracy differs from the model's"
    figures = ("epochs", "accuracy %", "values compared", "clock cycles", "seconds")
    table = Table(title, [*names("network", "norm"), *numbers("width", *figures)], keys=3)
    for run in runs:
        table.add(
            run.settings.task,
            run.settings.norm,
            run.settings.width,
            run.settings.epochs,
            f"{run.accuracy:.2f}",
            f"{run.values:,}",
            f"{run.cycles:,}",
            f"{run.seconds:.0f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
