"""How every command of this package ends."""

from __future__ import annotations

from collections.abc import Callable

from l1bn.config import ConfigurationError
from l1bn_console import endings

from .compile import BuildError
from .toolchain import ToolchainError

__all__ = ["exit_code"]


def exit_code(
    command: Callable[[], object],
    *,
    failures: tuple[type[Exception], ...] = (BuildError,),
    interrupted: str = "interrupted",
) -> int:
    """Run a command and return its exit code, see :func:`l1bn_console.endings.exit_code`.

    1 for one of the ``failures`` that it may raise, 2 for bad input or a missing tool.
    """
    refused = (ConfigurationError, ToolchainError)
    return endings.exit_code(command, "l1bn_sim: error", refused=refused, failed=failures, interrupted=interrupted)
