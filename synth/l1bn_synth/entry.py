"""How every command of this package ends."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from l1bn_console.endings import exit_code

from .tools import FlowError, ToolMissing

__all__ = ["BAD_INPUT", "FAILED", "INTERRUPTED", "run_command"]

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


def run_command(command: click.Command, program: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code, see :func:`l1bn_console.endings.exit_code`."""
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")
    return exit_code(
        lambda: command.main(arguments, prog_name=program, standalone_mode=False),
        "l1bn_synth",
        refused=(ToolMissing,),
        failed=(FlowError,),
        interrupted="interrupted; finished steps are kept and found again by the next run",
    )
