"""A norm is one object: nobody else decides by a norm's name, and none lacks an entry."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import l1bn_golden
from l1bn_golden import Contract, backward, forward, norms, reference
from l1bn_golden.norms import NORMS, STATISTICS, Gradient, Norm, gradient_of, norm_of
from l1bn_golden.norms.centred import Centred
from l1bn_golden.norms.l1 import L1, L1Gradient
from l1bn_golden.norms.l2 import L2, L2Gradient
from l1bn_golden.norms.range import Range

PACKAGE = Path(str(l1bn_golden.__file__)).parent
ROOM = PACKAGE / "norms"


def decisions(text: str) -> Iterator[int]:
    """Lines of a source in which the name of a norm decides: a comparison, a key of a mapping, a case, an index."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Compare(left=left, comparators=others):
                deciding: list[ast.AST | None] = [left, *others]
            case ast.Dict(keys=keys):
                deciding = list(keys)
            case ast.DictComp(key=key, generators=generators):
                deciding = [key, *generators]
            case ast.MatchValue(value=value):
                deciding = [value]
            case ast.Subscript(slice=index):
                deciding = [index]
            case ast.Call(func=ast.Attribute(attr="get" | "startswith" | "endswith"), args=arguments):
                deciding = list(arguments)
            case _:
                continue
        for part in deciding:
            if part is not None and any(
                isinstance(inner, ast.Constant) and inner.value in NORMS for inner in ast.walk(part)
            ):
                yield node.lineno if hasattr(node, "lineno") else part.lineno  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(PACKAGE.rglob("*.py")) if ROOM not in path.parents],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nobody_outside_decides_by_a_name(path: Path) -> None:
    assert not list(decisions(path.read_text()))


@pytest.mark.parametrize(
    "text",
    [
        "if norm == 'l1': pass",
        "x = 'l2' != norm",
        "if norm in ('l1', 'l2'): pass",
        "x = {'l1': 1}[norm]",
        "x = {('l1', 2): 1}",
        "x = {(norm, 2): 1 for norm in ('l1', 'l2')}",
        "x = table['l1']",
        "x = table.get('l2')",
        "match norm:\n    case 'l1' | 'l3': pass",
        "x = [1 for norm in names if norm == 'l2']",
    ],
)
def test_a_decision_is_found(text: str) -> None:
    assert list(decisions(text))


@pytest.mark.parametrize("text", ["norm: str = 'l1'", "f(norm='l2')", "for norm in ('l1', 'l2'): pass"])
def test_names_that_decide_nothing_are_allowed(text: str) -> None:
    assert not list(decisions(text))


def entries(kind: type) -> list[str]:
    return sorted(kind.__abstractmethods__)


def without(made: type, base: type, entry: str) -> type:
    """The class ``made`` on top of ``base``, as if nobody had written this one entry."""
    given = {
        name: value
        for kind in reversed(made.__mro__)
        if issubclass(kind, base) and kind is not base
        for name, value in vars(kind).items()
        if not name.startswith("_") and name != entry
    }
    return type(made.__name__, (base,), given)


@pytest.mark.parametrize("norm", [L1, L2, Range])
@pytest.mark.parametrize("entry", entries(Norm))
def test_a_norm_without_an_entry_cannot_be_made(norm: type[Norm], entry: str) -> None:
    without(norm, Norm, "nothing")()
    with pytest.raises(TypeError, match=rf"abstract.*\b{entry}\b"):
        without(norm, Norm, entry)()


@pytest.mark.parametrize("gradient", [L1Gradient, L2Gradient])
@pytest.mark.parametrize("entry", entries(Gradient))
def test_a_gradient_without_an_entry_cannot_be_made(gradient: type[Gradient], entry: str) -> None:
    without(gradient, Gradient, "nothing")()
    with pytest.raises(TypeError, match=rf"abstract.*\b{entry}\b"):
        without(gradient, Gradient, entry)()


def test_no_entry_has_an_answer_for_every_norm() -> None:
    for kind in (Norm, Gradient):
        public = {name for name in vars(kind) if not name.startswith("_")}
        assert public == set(kind.__abstractmethods__)
        for name in public:
            assert inspect.getdoc(vars(kind)[name])


def test_no_norm_is_made_of_another() -> None:
    """What norms share has a class of its own; a norm that inherits from another would have its values unasked."""
    kinds = [type(norm) for norm in NORMS.values()]
    for kind in kinds:
        assert not any(other is not kind and issubclass(kind, other) for other in kinds)
    assert inspect.isabstract(Centred)


def test_registry() -> None:
    assert {name: norm.name for name, norm in NORMS.items()} == {name: name for name in NORMS}
    assert len({norm.number for norm in NORMS.values()}) == len(NORMS)
    assert len({norm.title for norm in NORMS.values()}) == len(NORMS)
    for name, norm in NORMS.items():
        assert norm_of(name) is norm is Contract(norm=name).traits
        assert norm.power in (1, 2)


@pytest.mark.parametrize("name", ["l3", "L1", "", 1, None, ["l1"]])
def test_an_unknown_name_is_one_line(name: object) -> None:
    message = rf"^norm = {re.escape(repr(name))} is not possible; allowed: l1, l2, range, rms or mean-absolute$"
    with pytest.raises(ValueError, match=message):
        norm_of(name)
    with pytest.raises(ValueError, match=message):
        Contract(norm=name)  # type: ignore[arg-type]


def test_a_norm_without_a_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    class ForwardOnly(L1):
        gradient = None  # type: ignore[assignment]

    monkeypatch.setitem(norms.NORMS, "l1", ForwardOnly())
    contract = Contract(norm="l1", width=8, counts=(4,))
    x = np.array([[1, 2, 3, 5]])
    statistics = forward(contract, x, 1, 0)
    message = "norm = 'l1' is not possible in a backward pass; allowed: l2"
    with pytest.raises(ValueError, match=message):
        gradient_of(contract.traits)
    with pytest.raises(ValueError, match=message):
        backward(contract, x, x, 1, statistics)
    with pytest.raises(ValueError, match=message):
        reference.backward("l1", x, 1.0, x)


@pytest.mark.parametrize("norm", NORMS)
def test_extra_statistics_are_attributes(norm: str) -> None:
    contract = Contract(norm=norm, width=8, counts=(4,))
    result = forward(contract, np.array([[1, 2, 3, 7], [0, 0, 0, 0]]), 1, 0)
    assert tuple(result.extra) == norm_of(norm).statistics
    for name in STATISTICS:
        found = getattr(result, name)
        assert (found is not None) == (name in norm_of(norm).statistics)
        assert found is None or found is result.extra[name]
    with pytest.raises(AttributeError, match="no attribute 'sign_counts'"):
        _ = result.sign_counts
    if result.sign_count is not None:
        assert result.sign_count.tolist() == [-2, 0]


@pytest.mark.parametrize("norm", NORMS)
def test_the_three_spreads_are_one(norm: str, seed: int) -> None:
    """Integers, exact fractions and float64 mean the same s, by the norm's own units."""
    rng = np.random.default_rng(seed)
    traits = norm_of(norm)
    for count in (4, 16, 21):
        contract = Contract(norm=norm, width=12, counts=(count,), epsilon=0.0)
        x = rng.integers(-2048, 2048, (5, count))
        totals = x.sum(axis=1).tolist()
        means = [traits.mean(contract, total, count) for total in totals]
        spreads, _ = traits.measure(contract, x, totals, means)
        exact = traits.exact_spread(x, totals)
        reals = traits.real_spread(x - traits.centre(x.astype(np.float64)))[:, 0]
        for spread, fraction, real in zip(spreads, exact, reals, strict=True):
            assert float(fraction / count**traits.power) == pytest.approx(real, rel=1e-12)
            # The mean of the integers is rounded to G bits where n is no power of two.
            assert spread / traits.units(contract, count) == pytest.approx(real, rel=2.0**-contract.G)
            assert spread >= traits.least_spread(contract, count)
            assert spread < 1 << traits.spread_width(contract)


@pytest.mark.parametrize("norm", NORMS)
def test_a_centred_norm_is_one_that_does_not_see_a_shift(norm: str) -> None:
    traits, x = norm_of(norm), np.array([[1.0, 2.0, 3.0, 7.0], [5.0, 5.0, 5.0, 5.0]])
    here, there = (reference.forward(norm, x + shift, 1.0, 0.0).y[0] for shift in (0.0, 8.0))
    assert np.allclose(here, there) == traits.centred
    assert traits.varies(x)[:, 0].tolist() == [True, not traits.centred]
    assert traits.centre_sum(13) == (13 if traits.centred else 0)
