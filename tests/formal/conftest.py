"""Long proofs wait for `make formal`, and every proof that held is listed with its bound."""

from __future__ import annotations

from typing import Any

import pytest

from .prover import Proof

PROVEN = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "formal: a proof by a solver")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked_for = config.option.markexpr or any("::" in argument for argument in config.args)
    for item in items:
        proof = getattr(item, "callspec", None) and item.callspec.params.get("proof")
        if isinstance(proof, Proof) and proof.long and not asked_for:
            item.add_marker(pytest.mark.skip(reason="a long proof: make formal"))


@pytest.fixture
def proven(request: pytest.FixtureRequest) -> Any:
    """Notes a proof that held."""
    return request.config.stash.setdefault(PROVEN, []).append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    held = config.stash.get(PROVEN, [])
    if held:
        terminalreporter.section("proven")
        for line in held:
            terminalreporter.write_line(line)
