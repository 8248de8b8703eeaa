"""Runs of the benches of units, shared by the tests of every direction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from l1bn.config import Configuration
from l1bn.generator import generate
from l1bn.units import unit
from l1bn_sim.design import Design
from l1bn_sim.runner import run_bench
from l1bn_vectors.shapes import stream_ports

__all__ = ["name", "simulate", "slow"]


def simulate(parameters: Mapping[str, Any], store: Path, folder: Path, seed: int) -> set[str]:
    """Run the bench of a unit's direction with what the unit states of itself; returns what was covered."""
    config = Configuration.from_mapping(parameters)
    device = unit(config)
    outcome = run_bench(
        Design("unit", generate.verilog(device, "unit"), stream_ports(device)),
        f"l1bn_sim.bench_{config.direction}",
        folder,
        store=store,
        seed=seed,
        parameters={
            "configuration": config.to_mapping(),
            "latency": [first_latency(device, count) for count in config.counts],
            "cycles_per_channel": [device.cycles_per_channel(count) for count in config.counts],
        },
    )
    return {point for point, times in outcome.result["coverage"].items() if times}


def slow(cases: Iterable[Any]) -> list[Any]:
    """Cases of a test that run only when asked for."""
    return [pytest.param(case, marks=pytest.mark.slow) for case in cases]


def first_latency(device: Any, count: int) -> int:
    """Of the first channel after a reset: where its mean is guessed, the guess is bad."""
    return device.missed_latency(count, 0) if device.config.guesses else device.latency(count)


def name(parameters: Mapping[str, Any]) -> str:
    """The name of a test with these parameters."""
    values = (value if isinstance(value, list) else [value] for value in parameters.values())
    return "-".join("_".join(map(str, value)) for value in values)
