"""Every configuration that is accepted can be elaborated: parameters anywhere, their ends more often than elsewhere.

Another seed draws others: ``make test TESTS=tests/gateware/units/test_any_unit.py PYTEST='--seed 7'``.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from amaranth.hdl import Fragment

from l1bn import Configuration, ConfigurationError, unit
from l1bn.norms import NORMS

NUMBER = 40
DIRECTIONS = ("backward", "backward", "training", "forward", "inference")


def drawn(seed: int, number: int) -> Configuration:
    """A configuration; what is not possible together is drawn again."""
    draw = random.Random(f"{seed} {number}")
    while True:
        norm, width, lanes = draw.choice(sorted(NORMS)), draw.choice([4, 5, 8, 16, 24, 32]), draw.choice([1, 1, 2, 4])
        counts = {lanes * draw.choice([2, 3, 4, 16, 49, 196, 1024, 1 << 17]) for _ in range(draw.choice([1, 1, 2, 3]))}
        parameters: dict[str, Any] = {
            **{"norm": norm, "width": width, "lanes": lanes, "counts": tuple(sorted(counts))},
            "form": draw.choice(list(NORMS[norm].forms)),
            "direction": draw.choice(DIRECTIONS),
            "x_fraction": draw.choice([0, width // 2, width - 1]),
            "guard_bits": draw.choice([None, None, 0, 64]) if NORMS[norm].centred else None,
            "running_fraction": draw.choice([None, 0, 64]),
            "epsilon": draw.choice([0.0, 1e-12, 1e-5, 1.0]),
            "storage": draw.choice(["inside", "outside"]),
            "target": draw.choice(["portable", "logic"]),
            **{name: draw.choice([4, 8, 16, 32]) for name in ("y_width", "dy_width", "dx_width")},
            "gamma_width": draw.choice([2, 8, 16, 32]),
            "scale_width": draw.choice([8, 18, 24]),
        }
        try:
            return Configuration(**parameters)
        except ConfigurationError:
            continue


@pytest.mark.parametrize("number", range(NUMBER))
def test_a_unit_can_be_elaborated(number: int, seed: int) -> None:
    config = drawn(seed, number)
    assert Fragment.get(unit(config), None).subfragments, config  # its parts are elaborated with it
