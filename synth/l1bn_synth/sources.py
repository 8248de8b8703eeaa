"""A hash of everything in this tree that decides a row of a report."""

from __future__ import annotations

import hashlib
import importlib
from functools import cache
from pathlib import Path

from .activity import CELLS

__all__ = ["source_digest"]

_PACKAGES = ("l1bn", "l1bn_golden", "l1bn_sim", "l1bn_synth")


@cache
def source_digest() -> str:
    """The digest of the packages and of the cells' simulation models: what is unchanged gives the same rows."""
    digest = hashlib.sha256()
    folders = [Path(str(importlib.import_module(name).__file__)).parent for name in _PACKAGES]
    for folder, pattern in [
        *((folder, "**/*.py") for folder in folders),
        *((folder, "**/*.toml") for folder in folders),
        (CELLS, "*.v"),
    ]:
        for path in sorted(folder.glob(pattern)):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
