"""Many flows at once: each is a generator that asks for steps, which run on a Dask cluster unless they are known.

A flow yields a list of steps and is sent their results; what a step raises is raised in the flow. A flow that raises
:exc:`FlowError` has failed; the others go on.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import distributed

from .cache import Cache, Step
from .tools import LIMIT_MINUTES, FlowError, kill_all, limited

__all__ = ["Flow", "Interrupted", "Outcome", "run_flows"]

Result = TypeVar("Result")
Flow = Generator[list[Step], list[Any], Result]
Notice = Callable[[str], None]


class Interrupted(Exception):
    """The run was stopped from outside; what was finished is in the cache."""


@dataclass
class Outcome(Generic[Result]):
    """What became of the flows by name: results, or the line that says why there is none."""

    results: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    ran: int = 0
    reused: int = 0


@dataclass
class _Waiting:
    """A flow that waits for the steps it asked for."""

    name: str
    flow: Flow[Any]
    keys: list[str]
    known: dict[str, Any]


class _Cluster:
    """A Dask client that starts only when there is something to run."""

    def __init__(self, jobs: int, scheduler: str | None):
        self.jobs, self.scheduler = jobs, scheduler
        self._client: Any = None
        self._local: Any = None

    @property
    def client(self) -> Any:
        if self._client is None:
            if self.scheduler is None:
                # Every step is a program of its own, so threads keep all cores busy.
                self._local = distributed.LocalCluster(
                    n_workers=1,
                    threads_per_worker=self.jobs,
                    processes=False,
                    dashboard_address=":0",
                    memory_limit=None,
                    silence_logs=logging.CRITICAL,
                )
                self._client = distributed.Client(self._local)
            else:
                try:
                    self._client = distributed.Client(self.scheduler, timeout=10)
                except (OSError, ValueError) as error:
                    raise FlowError(f"scheduler {self.scheduler!r} does not answer: {error}") from error
        return self._client

    def close(self) -> None:
        for part in (self._client, self._local):
            if part is not None:
                part.close(timeout=5)


def run_flows(
    flows: Mapping[str, Flow[Result]],
    cache: Cache,
    jobs: int | None = None,
    scheduler: str | None = None,
    notice: Notice = lambda name: None,
    limit: float = LIMIT_MINUTES,
) -> Outcome[Result]:
    """Run all flows to their end.

    Parameters
    ----------
    flows : by name
    cache : where results are looked for and kept
    jobs : steps at a time on this machine, by default one for each core
    scheduler : address of a Dask scheduler, whose workers then do it
    notice : called with the name of a flow whenever one of its steps is done
    limit : minutes that one program may take

    Raises
    ------
    Interrupted
        If the interrupt key is pressed: all programs are stopped, and what was finished is in the cache.
    FlowError
        If the scheduler does not answer.
    OSError
        If the cache cannot be written: all programs are stopped.
    """
    warnings.filterwarnings("ignore", message="Sending large graph")
    # What matters is told in one line of our own.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    cluster = _Cluster(jobs or os.cpu_count() or 1, scheduler)
    run: _Run[Result] = _Run(cache, cluster, notice, limit)
    try:
        for name, flow in flows.items():
            run.advance(name, flow, None)
        run.work()
    except KeyboardInterrupt:
        kill_all()
        raise Interrupted from None
    except OSError:
        # The cache cannot be written: nothing that still runs could be kept.
        kill_all()
        raise
    finally:
        cluster.close()
    return run.outcome


class _Run(Generic[Result]):
    def __init__(self, cache: Cache, cluster: _Cluster, notice: Notice, limit: float):
        self.cache, self.cluster, self.notice, self.limit = cache, cluster, notice, limit
        self.outcome: Outcome[Result] = Outcome()
        self.steps: dict[str, Step] = {}  # on their way, by key
        self.waiting: list[_Waiting] = []
        self.futures: Any = None

    def advance(self, name: str, flow: Flow[Result], results: list[Any] | BaseException | None) -> None:
        """Let a flow go on until it waits for a step that has to run, or ends."""
        while True:
            try:
                if isinstance(results, BaseException):
                    asked = flow.throw(results)
                else:
                    asked = next(flow) if results is None else flow.send(results)
            except StopIteration as end:
                self.outcome.results[name] = end.value
                return
            except FlowError as error:
                self.outcome.failures[name] = str(error)
                return
            known = {}
            missing = []
            for step in asked:
                result = self.cache.get(step)
                if result is None:
                    missing.append(step)
                else:
                    known[step.key] = result
                    self.outcome.reused += 1
                    self.notice(name)
            keys = [step.key for step in asked]
            if missing:
                self.waiting.append(_Waiting(name, flow, keys, known))
                self.submit(missing)
                return
            results = [known[key] for key in keys]

    def submit(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if step.key in self.steps:
                continue
            self.steps[step.key] = step
            future = self.cluster.client.submit(
                _perform, step.function, step.arguments, self.limit, pure=False
            )
            future.step_key = step.key
            if self.futures is None:
                self.futures = distributed.as_completed([future])
            else:
                self.futures.add(future)

    def work(self) -> None:
        while self.steps:
            future = next(self.futures)
            step = self.steps.pop(future.step_key)
            result: Any
            if future.status == "finished":
                result = future.result()
                if not isinstance(result, FlowError):
                    self.cache.put(step, result)
                    self.outcome.ran += 1
            else:
                error = future.exception()
                if not isinstance(error, FlowError | distributed.KilledWorker | OSError | MemoryError):
                    raise error
                result = FlowError(f"{step.kind}: {str(error).splitlines()[0]}")
            self.deliver(step.key, result)

    def deliver(self, key: str, result: Any) -> None:
        """Give a result to every flow that waits for it."""
        concerned = [waiting for waiting in self.waiting if key in waiting.keys and key not in waiting.known]
        for waiting in concerned:
            waiting.known[key] = result
            self.notice(waiting.name)
        ready = [waiting for waiting in concerned if all(key in waiting.known for key in waiting.keys)]
        self.waiting = [waiting for waiting in self.waiting if waiting not in ready]
        for waiting in ready:
            results = [waiting.known[key] for key in waiting.keys]
            failed = [result for result in results if isinstance(result, FlowError)]
            self.advance(waiting.name, waiting.flow, failed[0] if failed else results)


def _perform(function: Callable[..., Any], arguments: tuple[Any, ...], limit: float) -> Any:
    """Run a step; an expected failure is a result, so that Dask neither repeats nor logs it."""
    try:
        with limited(limit):
            return function(*arguments)
    except FlowError as error:
        return error
