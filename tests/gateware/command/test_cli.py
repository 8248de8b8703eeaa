"""The ``l1bn`` command: one clear line for every mistake, and no file half-written or overwritten."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from l1bn import __version__
from l1bn.command import cli
from l1bn.config import PARAMETERS
from l1bn.generator import generate

from ..commands import contents, error_line, run

SMALL = ("--width", "4", "--count", "8")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"l1bn {__version__}\n"


def test_help_lists_every_parameter_with_its_range(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    assert run("generate", "--help") == 0
    text = "".join(capsys.readouterr().out.split())
    for name, parameter in PARAMETERS.items():
        flag = "count" if name == "counts" else name.replace("_", "-")
        allowed = "|".join(map(str, parameter.choices)) or parameter.allowed
        words = (f"--{flag}", allowed, f"[default: {parameter.default}]")
        assert re.search(".*?".join(re.escape("".join(word.split())) for word in words), text)
    for flag in ("--config", "--name", "--output", "--force"):
        assert flag in text


@pytest.mark.parametrize("command", [(), ("-h",), ("generate", "-h"), ("explain", "--help")])
def test_help_shortens_nothing(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run(*command) == (0 if command else 2)
    out, err = capsys.readouterr()
    text = out if command else err
    assert text.startswith("Usage: l1bn ") and "..." not in text.replace("[ARGS]...", "").replace("[,N...]", "")


def test_a_misspelled_name_is_answered_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, right in ((("genrate",), "generate"), (("generate", "--widht", "8"), "--width")):
        assert run(*arguments) == 2
        assert right in error_line(capsys)


@pytest.mark.parametrize("way", ["FILE", "--config"])
def test_every_command_takes_the_same_file(way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text('width = 4\ncount = 8\nname = "mine"\n')
    file = [tmp_path / "mine.toml"] if way == "FILE" else ["--config", tmp_path / "mine.toml"]
    assert run("generate", *file, "-o", tmp_path / "out") == 0
    assert run("generate", tmp_path / "out" / "mine.json", "-o", tmp_path / "again") == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "again")
    capsys.readouterr()
    assert run("explain", *file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["configuration"]["width"] == 4


def test_the_command_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "l1bn", "generate", *SMALL]
    good = subprocess.run([*command, "-o", tmp_path], capture_output=True, text=True)
    assert (good.returncode, good.stderr) == (0, "")
    assert [Path(line).name for line in good.stdout.splitlines()] == ["l1_batch_norm.v", "l1_batch_norm.json"]
    bad = subprocess.run([*command, "--lanes", "3"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "l1bn: error: lanes = 3 is not possible; allowed: 1, 2, 4, 8, 16, 32 or 64\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--width 3", "width = 3 is not possible; allowed: a whole number from 4 to 32"),
        ("--width wide", "width = 'wide' is not possible; allowed: a whole number from 4 to 32"),
        ("--width 8.5", "width = '8.5' is not possible"),
        ("--norm l3", "norm = 'l3' is not possible; allowed: l1, l2, range, rms or mean-absolute"),
        ("--norm range --form two-pass", "form = 'two-pass' is not possible; allowed: one-pass for norm = range"),
        ("--lanes 4 --count 6", "count = 6 is not possible; allowed: a multiple of lanes = 4"),
        ("--count 8,x", "count = 'x' is not possible"),
        ("--count 8, --count 16", "count = '' is not possible"),
        ("--epsilon nan", "epsilon = nan is not possible; allowed: a number from 0 to 1"),
        ("--epsilon tiny", "epsilon = 'tiny' is not possible"),
        ("--guard-bits 65", "guard_bits = 65 is not possible; allowed: a whole number from 0 to 64"),
        ("--widht 8", "No such option"),
        ("--width", "'--width' requires an argument"),
        ("leftover", "config = 'leftover' is not possible; allowed: a readable file (No such file"),
        ("leftover more", "unexpected extra argument (more)"),
        ("a.toml --config b.toml", "allowed: FILE or --config, not both"),
        ("--name module", "name = 'module' is not possible; allowed: a name that is no reserved word"),
        ("--name ../norm", "name = '../norm' is not possible; allowed: a letter"),
        ("--name ", "name = '' is not possible"),
        ("--name a/b", "name = 'a/b' is not possible"),
        ("--name 1st", "name = '1st' is not possible"),
        ("--name größe", "name = 'größe' is not possible"),
        ("--name " + 65 * "n", "allowed: at most 64 characters"),
        (
            "--config missing.toml",
            "config = 'missing.toml' is not possible; allowed: a readable file (",
        ),
        (
            "--config missing.json",
            "config = 'missing.json' is not possible; allowed: a readable file (",
        ),
        ("--config .", "config = '.' is not possible; allowed: a readable file (Is a directory)"),
    ],
)
def test_bad_option(
    arguments: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("generate", "-o", "out", *arguments.split(" ")) == 2
    assert words in error_line(capsys)
    assert not list(tmp_path.iterdir())


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generaet") == 2
    assert "No such command 'generaet'" in error_line(capsys)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.toml", "width = ", "allowed: valid TOML (Invalid value"),
        ("c.toml", "widht = 8", "widht = 8 is not possible; allowed: no such parameter; known: norm, form"),
        ("c.toml", "width = '8'", "width = '8' is not possible"),
        ("c.toml", "[width]\nx = 8", "width = {'x': 8} is not possible"),
        ("c.toml", "count = 8\ncounts = [8]", "either count or counts, not both"),
        ("c.toml", "name = 'end'", "name = 'end' is not possible"),
        ("c.toml", "name = 7", "name = 7 is not possible"),
        ("c.toml", b"\xff\xfe", "allowed: text in UTF-8"),
        ("c.json", "{", "allowed: valid JSON"),
        ("c.json", b"\xff", "allowed: text in UTF-8"),
        ("c.json", "[1]", "allowed: a manifest of l1bn with schema 1 or 2"),
        ("c.json", '{"width": 8}', "allowed: a manifest of l1bn with schema 1 or 2"),
        ("c.json", '{"schema": 99, "configuration": {}}', "allowed: a manifest of l1bn with schema 1 or 2"),
        ("c.json", '{"schema": 1, "module": "a"}', "allowed: a manifest with a module and a"),
        ("c.json", '{"schema": 1, "module": "a", "configuration": {"width": 99}}', "width = 99 is not"),
        ("c.json", "[" * 100_000, "allowed: valid JSON"),
    ],
)
def test_bad_file(
    name: str, text: str | bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert run("generate", "--config", path, "-o", tmp_path / "out") == 2
    assert words in error_line(capsys)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_gives_the_same_as_options(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text('norm = "l2"\nwidth = 4\ncounts = [8, 16]\nlanes = 2\nname = "mine"\n')
    assert run("generate", "--config", path, "-o", tmp_path / "file") == 0
    options = ("--norm", "l2", *SMALL, "--count", "16", "--lanes", "2", "--name", "mine")
    assert run("generate", *options, "-o", tmp_path / "options") == 0
    assert set(contents(tmp_path / "file")) == {"mine.v", "mine.json"}
    assert contents(tmp_path / "file") == contents(tmp_path / "options")


def test_options_win_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "unit.toml"
    path.write_text("width = 5\ngamma_width = 6\ncount = 8\nname = 'mine'\n")
    options = ("--width", "4", "--count", "4,6", "--name", "other")
    assert run("generate", "--config", path, *options, "-o", tmp_path / "out") == 0
    configuration = json.loads((tmp_path / "out" / "other.json").read_text())["configuration"]
    assert (configuration["width"], configuration["gamma_width"], configuration["counts"]) == (4, 6, [4, 6])


def test_a_manifest_repeats_its_files(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    options = (*SMALL, "--count", "12", "--lanes", "2", "--epsilon", "1e-3", "--name", "mine")
    assert run("generate", *options, "-o", first) == 0
    assert run("generate", "--config", first / "mine.json", "-o", second) == 0
    assert contents(first) == contents(second)


@pytest.mark.parametrize("existing", ["l1_batch_norm.v", "l1_batch_norm.json"])
def test_what_exists_is_not_overwritten_without_force(
    existing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).write_text("precious")
    assert run("generate", *SMALL, "-o", tmp_path) == 2
    line = error_line(capsys)
    assert existing in line and "a file that does not exist yet, or --force" in line
    assert contents(tmp_path) == {existing: b"precious"}
    assert run("generate", *SMALL, "-o", tmp_path, "--force") == 0
    assert set(contents(tmp_path)) == {"l1_batch_norm.v", "l1_batch_norm.json"}
    assert b"precious" not in contents(tmp_path)[existing]


def test_a_folder_in_place_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "l1_batch_norm.json").mkdir()
    assert run("generate", *SMALL, "-o", tmp_path, "--force") == 2
    assert "allowed: a file, but this is a folder" in error_line(capsys)
    assert contents(tmp_path) == {}


def test_a_file_in_place_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").write_text("precious")
    for folder in ("out", "out/deeper"):
        assert run("generate", *SMALL, "-o", tmp_path / folder) == 2
        assert "allowed: a folder to write to (" in error_line(capsys)
    assert contents(tmp_path) == {"out": b"precious"}


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generate", *SMALL, "-o", "/proc/l1bn") == 2
    assert "output = '/proc/l1bn' is not possible; allowed: a folder to write to (" in error_line(capsys)


@pytest.mark.parametrize("operation", ["write_bytes", "rename"])
def test_a_full_disk_leaves_nothing_behind(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, operation, fail)
    assert run("generate", *SMALL, "-o", tmp_path / "deep" / "out") == 2
    assert "(No space left on device)" in error_line(capsys)
    assert not list(tmp_path.iterdir())


def test_an_interruption_while_generating_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "verilog", interrupt)
    assert run("generate", *SMALL, "-o", tmp_path / "out") == 130
    assert capsys.readouterr().err.strip() == "l1bn: error: interrupted"
    assert not list(tmp_path.iterdir())


def test_an_interruption_while_writing_waits_until_both_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def interrupt_then_rename(path: Path, target: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupt_then_rename)
    # A test run in the background of a shell ignores the signal otherwise.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert run("generate", *SMALL, "-o", tmp_path) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert set(contents(tmp_path)) == {"l1_batch_norm.v", "l1_batch_norm.json"}


def test_a_failing_yosys_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> str:
        raise cli.YosysError("Warning: something\nERROR: out of memory")

    monkeypatch.setattr(generate, "verilog", fail)
    assert run("generate", *SMALL, "-o", tmp_path / "out") == 1
    assert error_line(capsys) == "l1bn: error: Yosys failed: ERROR: out of memory\n"
    assert not list(tmp_path.iterdir())
