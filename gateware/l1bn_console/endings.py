"""How every command ends: with one exit code for each kind of end, and with a line, never a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import click

__all__ = ["exit_code"]

BAD_INPUT, FAILED, INTERRUPTED, NOBODY_READS = 2, 1, 130, 128 + signal.SIGPIPE
Errors = tuple[type[BaseException], ...]


def exit_code(
    command: Callable[[], object],
    speaker: str,
    *,
    refused: Errors = (),
    failed: Errors = (),
    interrupted: str = "interrupted",
) -> int:
    """Run a command and return its exit code: its own, or 0 where it gives none.

    2 for an error of click, one of ``refused``, and files that cannot be read or written, standard output among them;
    1 for one of ``failed`` and for want of memory; 130 for Ctrl-C or a termination, which say ``interrupted``; 141
    without a word where nobody reads the output any more. Messages are one line that begins with ``speaker``; those of
    ``failed`` may end with the tail of a log.
    """
    for stream in (sys.stdout, sys.stderr):
        # What the terminal has no characters for, the names of files among it, is written as an escape.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    def fail(message: str, code: int, *, whole: bool = False) -> int:
        text = message if whole else " ".join(message.split())
        with contextlib.suppress(OSError):
            click.echo(f"{speaker}: {text}", err=True)
        return code

    try:
        with _interrupted_by_termination():
            code = command()
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return BAD_INPUT
    except click.ClickException as error:
        return fail(error.format_message(), BAD_INPUT)
    except refused as error:
        return fail(str(error), BAD_INPUT)
    except failed as error:
        return fail(str(error), FAILED, whole=True)
    except (click.Abort, KeyboardInterrupt):
        return fail(interrupted, INTERRUPTED)
    except BrokenPipeError:
        _give_up_output()
        return NOBODY_READS
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich makes it a plain exit
            return NOBODY_READS
        raise
    except OSError as error:
        _give_up_output()
        return fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_INPUT)
    except RecursionError:
        return fail("the input is nested too deeply", BAD_INPUT)
    except MemoryError:
        return fail("not enough memory", FAILED)
    return code if isinstance(code, int) else 0


@contextlib.contextmanager
def _interrupted_by_termination() -> Iterator[None]:
    """SIGTERM, which a shell's ``timeout`` and a machine that shuts down send, is as Ctrl-C in the block."""
    try:
        before = signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:  # outside of the main thread there are no handlers
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _give_up_output() -> None:
    """What is left in the buffer goes nowhere: the interpreter would try once more, and complain, at its end."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
