"""A plan, ready for JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from .proposal import Plan

__all__ = ["describe"]


def describe(plan: Plan) -> dict[str, Any]:
    """Everything that a plan says.

    ``layers`` are in the order in which the network calls them; ``cycles`` of one are from its first beat in to its
    last one out, of both passes in training. Rates are ``None`` where no clock is known.
    """
    cycles = plan.schedule.cycles
    rate = None if plan.mhz is None else plan.mhz * 1e6 / cycles
    return {
        "model": plan.network.source,
        "batch": plan.network.batch,
        "layers": [_layer(plan, number) for number in range(len(plan.network.layers))],
        "configuration": plan.config.to_mapping(),
        "parameters": plan.parameters,
        "reasons": dict(plan.reasons),
        "cycles": cycles,
        "samples": plan.schedule.samples,
        "mhz": plan.mhz,
        "samples_per_second": plan.samples_per_second,
        "batches_per_second": rate,
        "memory_bits": plan.memory_bits,
        "estimate": dataclasses.asdict(plan.estimate),
    }


def _layer(plan: Plan, number: int) -> dict[str, Any]:
    layer = plan.network.layers[number]
    turns = [turn for turn in plan.schedule.turns if turn.layer is layer]
    return {
        "name": layer.name,
        "channels": layer.channels,
        "count": layer.count,
        "select": plan.config.counts.index(layer.count),
        "made_with": layer.norm,
        "epsilon": layer.epsilon,
        "cycles": sum(turn.cycles for turn in turns),
        "observed": None if layer.observed is None else dataclasses.asdict(layer.observed),
        "tables": {
            table.format.name: {
                "width": table.format.width,
                "fraction": table.format.fraction,
                "largest_error": table.error,
                "saturated": table.saturated,
            }
            for table in plan.initial[number].tables
        },
    }
