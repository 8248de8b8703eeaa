"""External programs: how they are started, how they fail, which versions they are."""

from __future__ import annotations

import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from l1bn.logic import caches

__all__ = [
    "LIMIT_MINUTES",
    "FlowError",
    "ToolFailure",
    "ToolMissing",
    "kill_all",
    "limited",
    "package_version",
    "package_versions",
    "python_tool",
    "run_tool",
    "start_again",
]

LIMIT_MINUTES = 10
"""How long one program may run, unless :func:`limited` says otherwise; the slowest of a quick run takes one."""


class FlowError(RuntimeError):
    """A unit has no result; the message is one line that says why."""


class ToolMissing(FlowError):
    """A program is not installed; the message says how to install it."""


class ToolFailure(FlowError):
    """A program was killed, ran away or exited with an error."""


_running: set[subprocess.Popen[str]] = set()
_running_lock = threading.Lock()
_stopping = threading.Event()
_limit: ContextVar[float] = ContextVar("limit", default=LIMIT_MINUTES)


def kill_all() -> None:
    """Stop every program that :func:`run_tool` has started in this process, and let it start no other for now."""
    with _running_lock:
        _stopping.set()
        for process in _running:
            _kill(process)


def start_again() -> None:
    """After :func:`kill_all`, let programs be started again."""
    _stopping.clear()


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a program with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def limited(minutes: float) -> Iterator[None]:
    """Give every program that this thread starts within the block that long."""
    token = _limit.set(minutes)
    try:
        yield
    finally:
        _limit.reset(token)


def run_tool(
    name: str, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program in ``folder`` and return what it printed, standard error included.

    The program gets a process group of its own: the interrupt key of the terminal reaches this process alone,
    which then decides what stops.

    Raises
    ------
    ToolFailure
        If it was killed, could not be started, took longer than its limit (it is killed then) or exited with a code
        other than 0; the message holds the first line that mentions an error, or its last line.
    """
    with _running_lock:
        if _stopping.is_set():
            raise ToolFailure(f"{name} was not started: the run is being stopped")
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env={**(os.environ if environment is None else environment), **caches.variables()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise ToolFailure(f"{name} could not be started: {error.strerror}") from error
        _running.add(process)
    limit = _limit.get()
    try:
        output, _ = process.communicate(timeout=60 * limit)
    except subprocess.TimeoutExpired:
        _kill(process)
        process.communicate()
        raise ToolFailure(f"{name}: stopped after {limit:g} minutes (--limit)") from None
    finally:
        with _running_lock:
            _running.discard(process)
    if process.returncode < 0:
        number = -process.returncode
        try:
            reason = signal.Signals(number).name
        except ValueError:
            reason = str(number)
        raise ToolFailure(f"{name} was killed by signal {reason}")
    if process.returncode:
        raise ToolFailure(f"{name} exited with code {process.returncode}: {_decisive_line(output)}")
    return output


def _decisive_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() and " 0 errors" not in line]
    chosen = errors[0] if errors else lines[-1] if lines else "no output"
    return chosen if len(chosen) <= 300 else chosen[:297] + "..."


def python_tool(code: str) -> list[str]:
    """The command that runs Python code in an interpreter like this one."""
    return [sys.executable, "-c", code]


def package_version(package: str) -> str:
    """Version of an installed package.

    Raises :exc:`ToolMissing` where there is none.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise ToolMissing(f"{package} is missing; install: pip install {package}") from None


def package_versions(package: str) -> dict[str, str]:
    """Versions of an installed package and of every installed one that it requires, by name.

    Raises :exc:`ToolMissing` where the package itself is not there.
    """
    found = {package: package_version(package)}
    waiting = [package]
    while waiting:
        for line in importlib.metadata.requires(waiting.pop()) or ():
            match = re.match(r"[\w.-]+", line)
            if match is None or "extra ==" in line or match[0] in found:
                continue
            with suppress(importlib.metadata.PackageNotFoundError):
                found[match[0]] = importlib.metadata.version(match[0])
                waiting.append(match[0])
    return found
