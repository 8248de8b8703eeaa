"""A norm's room is all of it: nobody else knows its name, and a norm that is put there is built like any other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l1bn import Configuration, ConfigurationError, unit, verilog
from l1bn.command.explain import explain
from l1bn.generator import manifest
from l1bn.norms import NORMS, Norm
from l1bn.norms.l1 import L1

ROOT = Path(__file__).parents[2]
ROOMS = ROOT / "gateware" / "l1bn" / "norms"


def names(node: ast.AST) -> set[str]:
    """The names of norms that stand in an expression, in a tuple too."""
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value in NORMS}


def decisions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where a source decides by the name of a norm: the line, and what it does there."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(names, (left, *others))):
                yield node.lineno, "compares"
            case ast.Dict(keys=keys) if any(names(key) for key in keys if key is not None):
                yield node.lineno, "looks up"
            case ast.MatchValue(value=value) if names(value):
                yield node.lineno, "matches"


@pytest.mark.parametrize("folder", ["gateware", "sim", "synth"])
def test_nobody_else_decides_by_a_norms_name(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*.py") if not path.is_relative_to(ROOMS)]
    assert files
    found = {
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in files
        for line, what in decisions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text", ['norm == "l1"', '"l2" != norm', 'norm in ("l1", "x")', '{"l1": 1}[norm]', 'match norm:\n case "l2": pass']
)
def test_a_decision_is_found(text: str) -> None:
    assert list(decisions(ast.parse(text)))


@pytest.mark.parametrize("question", sorted(Norm.__abstractmethods__))
def test_a_norm_that_leaves_a_question_open_cannot_be_made(question: str) -> None:
    answers = {name: getattr(L1, name) for name in Norm.__abstractmethods__ - {question}}
    with pytest.raises(TypeError, match=question):
        type("Half", (Norm,), answers)()
    assert type("Whole", (Norm,), answers | {question: getattr(L1, question)})().name == "l1"


class Toy(L1):
    """As L1, forward only, with words and a number of its own."""

    name = "toy"
    title = "Toy"
    formula = "a toy's spread"
    gradient = None

    def epsilon_unit(self, formats: Any, count: int) -> int:
        return 2 * super().epsilon_unit(formats, count)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.setitem(NORMS, "toy", Toy())
    return Configuration(norm="toy", width=8, counts=(16,), epsilon=2**-7)


def test_a_norm_of_ones_own_is_built(toy: Configuration) -> None:
    assert toy.form == "two-pass"
    built = unit(toy)
    like = unit(Configuration(norm="l1", width=8, counts=(16,), epsilon=2**-7))
    assert built.formats.epsilons == tuple(2 * epsilon for epsilon in like.formats.epsilons)
    described = manifest.describe(built, "u")
    assert described["configuration"]["norm"] == "toy"
    assert "// u: Toy batch normalisation, forward" in verilog(built, "u")
    explained = explain(toy)
    assert {change["to"] for change in explained["changes"] if change["parameter"] == "norm"} == NORMS.keys() - {"toy"}


@pytest.mark.parametrize("direction", ["backward", "training"])
def test_a_norm_without_a_gradient_refuses_to_train(toy: Configuration, direction: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Configuration(norm="toy", direction=direction)
    allowed = "forward or inference for norm = toy, which has no gradient"
    assert str(raised.value) == f"direction = '{direction}' is not possible; allowed: {allowed}"


def test_an_unknown_norm_is_refused_with_those_there_are(toy: Configuration) -> None:
    allowed = "l1, l2, range, rms, mean-absolute or toy"
    with pytest.raises(ConfigurationError, match=f"norm = 'l3' is not possible; allowed: {allowed}"):
        Configuration(norm="l3")
