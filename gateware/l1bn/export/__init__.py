"""``l1bn export``: a unit as a folder of Verilog, descriptions, test benches and a data sheet.

It needs the packages of the extra ``export``.
"""

from __future__ import annotations

from pathlib import Path

from ..config import Configuration
from ..generate import default_name
from .folder import check_folder, write_folder
from .package import Package

__all__ = ["Package", "export"]


def export(
    config: Configuration,
    *,
    name: str | None = None,
    folder: Path,
    force: bool = False,
) -> Path:
    """Write the package of a unit to ``folder``, which appears complete or not at all.

    Parameters
    ----------
    name : of the module, by default ``l1_batch_norm`` or ``l2_batch_norm``
    force : replace an earlier export

    Returns
    -------
    The folder.

    Raises
    ------
    ConfigurationError
        If the name or the configuration is not possible, or the folder cannot be written.
    """
    package = Package(config, default_name(config) if name is None else name)
    check_folder(folder, force)
    files = package.files()
    check_folder(folder, force)
    write_folder(files, folder)
    return folder
