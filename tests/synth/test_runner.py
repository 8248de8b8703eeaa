"""Cache and runner, with steps that take no tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from l1bn_synth.cache import Cache, Step
from l1bn_synth.runner import Interrupted, run_flows
from l1bn_synth.tools import FlowError, ToolFailure, python_tool, run_tool


@dataclass(frozen=True)
class Number:
    value: int


CALLS: list[int] = []


def double(value: int) -> Number:
    CALLS.append(value)
    if value == 13:
        raise ToolFailure("yosys was killed by signal SIGKILL")
    return Number(2 * value)


def run_away(value: int) -> Number:
    run_tool("nextpnr-ice40", python_tool("import signal; signal.pause()"), Path.cwd())
    return Number(value)


def step(value: int, version: str = "1") -> Step:
    return Step("double", double, (value,), lambda data: Number(**data), {"tool": version})


def chain(*values: int):
    """Doubles one value after the other."""
    total = 0
    for value in values:
        (result,) = yield [step(value)]
        total += result.value
    return total


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


def test_second_run_finds_everything(tmp_path):
    first = run_flows({"a": chain(1, 2), "b": chain(2, 3)}, Cache(tmp_path), jobs=2)
    assert first.results == {"a": 6, "b": 10}
    assert sorted(CALLS) == [1, 2, 3], "what two flows ask for runs once"
    second = run_flows({"a": chain(1, 2), "b": chain(2, 3)}, Cache(tmp_path), jobs=2)
    assert (second.results, second.ran, second.reused) == (first.results, 0, 4)
    assert len(CALLS) == 3


def test_other_tool_version_is_another_result(tmp_path):
    cache = Cache(tmp_path)
    cache.put(step(1), Number(2))
    assert cache.get(step(1)) == Number(2)
    assert cache.get(step(1, version="2")) is None


def test_damaged_file_counts_as_none(tmp_path):
    cache = Cache(tmp_path)
    cache.put(step(1), Number(2))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert cache.get(step(1)) is None
    assert run_flows({"a": chain(1)}, cache, jobs=1).results == {"a": 2}


def test_killed_tool_is_one_line_and_the_others_are_kept(tmp_path):
    outcome = run_flows({"good": chain(1), "bad": chain(2, 13, 5), "late": chain(4)}, Cache(tmp_path), jobs=1)
    assert outcome.results == {"good": 2, "late": 8}
    assert outcome.failures == {"bad": "yosys was killed by signal SIGKILL"}
    assert 5 not in CALLS
    assert Cache(tmp_path).get(step(13)) is None, "a failure is not kept"


def test_tool_that_runs_away_is_one_line_and_the_others_are_kept(tmp_path):
    def hang():
        yield [Step("hang", run_away, (1,), lambda data: Number(**data), {})]

    cache = Cache(tmp_path)
    outcome = run_flows({"bad": hang(), "good": chain(1, 2)}, cache, jobs=1, limit=0.01)
    assert outcome.failures == {"bad": "nextpnr-ice40: stopped after 0.01 minutes (--limit)"}
    assert outcome.results == {"good": 6}


def test_flow_may_give_up_by_itself(tmp_path):
    def too_large():
        yield [step(1)]
        raise FlowError("too large for HX8K: needs 9 ICESTORM_LC of 8, 1 too many")

    outcome = run_flows({"a": too_large(), "b": chain(2)}, Cache(tmp_path), jobs=1)
    assert outcome.failures == {"a": "too large for HX8K: needs 9 ICESTORM_LC of 8, 1 too many"}
    assert outcome.results == {"b": 4}


def test_interrupt_keeps_what_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr("l1bn_synth.runner.kill_all", lambda: None)
    seen: list[str] = []

    def notice(name: str) -> None:
        seen.append(name)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        run_flows({"a": chain(1, 2, 3)}, Cache(tmp_path), jobs=1, notice=notice)
    assert Cache(tmp_path).get(step(1)) == Number(2)
    assert Cache(tmp_path).get(step(2)) == Number(4)
    assert Cache(tmp_path).get(step(3)) is None


def test_unreachable_scheduler_is_one_line(tmp_path):
    with pytest.raises(FlowError, match=r"^scheduler 'nonsense' does not answer"):
        run_flows({"a": chain(1)}, Cache(tmp_path), scheduler="nonsense")


def test_half_written_result_is_no_result(tmp_path):
    class Unserialisable:
        pass

    @dataclass
    class Odd:
        value: Any

    with pytest.raises(TypeError):
        Cache(tmp_path).put(step(1), Odd(Unserialisable()))
    assert list(tmp_path.iterdir()) == []
