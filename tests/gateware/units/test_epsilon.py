"""Epsilon at the edges of what its fraction can be, in every norm and form, bit for bit against the golden model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from l1bn.config import Configuration
from l1bn.norms import NORMS
from l1bn.numbers.formats import Formats
from l1bn.units import unit
from l1bn_golden import Contract
from l1bn_vectors.forward import ForwardChannel

from .test_forward import FORMS, ForwardBench, parameters

CASES: dict[str, dict[str, Any]] = {
    "two samples": {"width": 16, "counts": (2,)},
    "forty-nine samples": {"width": 4, "counts": (49,), "scale_width": 24},
    "mixed counts": {"width": 24, "counts": (4, 60), "lanes": 2},
    "mixed powers": {"width": 16, "counts": (2, 16), "epsilon": 3e-7},
    "none, powers": {"width": 8, "counts": (4, 16), "epsilon": 0.0},
    "none, others": {"width": 16, "counts": (6, 8), "epsilon": 0.0, "scale_width": 10},
    "tiny, powers": {"width": 4, "counts": (8, 2), "x_fraction": 0, "epsilon": 1e-12},
    "all of it a fraction": {"width": 12, "counts": (4,), "guard_bits": 0},
    "whole": {"width": 8, "counts": (8,), "epsilon": 1.0},
}


def edges(config: Configuration, seed: int) -> Iterator[ForwardChannel]:
    """Of each count: any samples, one off by one, none off, a few of each, and half of them at either end."""
    low, high = -(1 << (config.width - 1)), (1 << (config.width - 1)) - 1
    golden = Contract.from_parameters(config.to_mapping())
    rng = np.random.default_rng(seed)
    for select, count in enumerate(config.counts):
        at = np.arange(count)
        rows = [
            rng.integers(low, high, count, endpoint=True),
            high - (at == 0),
            np.full(count, low),
            rng.integers(-1, 1, count, endpoint=True),
            np.where(at < count // 2, low, high),
        ]
        for row, (gamma, beta) in zip(rows, parameters(config, seed + select), strict=False):
            yield ForwardChannel(golden, row, gamma, beta, select)


def configuration(form: str, name: str) -> Configuration:
    """The case as far as the norm has its parameters."""
    left_out = set() if NORMS[FORMS[form]["norm"]].centred else {"guard_bits"}
    return Configuration(**FORMS[form], **{key: value for key, value in CASES[name].items() if key not in left_out})


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("form", [form for form in FORMS if form != "l2-two-pass"])
def test_statistics_outputs_and_latency(name: str, form: str, seed: int) -> None:
    check(configuration(form, name), seed)


@pytest.mark.parametrize("name", ["two samples", "none, others"])
def test_two_passes(name: str, seed: int) -> None:
    check(Configuration(**FORMS["l2-two-pass"], **CASES[name]), seed)


def check(config: Configuration, seed: int) -> None:
    device = unit(config)
    bench = ForwardBench(device, seed=seed)
    bench.pass_through(edges(config, seed))
    bench.run()
    sent, taken = bench.sources["i"].accepted, bench.sinks["o"].taken
    assert taken[0] - sent[0] == device.latency(config.counts[0])


def test_the_cases_reach_what_they_are_for() -> None:
    """Fractions of epsilon and none, whole parts of 0 and others, both at once."""
    reached = set()
    for form in FORMS:
        for name in CASES:
            formats = Formats(configuration(form, name))
            reached.add((formats.config.norm, formats.epsilon_fraction > 0, all(formats.epsilon_wholes)))
    assert len(reached) == 4 * len({norm for norm, *_ in reached})
