"""Many flows at once: each is a generator that asks for steps, which run at the same time unless they are known.

A flow yields a list of steps and is sent their results; what a step raises is raised in the flow as a
:exc:`FlowError`. A flow that raises has failed; the others go on.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .cache import Cache, Programs, Step, origin
from .pool import Pool, Scheduler, Threads, describe
from .tools import LIMIT_MINUTES, FlowError, kill_all, limited, start_again

__all__ = ["Flow", "Interrupted", "Outcome", "run_flows"]

PROGRAMS = 5
"""No step runs more programs than these, one after the other, each within its limit."""

Result = TypeVar("Result")
Flow = Generator[list[Step], list[Any], Result]
Notice = Callable[[str], None]


class Interrupted(KeyboardInterrupt):
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
    scheduler : address of a Dask scheduler, whose workers then do it; they must have these sources and programs
    notice : called with the name of a flow whenever one of its steps is done
    limit : minutes that one program may take

    Raises
    ------
    Interrupted
        If the interrupt key is pressed: all programs are stopped, and what was finished is in the cache.
    FlowError
        If the scheduler does not answer.
    """

    def start() -> Pool:
        return Threads(jobs or os.cpu_count() or 1) if scheduler is None else Scheduler(scheduler)

    run: _Run[Result] = _Run(cache, start, notice, limit)
    try:
        for name, flow in flows.items():
            run.advance(name, flow, None)
        run.work()
    except KeyboardInterrupt:
        kill_all()
        raise Interrupted from None
    except BaseException:
        kill_all()
        raise
    finally:
        run.close()
        start_again()
    return run.outcome


class _Run(Generic[Result]):
    def __init__(self, cache: Cache, start: Callable[[], Pool], notice: Notice, limit: float):
        self.cache, self.start, self.notice, self.limit = cache, start, notice, limit
        self.outcome: Outcome[Result] = Outcome()
        self.pool: Pool | None = None
        self.running: dict[Future[Any], Step] = {}
        self.waiting: list[_Waiting] = []

    def advance(self, name: str, flow: Flow[Result], results: list[Any] | BaseException | None) -> None:
        """Let a flow go on until it waits for a step that has to run, or ends."""
        while True:
            try:
                if isinstance(results, BaseException):
                    asked = flow.throw(results)
                else:
                    asked = next(flow) if results is None else flow.send(results)
                keys = [step.key for step in asked]
            except StopIteration as end:
                self.outcome.results[name] = end.value
                return
            except Exception as error:
                self.outcome.failures[name] = describe(error)
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
            if missing:
                self.waiting.append(_Waiting(name, flow, keys, known))
                self.submit(missing)
                return
            results = [known[key] for key in keys]

    def submit(self, steps: Iterable[Step]) -> None:
        if self.pool is None:
            # Only once there is something to run.
            self.pool = self.start()
        under_way = {step.key for step in self.running.values()}
        for step in steps:
            if step.key not in under_way:
                here = origin(step.function, step.programs)
                job = (step.function, step.arguments, self.limit, step.programs, here)
                self.running[self.pool.submit(_perform, *job)] = step

    def work(self) -> None:
        patience = 60 * PROGRAMS * self.limit
        while self.running:
            done, _ = wait(self.running, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                self.give_up(f"no step has come back for {PROGRAMS * self.limit:g} minutes")
            for future in done:
                step = self.running.pop(future)
                self.deliver(step.key, self.result(step, future))

    def result(self, step: Step, future: Future[Any]) -> Any:
        """The result of a step, kept, or why there is none."""
        assert self.pool is not None
        try:
            result = future.result()
        except FlowError as error:
            return error
        except Exception as error:
            return FlowError(f"{step.kind}: {self.pool.reason(error)}")
        if not isinstance(result, FlowError):
            self.cache.put(step, result)
            self.outcome.ran += 1
        return result

    def give_up(self, reason: str) -> None:
        """Fail whatever waits."""
        while self.running:
            _, step = self.running.popitem()
            self.deliver(step.key, FlowError(f"{step.kind}: {reason}"))

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

    def close(self) -> None:
        if self.pool is not None:
            self.pool.close()


def _perform(
    function: Callable[..., Any], arguments: tuple[Any, ...], limit: float, programs: Programs, asked: str
) -> Any:
    """Run a step; an expected failure is a result, so that Dask neither repeats nor logs it.

    A worker elsewhere may have other code or programs than those that the result would be kept under.
    """
    if origin(function, programs) != asked:
        return FlowError(
            f"the worker on {socket.gethostname()} has other sources or programs than this machine"
        )
    try:
        with limited(limit):
            return function(*arguments)
    except FlowError as error:
        return error
