"""Jobs in processes of their own, a few at a time, that end with everything they have started."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import FrameType
from typing import Generic, TypeVar

__all__ = ["JobLost", "run_jobs"]

Job = TypeVar("Job")
Result = TypeVar("Result")


class JobLost(RuntimeError):
    """The process of a job was killed."""


@dataclass
class _Running(Generic[Job]):
    job: Job
    process: multiprocessing.process.BaseProcess


def run_jobs(
    function: Callable[[Job], Result], jobs: Sequence[Job], processes: int
) -> Iterator[tuple[Job, Result | Exception]]:
    """Call ``function`` for every job, ``processes`` at a time; yield each job with its result as it ends.

    An exception that the function raises takes the place of its result. When the caller stops early, for
    Ctrl-C or otherwise, the running jobs and all processes below them are ended first. ``function`` must be
    importable.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__])
    waiting = list(reversed(jobs))
    running: dict[Connection, _Running[Job]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                job = waiting.pop()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(function, job, sender))
                process.start()
                sender.close()
                running[receiver] = _Running(job, process)
            for ended in wait(list(running)):
                assert isinstance(ended, Connection)
                result: Result | Exception
                try:
                    result = ended.recv()
                except EOFError:
                    result = JobLost("its process was killed")
                done = running.pop(ended)
                done.process.join()
                yield done.job, result
    finally:
        for left in running.values():
            _end(left.process)


def _end(process: multiprocessing.process.BaseProcess) -> None:
    assert process.pid is not None
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        process.join(5)
        if process.exitcode is not None:
            return


def _work(function: Callable[[Job], Result], job: Job, sender: Connection) -> None:
    """The life of a process: a group of its own, so that all it starts ends with it, and no output."""

    def stop(signum: int, frame: FrameType | None) -> None:
        sys.exit(128 + signum)  # unwinds, so that temporary folders go

    with contextlib.suppress(PermissionError):
        os.setsid()
    signal.signal(signal.SIGTERM, stop)
    result: Result | Exception
    try:
        result = function(job)
    except Exception as error:
        result = error
    sender.send(result)
