"""Files of the repository that travel with what is generated: the licence, models of a family's blocks."""

from __future__ import annotations

from pathlib import Path

from .waivers import CELLS, waived

__all__ = ["cell_models", "licence"]

PACKAGED = Path(__file__).parents[1] / "export" / "resources"
"""Where the wheel has them; a checkout has them at their own places."""
CHECKOUT = Path(__file__).parents[3]

MODELS = {"ecp5": "ecp5.v", "ecp5-logic": "ecp5.v", "ice40": "ice40.v"}


def licence() -> str:
    """The text of the licence."""
    return _read(PACKAGED / "LICENSE", CHECKOUT / "LICENSE")


def cell_models(target: str) -> str | None:
    """Simulation models of the blocks that a unit for ``target`` instantiates; ``None`` where it is plain Verilog."""
    name = MODELS.get(target)
    if name is None:
        return None
    return waived(_read(PACKAGED / name, CHECKOUT / "hw" / "cells" / name), CELLS)


def _read(*candidates: Path) -> str:
    path = next(path for path in candidates if path.exists())
    return path.read_text(encoding="utf-8")
