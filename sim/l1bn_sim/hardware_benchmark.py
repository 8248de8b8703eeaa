"""Speed of the Verilated units on this machine: ``python -m l1bn_sim.hardware_benchmark``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from l1bn.config import Configuration, ConfigurationError
from l1bn_golden.data import gaussian

from .compile import BuildError
from .hardware import STORE
from .hardware_units import ForwardHardware
from .toolchain import ToolchainError

__all__ = ["main", "speed"]

UNITS = (("l1", 8, 1), ("l1", 16, 1), ("l1", 16, 4), ("l1", 16, 16), ("l2", 16, 1), ("l2", 16, 16))
COUNT = 1024
RUNS = 3


def speed(config: Configuration, cycles: int, seed: int, store: Path) -> tuple[float, float]:
    """Clock cycles and samples a second of CPU time, packing and unpacking included: the best of three runs.

    A run has as many channels as take about ``cycles`` cycles.
    """
    count = config.counts[0]
    with ForwardHardware(config, store=store) as normalise:
        period = normalise.component.cycles_per_channel(count)
        x = gaussian(np.random.default_rng(seed), (max(1, cycles // period), count), config.width)
        gamma = 1 << (config.gamma_width - 3)
        seconds, needed = [], 0
        for _ in range(RUNS):
            start = time.process_time()
            needed = normalise(x, gamma, 0).cycles
            seconds.append(time.process_time() - start)
    return needed / min(seconds), x.size / min(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each unit; returns 0, 2 for bad input or a missing tool, 1 for a build that fails."""
    parser = argparse.ArgumentParser(prog="l1bn_sim.hardware_benchmark", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1_000_000, help="cycles a run (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the samples (default: %(default)s)")
    parser.add_argument(
        "--store", type=Path, default=STORE, help="folder of the models (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.cycles < 1:
        parser.error(f"cycles = {options.cycles} is not possible; allowed: 1 or more")
    print(f"forward units, n = {COUNT}, {options.cycles:,} cycles a run, one core, seed {options.seed}")
    print("norm   W  lanes   million cycles/s   million samples/s")
    for norm, width, lanes in UNITS:
        config = Configuration(norm=norm, width=width, lanes=lanes, counts=(COUNT,))
        try:
            cycles, samples = speed(config, options.cycles, options.seed, options.store)
        except (ToolchainError, ConfigurationError) as error:
            return _fail(str(error), 2)
        except BuildError as error:
            return _fail(str(error), 1)
        print(f"{norm:4}  {width:2}  {lanes:5}   {cycles / 1e6:16.2f}   {samples / 1e6:17.2f}")
    return 0


def _fail(message: str, code: int) -> int:
    print(f"l1bn_sim: error: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
