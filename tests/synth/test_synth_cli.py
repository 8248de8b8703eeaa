"""The command: what a user can get wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from l1bn_synth import cli, osu018


def call(capsys, *words):
    """Exit code and output of the command."""
    with pytest.raises(SystemExit) as caught:
        sys.argv = ["l1bn_synth", *words]
        cli.main()
    output = capsys.readouterr()
    return caught.value.code, output.out, output.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "--target", "asic"], "'asic' is not one of 'ice40', 'ecp5', 'osu018'"),
        (["run"], "Missing option '--target'"),
        (["run", "--target", "ecp5", "--preset", "huge"], "'huge' is not one of 'quick', 'paper', 'full'"),
        (["run", "--target", "ecp5", "--seeds", "0"], "0 is not in the range 1<=x<=100"),
        (["check", "--target", "ecp5", "--jobs", "many"], "'many' is not a valid int"),
        (["peers", "--seeds", "0"], "0 is not in the range 1<=x<=100"),
        (["rin"], "No such command 'rin'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(capsys, monkeypatch, words, told):
    monkeypatch.setattr(sys, "argv", [])
    code, output, error = call(capsys, *words)
    assert code == 2
    assert output == ""
    assert told in error
    # Several choices are listed below a missing option.
    assert error.startswith("l1bn_synth: ")
    assert "Traceback" not in error


def test_missing_standard_cells_say_what_installs_them(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(osu018, "LIBERTY", tmp_path / "none.lib")
    code, _, error = call(capsys, "run", "--target", "osu018", "--output", str(tmp_path / "out"))
    assert code == 2
    assert error == (
        "l1bn_synth: OpenSTA or the OSU 180 nm library is missing; install: apt-get install opensta qflow-tech-osu018\n"
    )
    assert not (tmp_path / "out").exists()


def test_list(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [])
    code, output, _ = call(capsys, "list", "--preset", "quick")
    assert code == 0
    assert "forward L1" in output


def test_module_runs():
    done = subprocess.run([sys.executable, "-m", "l1bn_synth", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "check" in done.stdout


def test_output_that_cannot_be_written(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    (tmp_path / "file").write_text("")
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path / "file"))
    assert code == 2
    assert "is a file" in error
