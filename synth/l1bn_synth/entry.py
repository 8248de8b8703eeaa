"""How a command ends: one line and no traceback for whatever a user can cause."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from types import FrameType

import click

from .tools import FlowError, ToolMissing

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "run_command"]

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def run_command(command: click.Command, program: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: what it returns, or one of the above."""
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    # What a shell's `timeout` or a machine that shuts down sends; the programs must not go on without us.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = command.main(arguments, prog_name=program, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return BAD_INPUT
    except click.ClickException as error:
        return _fail(" ".join(error.format_message().split()), BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; finished steps are kept and found again by the next run", INTERRUPTED)
    except ToolMissing as error:
        return _fail(str(error), BAD_INPUT)
    except FlowError as error:
        return _fail(str(error), FAILED)
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_INPUT)
    return code if isinstance(code, int) else 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    click.echo(f"l1bn_synth: {message}", err=True)
    return code
