"""One row of the report: a unit, generated, simulated on real channels and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l1bn.config import Configuration
from l1bn.units import unit

from .design import Design
from .periods import steady_period
from .runner import run_bench

__all__ = ["Job", "Measurement", "Row", "measure", "run_name"]


@dataclass(frozen=True)
class Job:
    """What :func:`measure` needs: the unit, channels of each of its counts, where to leave results.

    The channels are those of :func:`l1bn_sim.real_channels.real_channels`.
    """

    config: Configuration
    channels: Sequence[Mapping[str, np.ndarray]]
    seed: int
    output: Path
    waves: bool


@dataclass(frozen=True)
class Row:
    """A row of ``report.json``, a unit with one of its counts; cycles and samples per cycle are of the steady state.

    ``mismatches`` counts the values of y and of the statistics, or of dx, dgamma and dbeta, that are not the
    integer model's. ``samples`` and ``max_error_lsb`` are those of y or dx. Where means are guessed, ``hits`` and
    ``misses`` are what the unit says of its guesses, and ``suspects_per_sample`` those of the model, without pauses.
    """

    norm: str
    form: str
    direction: str
    width: int
    lanes: int
    count: int
    samples: int
    mismatches: int
    max_error_lsb: float
    cycles_per_channel: float
    predicted_cycles_per_channel: int
    samples_per_cycle: float
    seed: int
    hits: int = 0
    misses: int = 0
    suspects_per_sample: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """A row for each count, and what does not go into the report's file: what was covered, and where waves are."""

    rows: tuple[Row, ...]
    coverage: dict[str, int]
    waves: Path | None


def run_name(config: Configuration) -> str:
    """Name of a run's folder and files, such as ``l2_one_pass_w16_p4_n1024`` or ``l1_backward_w8_p1_n64``."""
    counts = "_".join(map(str, config.counts))
    outside = ["outside"] if config.storage == "outside" else []
    kind = str(config.form).replace("-", "_") if config.direction == "forward" else config.direction
    return "_".join(
        [config.norm.replace("-", "_"), kind, f"w{config.width}", f"p{config.lanes}", f"n{counts}", *outside]
    )


def measure(job: Job) -> Measurement:
    """Simulate a job's unit; see :func:`l1bn_sim.runner.run_bench` for what it raises."""
    config = job.config
    device = unit(config)
    name = run_name(config)
    design = Design.of_unit(device, name)
    folder = job.output / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"{name}_{count}": a for count, each in enumerate(job.channels) for name, a in each.items()}
    np.savez(folder / "channels.npz", allow_pickle=False, **arrays)
    parameters: dict[str, Any] = {"configuration": config.to_mapping(), "channels": "channels.npz"}
    waves = job.output / f"{name}.fst" if job.waves else None
    outcome = run_bench(
        design,
        "l1bn_sim.bench_measured",
        folder,
        store=job.output / "models",
        seed=job.seed,
        parameters=parameters,
        waves=waves,
    )
    results = zip(config.counts, outcome.result["steady"], outcome.result["paused"], strict=True)
    rows = tuple(_row(job, count, device.cycles_per_channel(count), *phases) for count, *phases in results)
    return Measurement(rows, outcome.result["coverage"], waves)


def _row(job: Job, count: int, predicted: int, steady: Mapping[str, Any], paused: Mapping[str, Any]) -> Row:
    config = job.config
    period = steady_period(np.asarray(steady["periods"]))
    cycles = float(np.mean(steady["periods"]) if period is None else period)
    return Row(
        norm=config.norm,
        form=str(config.form),
        direction=config.direction,
        width=config.width,
        lanes=config.lanes,
        count=count,
        samples=steady["samples"] + paused["samples"],
        mismatches=steady["mismatches"] + paused["mismatches"],
        max_error_lsb=max(steady["max_error_lsb"], paused["max_error_lsb"]),
        cycles_per_channel=cycles,
        predicted_cycles_per_channel=predicted,
        samples_per_cycle=count / cycles,
        hits=steady["hits"],
        misses=steady["misses"],
        suspects_per_sample=steady["suspects"] / steady["samples"],
        seed=job.seed,
    )
