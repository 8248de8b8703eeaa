"""One row of the report: a unit, generated, simulated on real channels and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l1bn import generate
from l1bn.config import Configuration
from l1bn.units import unit

from .design import Design, stream_ports
from .runner import run_bench

__all__ = ["Job", "Measurement", "Row", "measure", "run_name"]


@dataclass(frozen=True)
class Job:
    """What :func:`measure` needs: the unit, its channels (:func:`real_channels`), where to leave results."""

    config: Configuration
    channels: Mapping[str, np.ndarray]
    seed: int
    output: Path
    waves: bool


@dataclass(frozen=True)
class Row:
    """A row of ``report.json``; cycles and samples per cycle are those of the steady state.

    ``mismatches`` counts the values of y and of the statistics, or of dx, dgamma and dbeta, that are not the
    integer model's. ``samples`` and ``max_error_lsb`` are those of y or dx.
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


@dataclass(frozen=True)
class Measurement:
    """A row with what does not go into the report's file: what the run covered, and where its waves are."""

    row: Row
    coverage: dict[str, int]
    waves: Path | None


def run_name(config: Configuration) -> str:
    """Name of a run's folder and files, such as ``l2_one_pass_w16_p4_n1024`` or ``l1_backward_w8_p1_n64``."""
    outside = ["outside"] if config.storage == "outside" else []
    kind = str(config.form).replace("-", "_") if config.direction == "forward" else config.direction
    return "_".join(
        [config.norm, kind, f"w{config.width}", f"p{config.lanes}", f"n{config.counts[0]}", *outside]
    )


def measure(job: Job) -> Measurement:
    """Simulate a job's unit; see :func:`l1bn_sim.runner.run_bench` for what it raises."""
    config = job.config
    device = unit(config)
    name = run_name(config)
    design = Design(name, generate.verilog(device, name), stream_ports(device))
    folder = job.output / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "channels.npz", allow_pickle=False, **job.channels)
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
    steady, paused = outcome.result["steady"], outcome.result["paused"]
    cycles = float(np.mean(steady["periods"]))
    row = Row(
        norm=config.norm,
        form=str(config.form),
        direction=config.direction,
        width=config.width,
        lanes=config.lanes,
        count=config.counts[0],
        samples=steady["samples"] + paused["samples"],
        mismatches=steady["mismatches"] + paused["mismatches"],
        max_error_lsb=max(steady["max_error_lsb"], paused["max_error_lsb"]),
        cycles_per_channel=cycles,
        predicted_cycles_per_channel=device.cycles_per_channel(config.counts[0]),
        samples_per_cycle=config.counts[0] / cycles,
        seed=job.seed,
    )
    return Measurement(row, outcome.result["coverage"], waves)
