"""Speed of the integer model on this machine: ``python -m l1bn_golden.benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from l1bn_console.endings import exit_code

from .contract import Contract
from .data import gaussian
from .integer import forward
from .norms import NORMS

__all__ = ["main", "samples_per_second"]


def samples_per_second(norm: str, width: int, count: int, samples: int, seed: int) -> float:
    """Best of three runs of :func:`~l1bn_golden.integer.forward` over ``samples`` samples on one core."""
    contract = Contract(norm=norm, width=width, counts=(count,))
    x = gaussian(np.random.default_rng(seed), (max(1, samples // count), count), width)
    gamma = 1 << contract.gamma_fraction
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        forward(contract, x, gamma, 0)
        best = min(best, time.perf_counter() - start)
    return x.size / best


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="l1bn_golden.benchmark", description=__doc__)
    parser.add_argument("--samples", type=int, default=4_000_000, help="samples a run (default: %(default)s)")
    parser.add_argument("--count", type=int, default=1024, help="samples a channel (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the samples (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the speeds as JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.samples < 1:
        parser.error(f"samples = {options.samples} is not possible; allowed: 1 or more")
    if options.seed < 0:
        parser.error(f"seed = {options.seed} is not possible; allowed: 0 or more")
    try:
        Contract(counts=(options.count,))
    except ValueError as error:
        parser.error(str(error))

    if not options.json:
        print(f"numpy {np.__version__}, n = {options.count}, seed {options.seed}")
        print("norm   W   million samples/s")
    rows = []
    for norm in NORMS:
        for width in (8, 12, 16, 24, 32):
            speed = samples_per_second(norm, width, options.count, options.samples, options.seed)
            rows.append({"norm": norm, "width": width, "count": options.count, "samples_per_second": speed})
            if not options.json:
                print(f"{norm:4}  {width:2}   {speed / 1e6:17.1f}")
    if options.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    sys.exit(exit_code(main, "l1bn_golden.benchmark: error"))
