"""A command ends with a line and the exit code of its kind, whatever it is given and wherever it writes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l1bn import export
from l1bn.command.cli import main
from l1bn.generator import generate

SEED = 20
LONG = "n" * 300
DEEP = 5000


def command(
    *arguments: object, code: str = "", cwd: Path | None = None, **more: Any
) -> subprocess.CompletedProcess[str]:
    program = code or "import sys; from l1bn.command.cli import main; sys.exit(main())"
    environment = {**os.environ, **more.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        **{"stdout": subprocess.PIPE, **more},
        cwd=cwd,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
    )


def test_nobody_reads(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = command("presets", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_behind_standard_output() -> None:
    with open("/dev/full", "w") as full:
        done = command("presets", stdout=full)
    assert (done.returncode, done.stderr) == (2, "l1bn: error: output: No space left on device\n")


def test_a_terminal_of_ascii(tmp_path: Path) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = command("presets", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    done = command("export", os.fsencode(tmp_path / "ü").decode(), "-o", "out", env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("l1bn: error: config = ")


def test_no_current_folder(tmp_path: Path) -> None:
    code = f"""
import os, sys
from l1bn.command.cli import main
os.chdir({str(tmp_path)!r}); os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
sys.exit(main(["generate", "-o", "."]))
"""
    done = command(code=code)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.fixture
def without_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written of a configuration that is right is no matter here."""
    monkeypatch.setattr(generate, "verilog", lambda unit, name: "")
    monkeypatch.setattr(export.Package, "files", lambda package: {f"{package.name}.json": b"{}"})


def malformed(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Names and contents of files that are no configuration."""
    for suffix, name in ((".toml", "counts"), (".json", "schema")):
        assign = f"{name} = " if suffix == ".toml" else ""
        yield suffix, f"{assign}{'[' * DEEP}".encode()
        yield suffix, f"{assign}{'[' * DEEP}{']' * DEEP}".encode()
        yield suffix, f"{assign}{'9' * DEEP}".encode()
        yield suffix, b""
        yield suffix, b"\0\0\0"
        yield suffix, "ü".encode("latin-1")
        yield suffix, b"\xed\xa0\x80"
    yield ".toml", b"width = 0x" + b"f" * DEEP
    yield ".toml", b"epsilon = nan\ncount = 1e400"
    yield ".toml", b'name = "\\u0000"'
    yield (
        ".json",
        b'{"schema": 1, "module": "u", "configuration": {"counts": ' + b"[" * 900 + b"]" * 900 + b"}}",
    )
    yield ".json", b'{"schema": 1, "module": "u", "configuration": {"width": ' + b"1" * 4000 + b"}}"
    texts = {
        ".toml": b'norm = "l1"\nwidth = 8\ncounts = [64, 32]\nepsilon = 1e-5\nlanes = 2\nname = "u"\n',
        ".json": b'{"schema": 1, "module": "u", "configuration": {"norm": "l2", "width": 8, "counts": [64]}}',
    }
    for _ in range(150):
        for suffix, text in texts.items():
            broken = bytearray(text)
            for _ in range(rng.randint(1, 4)):
                place = rng.randrange(len(broken))
                broken[place : place + rng.randint(0, 3)] = bytes(
                    rng.choices(range(256), k=rng.randint(0, 3))
                )
            yield suffix, bytes(broken)


@pytest.mark.usefixtures("without_hardware")
def test_no_file_ends_in_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = 0
    for number, (suffix, content) in enumerate(malformed(random.Random(SEED))):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        action = ("generate", "export")[number % 2]
        code = main([action, "--config", str(path), "-o", str(tmp_path / f"out{number}")])
        error = capsys.readouterr().err
        assert code in (0, 2), content
        if code:
            assert error.startswith("l1bn: error: ") and error.count("\n") == 1 and len(error) < 2000, content
            assert not (tmp_path / f"out{number}").exists()
            refused += 1
    assert refused > 200


@pytest.mark.usefixtures("without_hardware")
@pytest.mark.parametrize("action", ["generate", "export"])
def test_no_path_ends_in_a_traceback(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    here = [
        "/dev/zero",
        "/dev/full",
        "folder",
        "file/below",
        "loop",
        LONG,
        "a/" * 3000,
        "\udcff",
        "",
    ]
    for path in here:
        assert main([action, "--config", path, "-o", "out"]) == 2, path
        assert capsys.readouterr().err.startswith("l1bn: error: ")
    for path in ["file", "file/below", "loop", LONG, "a/" * 3000, "/proc/l1bn", "/dev/full"]:
        assert main([action, "-o", path]) == 2, path
        assert capsys.readouterr().err.count("\n") == 1
    assert main([action, "--name", LONG, "-o", "out"]) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "loop"}


def test_what_may_not_be_read_or_written(tmp_path: Path) -> None:
    """As somebody for whom permissions hold."""
    for folder in (tmp_path.parent, tmp_path.parent.parent, tmp_path):
        folder.chmod(0o755)
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut.toml").write_text("")
    code = """
import os, sys
from l1bn.command.cli import main
import l1bn.export
for action in ("generate", "export"):  # imports all that the others cannot read
    main([action, "-o", "/dev/full", "--no-such-option"]), main([action, "-o", "/dev/full"])
os.chmod("shut", 0), os.chmod("shut.toml", 0)
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
for action in ("generate", "export"):
    for options in ("-o shut", "-o shut/out", "-o out --config shut.toml", "-o out --config shut/a.json"):
        assert main([action, *options.split()]) == 2, options
"""
    done = command(code=code, cwd=tmp_path)
    (tmp_path / "shut").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("l1bn: error: ") for line in done.stderr.splitlines())
    assert done.stderr.count("\n") == 4 + 8
