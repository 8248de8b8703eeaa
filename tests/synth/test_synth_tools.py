"""External programs that fail, and the messages that come of it."""

from __future__ import annotations

import os
import signal

import pytest

from l1bn_synth.tools import ToolFailure, ToolMissing, limited, package_version, python_tool, run_tool


def test_output_of_a_program(tmp_path):
    output = run_tool("python", python_tool("import sys; print('a'); print('b', file=sys.stderr)"), tmp_path)
    assert sorted(output.split()) == ["a", "b"]


def test_exit_code_and_first_error_are_one_line(tmp_path):
    code = "print('fine'); print('ERROR: no such cell'); print('error: and more'); exit(3)"
    with pytest.raises(ToolFailure) as caught:
        run_tool("yosys", python_tool(code), tmp_path)
    assert str(caught.value) == "yosys exited with code 3: ERROR: no such cell"


def test_killed_program_names_the_signal(tmp_path):
    code = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"
    with pytest.raises(ToolFailure, match=r"^nextpnr was killed by signal SIGKILL$"):
        run_tool("nextpnr", python_tool(code), tmp_path)


def test_program_that_runs_away_is_killed_with_all_that_it_started(tmp_path):
    child = "import signal; signal.pause()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    # Its child holds the other end of the pipe: this only returns once that is gone, too.
    with (
        limited(0.02),
        pytest.raises(ToolFailure, match=r"^nextpnr-ice40: stopped after 0\.02 minutes \(--limit\)$"),
    ):
        run_tool("nextpnr-ice40", python_tool(code), tmp_path)


def test_program_that_is_not_there(tmp_path):
    with pytest.raises(ToolFailure, match=r"^sta could not be started: No such file or directory$"):
        run_tool("sta", ["/nonexistent/sta"], tmp_path)


def test_program_runs_in_a_group_of_its_own(tmp_path):
    output = run_tool("python", python_tool("import os; print(os.getpgrp())"), tmp_path)
    assert int(output) != os.getpgrp()


def test_missing_package_says_how_to_install_it():
    with pytest.raises(
        ToolMissing, match=r"^no-such-package is missing; install: pip install no-such-package$"
    ):
        package_version("no-such-package")
