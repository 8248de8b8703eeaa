"""What a user calls a network: the file of a model, or a module of PyTorch by the name that Python has for it."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import ConfigurationError, not_installed
from .inputs import Inputs
from .network import Network

__all__ = ["MissingPackage", "read"]

IN_PYTHON = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
"""``package.module:attribute``."""
ALLOWED = "a file NAME.onnx, or module:factory for a module of PyTorch"


class MissingPackage(ModuleNotFoundError):
    """What reading takes is not installed; the message is one line that says which extra brings it."""


def read(name: str, inputs: Inputs) -> Network:
    """The normalisation layers of a network.

    The libraries that read it are loaded here, when it is known which ones.

    Raises
    ------
    ConfigurationError
        If there is no such network, or one that no unit can be planned for.
    MissingPackage
        If the package that reads it is not installed.
    """
    if Path(name).suffix == ".onnx":
        try:
            from . import onnx_network

            return onnx_network.read(Path(name), inputs)
        except ModuleNotFoundError as error:  # qonnx is loaded for what only QONNX has
            raise _missing(error, "plan") from error
    if not IN_PYTHON.fullmatch(name):
        raise ConfigurationError("model", name, ALLOWED)
    try:
        from . import torch_network
    except ModuleNotFoundError as error:
        raise _missing(error, "train") from error
    return torch_network.read(name, inputs)


def _missing(error: ModuleNotFoundError, extra: str) -> MissingPackage:
    return MissingPackage(not_installed(error, f"install-{extra}", extra))
