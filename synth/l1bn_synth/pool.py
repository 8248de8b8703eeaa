"""Where steps run: threads of this process, or the workers of a Dask scheduler."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import sys
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

from .tools import FlowError

__all__ = ["Pool", "Scheduler", "Threads", "describe"]

ANSWER_SECONDS = 10
"""How long a scheduler may take to answer."""


class Pool(Protocol):
    """Something that runs functions."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Have a function run; what it raises, the future raises."""

    def reason(self, error: BaseException) -> str:
        """What became of a function that gave no result, in one line."""

    def close(self) -> None:
        """Run nothing more."""


class Threads:
    """Every step is a program of its own, so threads keep all cores busy."""

    def __init__(self, jobs: int):
        self._executor = concurrent.futures.ThreadPoolExecutor(jobs)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self._executor.submit(function, *arguments)

    def reason(self, error: BaseException) -> str:
        return describe(error)

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)


class Scheduler:
    """The workers of the Dask scheduler at ``address``.

    Raises :exc:`FlowError` where it does not answer.
    """

    def __init__(self, address: str):
        # It takes a second to import, and a run on this machine does without.
        import distributed

        warnings.filterwarnings("ignore", message="Sending large graph")
        # What matters is told in one line of our own.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self.address = address
        self._killed = distributed.KilledWorker
        try:
            # The client itself waits for ever where something listens that never answers.
            asyncio.run(asyncio.wait_for(_greet(address), ANSWER_SECONDS))
            self._client = distributed.Client(address, timeout=ANSWER_SECONDS)
        except Exception as error:
            # Whatever else listens there may answer in any way.
            raise FlowError(f"scheduler {address!r} does not answer: {_line(error)}") from error
        self._executor = self._client.get_executor(pure=False)
        if not self._client.scheduler_info()["workers"]:
            print(f"l1bn_synth: scheduler {address!r} has no workers yet", file=sys.stderr)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any]
        try:
            future = self._executor.submit(function, *arguments)
        except Exception:  # the client has closed itself
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
        return future

    def reason(self, error: BaseException) -> str:
        if isinstance(error, concurrent.futures.CancelledError):
            return f"the connection to scheduler {self.address!r} was lost"
        if isinstance(error, self._killed):
            return f"every worker of scheduler {self.address!r} that ran it died"
        return describe(error)

    def close(self) -> None:
        self._client.close(timeout=5)


async def _greet(address: str) -> None:
    """Connect to a scheduler and take leave."""
    from distributed.comm.core import connect

    comm = await connect(address, timeout=ANSWER_SECONDS)
    await comm.close()


def describe(error: BaseException) -> str:
    """An exception as one line; one that nobody expected with the place that it comes from."""
    if isinstance(error, FlowError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {_line(error)}{place}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
