"""The ``l1bn`` command as a user meets it: exit code, lines and files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from l1bn.command import cli

__all__ = ["contents", "error_line", "run"]


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that is all a failing command says."""
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"l1bn: error: [^\n]+\n", err)
    return err
