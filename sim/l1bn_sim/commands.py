"""How every command of this package ends: with one exit code for each kind of end, and with a line, not a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType

import click

from l1bn.config import ConfigurationError

from .compile import BuildError
from .toolchain import ToolchainError

__all__ = ["exit_code"]


def exit_code(
    command: Callable[[], object],
    *,
    failures: tuple[type[Exception], ...] = (BuildError,),
    interrupted: str = "interrupted",
) -> int:
    """Run a command and return its exit code: its own, or 0 where it gives none.

    1 for one of the ``failures`` that it may raise, 2 for bad input, a missing tool or files that cannot be read or
    written, 130 for Ctrl-C or a termination, which say ``interrupted``.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = command()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except (ConfigurationError, ToolchainError) as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror}", 2)
    except failures as error:
        return _fail(str(error), 1)
    except (click.Abort, KeyboardInterrupt):
        return _fail(interrupted, 130)
    return code if isinstance(code, int) else 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    """Say what went wrong: in one line, but for the tail of a log."""
    text = message if code == 1 else " ".join(message.split())
    click.echo(f"l1bn_sim: error: {text}", err=True)
    return code
