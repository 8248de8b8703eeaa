"""Speed of the Verilated units on this machine: ``python -m l1bn_sim.hardware_benchmark``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from l1bn.config import Configuration
from l1bn_console.tables import print_json
from l1bn_golden import Contract, forward
from l1bn_golden.data import gaussian

from .commands import exit_code
from .hardware import STORE
from .hardware_units import BackwardHardware, BackwardResult, ForwardHardware, ForwardResult

__all__ = ["main", "speed"]

UNITS = (
    *(("forward", "l1", width, lanes) for width, lanes in ((8, 1), (16, 1), (16, 4), (16, 16))),
    *(("forward", "l2", 16, lanes) for lanes in (1, 16)),
    *(("backward", norm, 16, lanes) for norm in ("l1", "l2") for lanes in (1, 16)),
)
"""Direction, norm, width, lanes."""

COUNT = 1024
RUNS = 3


def speed(config: Configuration, cycles: int, seed: int, store: Path) -> tuple[float, float]:
    """Clock cycles and samples a second of CPU time, packing and unpacking included: the best of three runs.

    A run has as many channels as take about ``cycles`` cycles.
    """
    count, gamma = config.counts[0], 1 << (config.gamma_width - 3)
    draw = np.random.default_rng(seed)

    def samples(period: int) -> NDArray[np.int64]:
        return gaussian(draw, (max(1, cycles // period), count), config.width)

    if config.direction == "forward":
        with ForwardHardware(config, store=store) as normalise:
            x = samples(normalise.component.cycles_per_channel(count))
            needed, seconds = _fastest(lambda: normalise(x, gamma, 0))
    else:
        with BackwardHardware(config, store=store) as differentiate:
            x = samples(differentiate.component.cycles_per_channel(count))
            dy = gaussian(draw, x.shape, config.width)
            contract = Contract.from_parameters(config.to_mapping())
            statistics = forward(contract, x, gamma, 0)
            needed, seconds = _fastest(lambda: differentiate(x, dy, gamma, statistics))
    return needed / seconds, x.size / seconds


def _fastest(call: Callable[[], ForwardResult | BackwardResult]) -> tuple[int, float]:
    """The cycles of a call, and the least CPU time that it took."""
    seconds, cycles = [], 0
    for _ in range(RUNS):
        start = time.process_time()
        cycles = call().cycles
        seconds.append(time.process_time() - start)
    return cycles, min(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each unit; returns 0, 2 for bad input or a missing tool, 1 for a build that fails."""
    parser = argparse.ArgumentParser(prog="l1bn_sim.hardware_benchmark", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1_000_000, help="cycles a run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the samples (default: %(default)s)")
    parser.add_argument(
        "--store", type=Path, default=STORE, help="folder of the models (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the speeds as JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.cycles < 1:
        parser.error(f"cycles = {options.cycles} is not possible; allowed: 1 or more")
    if options.seed < 0:
        parser.error(f"seed = {options.seed} is not possible; allowed: 0 or more")
    return exit_code(lambda: _print_speeds(options.cycles, options.seed, options.store, options.json))


def _print_speeds(cycles: int, seed: int, store: Path, as_json: bool) -> None:
    if not as_json:
        print(f"n = {COUNT}, {cycles:,} cycles a run, one core, seed {seed}")
        print("direction  norm   W  lanes   million cycles/s   million samples/s")
    rows = []
    for direction, norm, width, lanes in UNITS:
        config = Configuration(direction=direction, norm=norm, width=width, lanes=lanes, counts=(COUNT,))
        clock, samples = speed(config, cycles, seed, store)
        unit = {"direction": direction, "norm": norm, "width": width, "lanes": lanes, "count": COUNT}
        rows.append({**unit, "cycles_per_second": clock, "samples_per_second": samples})
        if as_json:
            continue
        print(f"{direction:9}  {norm:4}  {width:2}  {lanes:5}   {clock / 1e6:16.2f}   {samples / 1e6:17.2f}")
    if as_json:
        print_json(rows)


if __name__ == "__main__":
    sys.exit(main())
