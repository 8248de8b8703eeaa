"""Co-simulation tests share the built models with ``make sim``, so only what has changed is built again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The simulator's process imports the benches that live beside the tests by name.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def store(pytestconfig: pytest.Config) -> Path:
    """Folder of the built models."""
    return pytestconfig.rootpath / "build" / "sim" / "models"


@pytest.fixture(scope="session")
def libraries(pytestconfig: pytest.Config) -> Path:
    """Folder of the built libraries."""
    return pytestconfig.rootpath / "build" / "hardware"


@pytest.fixture
def output(tmp_path: Path, store: Path) -> Path:
    """An output folder that shares the built models."""
    store.mkdir(parents=True, exist_ok=True)
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "models").symlink_to(store)
    return tmp_path / "sim"
