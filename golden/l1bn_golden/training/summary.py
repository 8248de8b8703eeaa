"""Means over the seeds, with confidence intervals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from .study import STUDIED, Preset, Variant

__all__ = ["GOALS", "LEAST", "Estimate", "Row", "estimate", "summarise"]

GOALS = {"mlp": 95.0, "cnn": 90.0, "gan": 100.0}
"""The accuracy in per cent, or for the GAN the distance, that the epochs are counted to."""

CHANCE = 10.0
"""Accuracy of a classifier that knows nothing, in per cent: what a run that failed is worth."""

LAST = {"mlp": 1, "cnn": 1, "gan": 3}
"""Epochs at the end of a run whose mean is its result. The distance of a GAN goes up and down all the time."""


LEAST = 3
"""Values that an interval needs: that of two is 13 times as wide as they lie apart, and says nothing."""


@dataclass(frozen=True)
class Estimate:
    """A mean, the lowest and the highest value, and the half-width of the 95 % confidence interval of the mean.

    The interval is from Student's t, and NaN for fewer than :data:`LEAST` values.
    """

    mean: float
    half_width: float
    low: float
    high: float


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of one or more values with its confidence interval."""
    count = len(values)
    ends = float(min(values)), float(max(values))
    if count < LEAST:
        return Estimate(float(np.mean(values)), math.nan, *ends)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    return Estimate(float(np.mean(values)), float(stats.t.ppf(0.975, count - 1)) * error, *ends)


@dataclass(frozen=True)
class Row:
    """What a variant of a task came to.

    ``result`` is the accuracy in per cent or the Frechet distance. ``from_float`` and ``from_l2`` are the
    differences, seed by seed, from the same norm in float32 and from L2BN with the same arithmetic, ``None``
    where there is no other one. ``epochs`` the mean number until the goal over the
    ``reached`` runs that got there. ``shares`` are those of ``observe.Observer``, means over the seeds.
    ``curve`` is the mean at each epoch, ``low`` and ``high`` the ends over the seeds.
    """

    task: str
    variant: Variant
    seeds: int
    failed: int
    result: Estimate
    from_float: Estimate | None
    from_l2: Estimate | None
    epochs: float | None
    reached: int
    shares: dict[str, float]
    curve: list[float]
    low: list[float]
    high: list[float]


def summarise(preset: Preset, results: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """A row for each task and variant, in the order of the preset."""
    rows = []
    for task, variants in preset.variants.items():
        curves = {
            variant: [
                _curve(task, preset.epochs[task], results[preset.setting(task, variant, seed).key])
                for seed in range(preset.seeds)
            ]
            for variant in variants
        }
        finals = {variant: [_final(task, curve) for curve in mine] for variant, mine in curves.items()}
        for variant in variants:
            runs = [results[preset.setting(task, variant, seed).key] for seed in range(preset.seeds)]
            epochs = [number for curve in curves[variant] if (number := _epochs_to_goal(task, curve))]
            table = np.array(curves[variant])
            rows.append(
                Row(
                    task=task,
                    variant=variant,
                    seeds=preset.seeds,
                    failed=sum("failed" in run for run in runs),
                    result=estimate(finals[variant]),
                    from_float=_difference(finals, variant, Variant(variant.norm)),
                    from_l2=_difference(finals, variant, dataclasses.replace(variant, norm=STUDIED[0])),
                    epochs=float(np.mean(epochs)) if epochs else None,
                    reached=len(epochs),
                    shares={
                        name: float(np.mean([run["shares"][name] for run in runs]))
                        for name in runs[0]["shares"]
                    },
                    curve=table.mean(0).tolist(),
                    low=table.min(0).tolist(),
                    high=table.max(0).tolist(),
                )
            )
    return rows


def _difference(
    finals: Mapping[Variant, Sequence[float]], variant: Variant, other: Variant
) -> Estimate | None:
    if variant == other or variant.norm == "none" or other not in finals:
        return None
    return estimate([a - b for a, b in zip(finals[variant], finals[other], strict=True)])


def _curve(task: str, epochs: int, run: Mapping[str, Any]) -> list[float]:
    """The result after each epoch. A run that failed goes on with chance, or a GAN with the worst it has had."""
    curve = list(run.get("distance" if task == "gan" else "accuracy", []))
    worst = max(curve, default=math.nan) if task == "gan" else CHANCE
    return curve + [worst] * (epochs - len(curve))


def _final(task: str, curve: Sequence[float]) -> float:
    return float(np.mean(curve[-LAST[task] :]))


def _epochs_to_goal(task: str, curve: Sequence[float]) -> int | None:
    for epoch, value in enumerate(curve, start=1):
        if value <= GOALS[task] if task == "gan" else value >= GOALS[task]:
            return epoch
    return None
