"""A Dask scheduler and its workers that die, hang, differ or are not there: one line, and the rest is kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote import Number, double, exhaust, kill, own_process, raise_oddly, step

from l1bn_synth import pool, runner
from l1bn_synth.cache import Cache
from l1bn_synth.runner import run_flows
from l1bn_synth.tools import FlowError


class Cluster:
    """A scheduler and a worker, each a process of its own."""

    def __init__(self, folder: Path):
        file = folder / "scheduler.json"
        here = str(Path(__file__).parent)
        self.environment = {
            **os.environ,
            "PYTHONPATH": here,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
        }
        scheduler = ["dask_scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1"]
        self.scheduler = self._start(*scheduler, "--scheduler-file", str(file))
        self._wait_for(self.scheduler, "Scheduler at")
        worker = ["dask_worker", "--no-dashboard", "--no-nanny", "--nthreads", "2"]
        self.worker = self._start(*worker, "--scheduler-file", str(file))
        self._wait_for(self.worker, "Registered to")
        self.address = json.loads(file.read_text())["address"]

    def _start(self, program: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def _wait_for(process: subprocess.Popen[str], words: str) -> None:
        assert process.stderr is not None
        assert any(words in line for line in process.stderr), f"{words!r} never came"

    def close(self) -> None:
        for process in (self.worker, self.scheduler):
            process.kill()
            process.wait()
            process.stderr.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.close()


def flow(*steps):
    """One step after the other."""
    values = []
    for each in steps:
        (result,) = yield [each]
        values.append(result.value)
    return values


def first(function):
    """The line that a function starts at."""
    return function.__code__.co_firstlineno


def test_workers_do_it(cluster, tmp_path):
    cache = Cache(tmp_path / "cache")
    flows = {
        "good": flow(step(double, 1), step(double, 2)),
        "odd": flow(step(double, 1), step(raise_oddly, 7)),
        "full": flow(step(exhaust)),
        "other": flow(step(double, 3, programs=own_process)),
    }
    outcome = run_flows(flows, cache, scheduler=cluster.address)
    assert outcome.results == {"good": [2, 4]}
    assert outcome.failures == {
        "odd": f"raise_oddly: ZeroDivisionError: 7 and a second line (remote.py, line {first(raise_oddly) + 1})",
        "full": f"exhaust: MemoryError: MemoryError (remote.py, line {first(exhaust) + 1})",
        "other": f"the worker on {socket.gethostname()} has other sources or programs than this machine",
    }
    again = run_flows({"good": flow(step(double, 1), step(double, 2))}, cache, scheduler="nonsense")
    assert (again.ran, again.results) == (0, outcome.results), "what is known needs no scheduler"


def test_a_worker_that_dies_and_then_none_is_left(cluster, tmp_path, capsys):
    flows = {"good": flow(step(double, 1)), "bad": flow(step(double, 1), step(kill))}
    outcome = run_flows(flows, Cache(tmp_path / "cache"), scheduler=cluster.address)
    assert outcome.results == {"good": [2]}
    assert outcome.failures == {
        "bad": f"kill: every worker of scheduler {cluster.address!r} that ran it died"
    }
    cluster.worker.wait()
    # As with a scheduler that hangs: nothing comes back, and nothing fails.
    rest = {"a": flow(step(double, 2))}
    outcome = run_flows(rest, Cache(tmp_path / "cache"), scheduler=cluster.address, limit=0.01)
    assert outcome.failures == {"a": "double: no step has come back for 0.05 minutes"}
    assert capsys.readouterr().err == f"l1bn_synth: scheduler {cluster.address!r} has no workers yet\n"


def test_a_scheduler_that_dies(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "ANSWER_SECONDS", 1)
    cache = Cache(tmp_path / "cache")
    flows = {
        "good": flow(step(double, 1)),
        "bad": flow(step(double, 1), step(kill, cluster.scheduler.pid)),
        "late": flow(step(double, 1), step(kill, cluster.scheduler.pid), step(double, 2)),
    }
    outcome = run_flows(flows, cache, scheduler=cluster.address)
    assert outcome.results == {"good": [2]}
    line = f"kill: the connection to scheduler {cluster.address!r} was lost"
    assert outcome.failures == {"bad": line, "late": line}
    assert cache.get(step(double, 1)) == Number(2)


def test_a_scheduler_that_hangs(cluster, tmp_path, monkeypatch):
    def hangs():
        os.kill(cluster.scheduler.pid, signal.SIGSTOP)
        yield [step(double, 1)]

    def early():
        yield []
        return "done"

    cache = Cache(tmp_path / "cache")
    monkeypatch.setattr(pool, "ANSWER_SECONDS", 1)
    connected = pool.Scheduler(cluster.address)
    monkeypatch.setattr(runner, "Scheduler", lambda address: connected)
    outcome = run_flows({"good": early(), "bad": hangs()}, cache, scheduler=cluster.address, limit=0.01)
    assert outcome.results == {"good": "done"}
    assert outcome.failures == {"bad": "double: no step has come back for 0.05 minutes"}
    with pytest.raises(FlowError, match=f"^scheduler '{cluster.address}' does not answer: "):
        pool.Scheduler(cluster.address)


def test_something_else_listens(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(FlowError, match=f"^scheduler '{address}' does not answer: "):
            run_flows({"a": flow(step(double, 1))}, Cache(tmp_path), scheduler=address)


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1:1", "tcp://", "ftp://127.0.0.1:1", "tcp://127.0.0.1:99999"]
)
def test_nothing_listens(tmp_path, monkeypatch, address):
    monkeypatch.setattr(pool, "ANSWER_SECONDS", 0.5)
    with pytest.raises(FlowError, match=f"^scheduler '{address}' does not answer: ") as caught:
        run_flows({"a": flow(step(double, 1))}, Cache(tmp_path), scheduler=address)
    assert "\n" not in str(caught.value)
