"""The AXI side: offers stand, and no software touches a channel in flight, whatever the unit behind it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from l1bn.config import Configuration

from .bus_specifications import AxiSpecification
from .prover import Induction, Proof

pytestmark = pytest.mark.formal

SMALL = {"width": 4, "gamma_width": 4, "beta_width": 3, "scale_width": 8}


def axi(what: str, channels: int, long: bool = False, **parameters: object) -> Proof:
    config = Configuration.from_mapping({**SMALL, **parameters})
    title = f"AXI side, {what}: offers stand, channels in flight keep their settings"
    return Induction(title, partial(AxiSpecification, config, channels), 2, long)


PROOFS = [
    axi("one count", 2, counts=[8]),
    axi("two counts, two lanes, channels sent three times", 3, long=True, counts=[4, 8], lanes=2, storage="outside"),
]


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_bus(proof: Proof, proven: Callable[[str], None], tmp_path: Path) -> None:
    proof.run(tmp_path)
    proven(str(proof))
