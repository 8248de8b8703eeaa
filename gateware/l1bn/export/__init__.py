"""IP packages, and the presets.

:func:`export` and :class:`Package` need the packages of the extra ``export``, so they are loaded when they are asked
for: the presets belong to every command, and an installation without extras has them, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .package import Package
    from .writing import export

__all__ = ["Package", "export"]

HOMES = {"Package": "package", "export": "writing"}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f".{HOMES[name]}", __name__), name)
