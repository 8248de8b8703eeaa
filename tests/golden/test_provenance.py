"""What decides a result is found by following imports."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import pytest

from l1bn_golden import provenance as module
from l1bn_golden.provenance import provenance

SOURCES = {
    "pack/__init__.py": "from .other import thing\n",
    "pack/other.py": "thing = 1\n",
    "pack/top.py": "from . import near\nfrom .data import read\nfrom .deep import inner\n\ndef top(): ...\n",
    "pack/near.py": "import numpy\n\ndef late():\n    from .lazy import value\n    return value\n",
    "pack/lazy.py": "import pack.plain as plain\nvalue = 1\n",
    "pack/plain.py": "try:\n    import no_such_package\nexcept ImportError:\n    pass\n",
    "pack/data.py": 'import json\n\ndef read():\n    return open("table.toml")\n',
    "pack/table.toml": "a = 1\n",
    "pack/deep/__init__.py": "from ..below import nothing\n",
    "pack/deep/inner.py": "from .. import open_\n",
    "pack/open_/__init__.py": "from .inside import *\n",
    "pack/open_/inside.py": "",
    "pack/below.py": "nothing = None\n",
    "pack/apart.py": "from . import top\n",
    "pack/apart.toml": "",
}
# A package on the way to a module counts, but not what it imports for others.
UNREACHED = {"pack/apart.py", "pack/apart.toml", "pack/other.py", "pack/below.py"}


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function of a package of its own."""
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("pack.top").top
    for name in [name for name in sys.modules if name.partition(".")[0] == "pack"]:
        del sys.modules[name]


def now(function: Any) -> module.Provenance:
    """Of the sources as they are now; a process takes them as it has first seen them."""
    module._reached.cache_clear()
    return provenance(function)


def test_everything_that_is_imported_anywhere(top: Any) -> None:
    found = now(top)
    unreached = {name for name in SOURCES if name in UNREACHED}
    expected = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in SOURCES.keys() - unreached - {"pack/table.toml"}
    }
    assert found.files.keys() == expected | {"pack.data: table.toml"}
    assert found.packages == {"numpy": importlib.metadata.version("numpy"), "no_such_package": "missing"}


def test_what_the_installation_lists_of_ours_is_followed(top: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 lists a package that has the name of a command of its distribution, earlier ones do not."""
    before = now(top)
    listed = {**importlib.metadata.packages_distributions(), "pack": ["l1bn"]}
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: listed)
    module._foreign.cache_clear()
    try:
        assert now(top) == before
    finally:
        module._foreign.cache_clear()


@pytest.mark.parametrize("name", SOURCES)
def test_each_file_moves_the_digest_if_it_is_reached(top: Any, tmp_path: Path, name: str) -> None:
    before = now(top).digest
    path = tmp_path / name
    path.write_text(path.read_text() + "\n# changed\n")
    assert (now(top).digest != before) == (name not in UNREACHED)
    path.write_text(SOURCES[name])
    assert now(top).digest == before


@pytest.mark.parametrize(
    "line", ["import pack", "import pack.plain", "from pack import thing", "from . import thing"]
)
def test_what_a_package_hands_on_is_followed(top: Any, tmp_path: Path, line: str) -> None:
    assert "pack.other" not in now(top).files
    (tmp_path / "pack/plain.py").write_text(line + "\n")
    assert "pack.other" in now(top).files


def test_a_new_module_counts_as_soon_as_it_is_imported(top: Any, tmp_path: Path) -> None:
    (tmp_path / "pack/new.py").write_text("a = 1\n")
    (tmp_path / "pack/lazy.py").write_text("from .new import a\n")
    before = now(top)
    assert "pack.new" in before.files
    (tmp_path / "pack/new.py").write_text("a = 2\n")
    assert now(top).digest != before.digest


def test_versions_count(top: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = now(top).digest
    with monkeypatch.context() as patched:
        patched.setattr(importlib.metadata, "version", lambda name: "99")
        assert now(top).digest != before
    with monkeypatch.context() as patched:
        patched.setattr(sys, "version_info", (3, 99, 0))
        assert now(top).digest != before
    assert now(top).digest == before


def test_imports_by_a_computed_name_are_refused(top: Any, tmp_path: Path) -> None:
    """Nobody would notice what such a module misses."""
    (tmp_path / "pack/near.py").write_text("import importlib\nimportlib.import_module('pack' + '.plain')\n")
    with pytest.raises(TypeError, match=r"near\.py, line 2: imports by a computed name cannot be followed"):
        now(top)
