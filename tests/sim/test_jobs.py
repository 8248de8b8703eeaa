from __future__ import annotations

import os
import signal
import subprocess

import pytest

from l1bn_sim.jobs import JobLost, run_jobs


def square(job):
    if job < 0:
        raise ValueError(f"{job} is negative")
    return job * job


def killed(job):
    os.kill(os.getpid(), signal.SIGKILL)


def waiting(fifo):
    """Start a child that holds the pipe open and would write to it when it is left alone; then wait."""
    subprocess.run(["sh", "-c", 'exec 3> "$0"; echo started >&3; sleep 20; echo survived >&3', fifo])


def listening(fifo):
    with open(fifo) as pipe:
        return pipe.readline().strip()


def wait_or_listen(job):
    role, fifo = job
    return waiting(fifo) if role == "wait" else listening(fifo)


def test_every_job_is_done_and_failures_are_results():
    results = dict(run_jobs(square, [1, 2, 3, -4], 2))
    assert [results[job] for job in (1, 2, 3)] == [1, 4, 9]
    assert str(results[-4]) == "-4 is negative"


def test_a_killed_job_is_a_failure():
    [(_, result)] = run_jobs(killed, [0], 1)
    assert isinstance(result, JobLost)


def test_stopping_early_ends_what_the_jobs_have_started(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)) as pipe:
        os.set_blocking(pipe.fileno(), True)
        running = run_jobs(wait_or_listen, [("wait", fifo), ("listen", fifo)], 2)
        assert next(running) == (("listen", fifo), "started")
        running.close()
        assert pipe.read() == "", "a child was left alone"  # returns when nobody holds the other end


@pytest.mark.parametrize("processes", [1, 4])
def test_order_of_the_jobs_does_not_matter(processes):
    assert {job for job, _ in run_jobs(square, range(6), processes)} == set(range(6))
