"""The backward half of the accuracy study: gradients of random channels beside the bound of each of them.

dy is Gaussian with a standard deviation and an offset of its own in each channel; in every second channel it is
correlated with x too. gamma is up to the end of its range, of either sign.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .accuracy_samples import COUNTS, KINDS, draw, draw_gamma
from .contract import Contract
from .data import gaussian
from .exact_gradients import Errors, gradient_errors, ordinary_dx_bound, parameter_errors
from .integer import backward, forward
from .norms import norm_of
from .samples import Integers, saturate

__all__ = ["GradientRow", "gradient_report", "measure_gradients"]

BATCH = 1 << 17
"""Samples drawn at a time."""

HEADER = (
    f"{'norm':4} {'W':>2} {'M':>2}  {'n':18} {'data':12} {'dx':>9} {'saturated':>9}"
    f" {'max error':>9} {'of bound':>8}   {'dgamma':>7} {'of bound':>8}"
)


@dataclass
class GradientRow:
    """What one kind of data gave: numbers of dx, saturated ones apart, and the errors of dx and dgamma in LSB."""

    norm: str
    width: int
    scale_width: int
    counts: tuple[int, ...]
    kind: str
    outputs: int = 0
    saturated: int = 0
    dx: Errors = field(default_factory=Errors)
    dgamma: Errors = field(default_factory=Errors)

    @property
    def fails(self) -> bool:
        return max(self.dx.of_bound, self.dgamma.of_bound) > 1

    def __str__(self) -> str:
        sizes = ", ".join(str(count) for count in self.counts)
        return (
            f"{self.norm:4} {self.width:2} {self.scale_width:2}  {sizes:18} {self.kind:12} {self.outputs:9}"
            f" {self.saturated:9} {self.dx.largest:9.4f} {self.dx.of_bound:8.4f}   {self.dgamma.largest:7.4f}"
            f" {self.dgamma.of_bound:8.4f}{'  above the bound' if self.fails else ''}"
        )


def _gradients(rng: np.random.Generator, x: Integers, width: int) -> Integers:
    column = (len(x), 1)
    noise = gaussian(rng, x.shape, width, 2.0 ** rng.uniform(-8, -3, column), rng.uniform(-0.3, 0.3, column))
    centred = x - x.mean(axis=1, keepdims=True).astype(np.int64)
    noise[::2] = saturate(noise[::2] + centred[::2] // 4, width)
    return noise


def _extend(row: GradientRow, contract: Contract, rng: np.random.Generator) -> None:
    """One more batch into the row."""
    count = contract.counts[0]
    x = draw(row.kind, rng, BATCH // count, count, contract.width)
    dy = _gradients(rng, x, contract.dy_width)
    gamma = draw_gamma(rng, contract, len(x))
    result = backward(contract, x, dy, gamma, forward(contract, x, gamma, 0))
    end = 1 << (contract.dx_width - 1)
    at_the_ends = int(np.count_nonzero((result.dx == -end) | (result.dx == end - 1)))
    row.outputs += result.dx.size - at_the_ends
    row.saturated += at_the_ends
    row.dx |= gradient_errors(contract, x, dy, gamma, result.dx)
    row.dgamma |= parameter_errors(contract, x, dy, result.dgamma)


def measure_gradients(
    norm: str, width: int, scale_width: int, outputs: int, seed: int
) -> Iterator[GradientRow]:
    """The rows of a norm and its widths, at least ``outputs`` unsaturated dx together."""
    share = -(-outputs // (len(COUNTS) * len(KINDS) * len(COUNTS[0])))
    for counts in COUNTS:
        for kind in KINDS:
            row = GradientRow(norm, width, scale_width, counts, kind)
            for count in counts:
                contract = Contract(norm=norm, width=width, scale_width=scale_width, counts=(count,))
                key = (1, norm_of(norm).number, width, scale_width, KINDS.index(kind), count)
                rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
                enough = row.outputs + share
                while row.outputs < enough:
                    _extend(row, contract, rng)
            yield row


def gradient_report(cases: Sequence[tuple[str, int, int]], outputs: int, seed: int) -> list[GradientRow]:
    """Measure and print the rows of each ``(norm, W, M)``."""
    print("errors of dx and dgamma in LSB, and the largest share of its bound that one had")
    print(HEADER)
    rows: list[GradientRow] = []
    for number, case in enumerate(cases, start=1):
        for row in measure_gradients(*case, outputs, seed):
            rows.append(row)
            print(row)
        name = f"{case[0]} W={case[1]} M={case[2]}"
        print(f"[{number}/{len(cases)}] gradients of {name} measured", file=sys.stderr, flush=True)
    print()
    for norm, width, scale_width in cases:
        mine = [row for row in rows if (row.norm, row.width, row.scale_width) == (norm, width, scale_width)]
        ordinary = ordinary_dx_bound(Contract(norm=norm, width=width, scale_width=scale_width))
        print(
            f"{norm} W={width:2} M={scale_width}: max error {max(row.dx.largest for row in mine):.4f} in"
            f" {sum(row.outputs for row in mine)} dx, {max(row.dx.of_bound for row in mine):.4f} of its bound;"
            f" bound of an ordinary dx {ordinary:.4f}"
        )
    return rows
