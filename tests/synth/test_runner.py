"""Cache and runner, with steps that take no tool."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest

from l1bn_synth.cache import Cache, Step
from l1bn_synth.entry import run_command
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
    if value == 99:
        raise ZeroDivisionError("nothing to divide")
    return Number(2 * value)


def run_away(value: int) -> Number:
    run_tool("nextpnr-ice40", python_tool("import signal; signal.pause()"), Path.cwd())
    return Number(value)


def programs(version: str = "1") -> dict[str, str]:
    return {"tool": version}


def step(value: int, version: str = "1") -> Step:
    return Step("double", double, (value,), lambda data: Number(**data), partial(programs, version))


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


def test_damaged_file_counts_as_none(tmp_path, capsys):
    cache = Cache(tmp_path)
    cache.put(step(1), Number(2))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    for ran in (1, 0):
        outcome = run_flows({"a": chain(1)}, Cache(tmp_path), jobs=1)
        assert (outcome.results, outcome.ran) == ({"a": 2}, ran)
    assert capsys.readouterr().err == f"l1bn_synth: {file}: it is damaged; it is dropped and computed again\n"
    cache.kept.put(step(1).key, {"number": 2})
    assert cache.get(step(1)) is None, "whole, but of something else"


def test_killed_tool_is_one_line_and_the_others_are_kept(tmp_path):
    outcome = run_flows({"good": chain(1), "bad": chain(2, 13, 5), "late": chain(4)}, Cache(tmp_path), jobs=1)
    assert outcome.results == {"good": 2, "late": 8}
    assert outcome.failures == {"bad": "yosys was killed by signal SIGKILL"}
    assert 5 not in CALLS
    assert Cache(tmp_path).get(step(13)) is None, "a failure is not kept"


def test_tool_that_runs_away_is_one_line_and_the_others_are_kept(tmp_path):
    def hang():
        yield [Step("hang", run_away, (1,), lambda data: Number(**data), programs)]

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


def test_interrupt_keeps_what_is_done(tmp_path):
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
    assert run_tool("python", python_tool("print(7)"), tmp_path) == "7\n", (
        "the next run starts programs again"
    )


def strike(number: int) -> Number:
    """A program that sends this process a signal and then never ends."""
    code = f"import os, signal; os.kill({os.getpid()}, {number}); signal.pause()"
    run_tool("nextpnr-ice40", python_tool(code), Path.cwd())
    return Number(0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_from_outside_stops_programs_that_run(tmp_path, capsys, number):
    def struck():
        yield [step(1)]
        yield [Step("strike", strike, (int(number),), lambda data: Number(**data), programs)]

    @click.command()
    def command() -> None:
        run_flows({"a": struck()}, Cache(tmp_path), jobs=2)

    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run_command(command, "test", []) == 130
    finally:
        signal.signal(signal.SIGTERM, before)
    line = "l1bn_synth: interrupted; finished steps are kept and found again by the next run"
    assert capsys.readouterr().err.strip() == line
    assert Cache(tmp_path).get(step(1)) == Number(2)


def test_a_fault_of_ours_is_one_line_and_the_others_are_kept(tmp_path):
    def wrong():
        yield [step(1)]
        raise KeyError("fmax")

    def refused():
        yield [Step("double", double, (object(),), lambda data: Number(**data), programs)]

    outcome = run_flows(
        {"a": wrong(), "b": chain(2), "c": chain(99), "d": refused()}, Cache(tmp_path), jobs=1
    )
    assert outcome.results == {"b": 4}
    line = wrong.__code__.co_firstlineno + 2
    assert outcome.failures.pop("a") == f"KeyError: 'fmax' (test_runner.py, line {line})"
    assert outcome.failures.pop("c").startswith(
        "double: ZeroDivisionError: nothing to divide (test_runner.py, line "
    )
    assert outcome.failures.pop("d").startswith("TypeError: no argument of a step: ")
    assert outcome.failures == {}


def test_a_cache_that_cannot_be_written_loses_no_result(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    outcome = run_flows({"a": chain(1, 2), "b": chain(2, 3)}, Cache(tmp_path / "file" / "cache"), jobs=2)
    assert outcome.results == {"a": 6, "b": 10}
    assert (
        capsys.readouterr().err
        == f"l1bn_synth: {tmp_path}/file/cache: Not a directory; results are not kept\n"
    )


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
