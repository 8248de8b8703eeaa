"""Where the tools keep what they compile: a home that is not there or cannot be written does not matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from l1bn.logic import caches

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def fresh() -> None:
    caches.folder.cache_clear()


def test_in_a_repository_they_are_in_its_build_folder() -> None:
    assert caches.folder() == ROOT / "build" / "cache"
    assert set(caches.variables().values()) >= {str(ROOT / "build" / "cache" / "yowasp")}


def test_an_installed_package_uses_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert caches.folder() == tmp_path / "cache" / "l1bn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    caches.folder.cache_clear()
    assert caches.folder() == tmp_path / "home" / ".cache" / "l1bn"


def test_without_a_home_they_are_among_the_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "ROOT", tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    own = tmp_path / f"l1bn-cache-{os.getuid()}"
    assert caches.folder() == own
    own.chmod(0o777)  # somebody else could have put something there
    caches.folder.cache_clear()
    assert caches.folder().parent == tmp_path and caches.folder() != own


def test_the_environment_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/before")
    monkeypatch.delenv("AMARANTH_USE_YOSYS", raising=False)
    before = dict(os.environ)
    with caches.within(AMARANTH_USE_YOSYS="builtin"):
        assert os.environ["XDG_CACHE_HOME"] == str(caches.folder())
        assert os.environ["AMARANTH_USE_YOSYS"] == "builtin"
    assert dict(os.environ) == before


def test_a_unit_is_written_without_a_home(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-m", "l1bn", "generate", "--width", "4", "--count", "4", "--output", str(tmp_path)],
        env={**environment, "HOME": "/proc/none"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
