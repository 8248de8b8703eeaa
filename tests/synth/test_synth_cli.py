"""The command: what a user can get wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from l1bn_synth import activity, cli, nextpnr, osu018
from l1bn_synth.runner import Interrupted, Outcome


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
        (["run", "--target", "ecp5", "--preset", "huge"], "'huge' is not one of 'quick', 'paper', 'lanes', 'full'"),
        (["run", "--target", "ecp5", "--seeds", "0"], "0 is not in the range 1<=x<=100"),
        (["run", "--target", "ecp5", "--limit", "0"], "0 is not in the range 1<=x<=10000"),
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
    assert error.startswith("l1bn_synth: ") and error.count("\n") == 1
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
    assert "forward L1, two passes" in output


def test_module_runs():
    done = subprocess.run([sys.executable, "-m", "l1bn_synth", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "check" in done.stdout


def test_missing_package_says_what_installs_it(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setitem(nextpnr._PACKAGES, "ecp5", "no-such-nextpnr")
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path / "out"))
    assert code == 2
    assert error == "l1bn_synth: no-such-nextpnr is missing; install: pip install no-such-nextpnr\n"


def test_missing_compiler_says_what_installs_it(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(activity, "COMPILER", "no-such-compiler")
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path / "out"))
    assert code == 2
    assert error == "l1bn_synth: no-such-compiler is missing; install: apt-get install g++\n"


def test_interrupt_is_exit_code_130(capsys, monkeypatch, tmp_path):
    def interrupt(*arguments):
        raise Interrupted

    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(cli, "run_flows", interrupt)
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path))
    assert code == 130
    assert error.splitlines()[-1] == (
        "l1bn_synth: interrupted; finished steps are kept and found again by the next run"
    )


def test_failed_units_are_told_and_the_others_reported(capsys, monkeypatch, tmp_path):
    name = "skid register/w16 on LFE5U-85F-6"
    failed = Outcome(failures={name: "too large for LFE5U-85F-6: needs 9 DP16KD of 8, 1 too many"})
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(cli, "run_flows", lambda *arguments: failed)
    code, output, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path))
    assert code == 1
    line = f"{name}: {failed.failures[name]}"
    assert error.splitlines()[-2:] == [line, "1 without a result"]
    assert f"- {line}" in (tmp_path / "ecp5" / "report.md").read_text()
    assert f"wrote {tmp_path}/ecp5/report.html" in output


def test_output_below_a_file(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    (tmp_path / "file").write_text("")
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path / "file" / "out"))
    assert code == 2
    assert error == f"l1bn_synth: {tmp_path}/file/out/ecp5: Not a directory\n"


def test_output_that_cannot_be_written(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [])
    (tmp_path / "file").write_text("")
    code, _, error = call(capsys, "run", "--target", "ecp5", "--output", str(tmp_path / "file"))
    assert code == 2
    assert "is a file" in error
