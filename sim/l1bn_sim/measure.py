"""One row of the report: a forward unit, generated, simulated on feature maps and measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from l1bn import generate
from l1bn.config import Configuration
from l1bn.forward import unit

from .design import Design, stream_ports
from .runner import run_bench

__all__ = ["Job", "Measurement", "Row", "measure", "run_name"]


@dataclass(frozen=True)
class Job:
    """What :func:`measure` needs: the unit, its channels ``x`` (channels, count), where to leave results."""

    config: Configuration
    x: np.ndarray
    seed: int
    output: Path
    waves: bool


@dataclass(frozen=True)
class Row:
    """A row of ``report.json``; cycles and samples per cycle are those of the steady state.

    ``mismatches`` counts the values of y and of the statistics that are not the integer model's.
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
    """Name of a run's folder and files, such as ``l2_one_pass_w16_p4_n1024``."""
    outside = ["outside"] if config.storage == "outside" else []
    form = str(config.form).replace("-", "_")
    return "_".join(
        [config.norm, form, f"w{config.width}", f"p{config.lanes}", f"n{config.counts[0]}", *outside]
    )


def measure(job: Job) -> Measurement:
    """Simulate a job's unit; see :func:`l1bn_sim.runner.run_bench` for what it raises."""
    config = job.config
    device = unit(config)
    name = run_name(config)
    design = Design(name, generate.verilog(device, name), stream_ports(device))
    folder = job.output / "runs" / name
    folder.mkdir(parents=True, exist_ok=True)
    gamma, beta = _parameters(config, len(job.x), job.seed)
    np.savez(folder / "channels.npz", x=job.x, gamma=gamma, beta=beta)
    parameters: dict[str, Any] = {"configuration": config.to_mapping(), "channels": "channels.npz"}
    waves = job.output / f"{name}.fst" if job.waves else None
    outcome = run_bench(
        design,
        "l1bn_sim.bench_maps",
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


def _parameters(config: Configuration, channels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """gamma around 1 of either sign and beta around 0, one pair a channel."""
    draw = np.random.default_rng(seed)
    assert (
        config.gamma_fraction is not None
        and config.beta_fraction is not None
        and config.beta_width is not None
    )
    gamma = draw.normal(1, 0.3, channels) * draw.choice([-1, 1], channels) * (1 << config.gamma_fraction)
    beta = draw.normal(0, 0.5, channels) * (1 << config.beta_fraction)
    return _within(gamma, config.gamma_width), _within(beta, config.beta_width)


def _within(values: np.ndarray, width: int) -> np.ndarray:
    limit = 1 << (width - 1)
    return np.clip(np.rint(values), -limit, limit - 1).astype(np.int64)
