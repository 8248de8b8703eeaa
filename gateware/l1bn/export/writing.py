"""``l1bn export``: a unit as a folder of Verilog, descriptions, test benches and a data sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..config import Configuration
from ..generator.generate import default_name
from ..generator.placing import place
from .folder import replaced
from .package import Package

__all__ = ["export"]


def export(
    config: Configuration,
    *,
    name: str | None = None,
    folder: Path,
    force: bool = False,
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the package of a unit into ``folder``, complete or not at all; the manifest appears last.

    Parameters
    ----------
    name : of the module, by default ``l1_batch_norm`` and so on
    force : replace an earlier export
    more : further files of the package, by their paths

    Returns
    -------
    The folder.

    Raises
    ------
    ConfigurationError
        If the name or the configuration is not possible, or the folder cannot be written.
    """
    package = Package(config, default_name(config) if name is None else name, more or {})
    replaced(folder, force)
    place(folder, package.files(), lambda: replaced(folder, force))
    return folder
