"""Results on disk: whatever happens to a file, its value is given back whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from l1bn_golden.kept import Kept

VALUE = {"fmax_mhz": 246.125, "cells": {"LUT4": 17, "TRELLIS_FF": 33}, "netlist": "module unit; " * 40}
OTHER = {"fmax_mhz": 282.5, "cells": {}, "netlist": ""}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path, told: list[str]) -> Kept:
    return Kept(tmp_path / "kept", told.append)


def damage(content: bytes, foreign: bytes, draw: random.Random) -> bytes:
    """The content with one random fault."""
    start, end = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    match draw.randrange(7):
        case 0:
            return content[:start]
        case 1:
            return content[:start] + bytes([draw.randrange(256)]) + content[start + 1 :]
        case 2:
            return content[:start] + bytes(end - start) + content[end:]
        case 3:
            return b""
        case 4:
            return foreign
        case 5:
            return draw.randbytes(len(content))
        case _:
            return content[:start] + content[end:]


def test_600_damaged_files_are_dropped_and_told(kept: Kept, told: list[str], seed: int) -> None:
    draw = random.Random(seed)
    kept.put("other", OTHER)
    foreign = kept.path("other").read_bytes()
    faults = 0
    for number in range(600):
        name = f"timing-{number}"
        kept.put(name, VALUE)
        path = kept.path(name)
        content = path.read_bytes()
        damaged = damage(content, foreign, draw)
        path.write_bytes(damaged)
        if damaged == content:
            assert kept.get(name) == VALUE
            continue
        faults += 1
        assert kept.get(name) is None
        assert not path.exists(), "it is not met again"
        assert told[-1] == f"{path}: it is damaged; it is dropped and computed again"
        kept.put(name, VALUE)
        assert kept.get(name) == VALUE
    assert len(told) == faults > 550


def test_every_single_bit_counts(kept: Kept) -> None:
    kept.put("a", {"a": 1})
    content = kept.path("a").read_bytes()
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        kept.path("a").write_bytes(changed)
        assert kept.get("a") is None


def test_what_cannot_be_read_is_told(kept: Kept, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put("a", VALUE)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        assert kept.get("a") is None
    assert told == [f"{kept.path('a')}: Permission denied; it is dropped and computed again"]
    kept.path("b").mkdir()
    assert kept.get("b") is None
    kept.put("b", VALUE)
    assert "results are not kept" in told[-1]


@pytest.mark.parametrize("below", ["file/kept", "/proc/kept"])
def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, told: list[str], below: str) -> None:
    (tmp_path / "file").write_text("")
    kept = Kept(tmp_path / below, told.append)
    for name in "abc":
        assert kept.get(name) is None
        kept.put(name, VALUE)
    assert len(told) == 1 and told[0].endswith("results are not kept")


def test_a_full_disk(kept: Kept, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put("a", VALUE)
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(os, "fdopen", lambda handle, mode: (os.close(handle), full)[1])
        kept.put("b", VALUE)
    assert told == [f"{kept.folder}: No space left on device; results are not kept"]
    assert [path.name for path in kept.folder.iterdir()] == ["a.kept"], "no half a file stays behind"
    assert kept.get("a") == VALUE


def test_a_folder_that_vanishes_comes_back(kept: Kept, told: list[str]) -> None:
    kept.put("a", VALUE)
    kept.path("a").unlink()
    kept.folder.rmdir()
    assert kept.get("a") is None
    kept.put("a", VALUE)
    assert kept.get("a") == VALUE and not told


KILLED = """
import os, signal, sys
from pathlib import Path
from l1bn_golden.kept import Kept
os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
Kept(Path(sys.argv[1])).put("a", {"half": "written"})
"""


def test_killed_while_it_writes(kept: Kept, told: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(kept.folder)])
    assert done.returncode == -signal.SIGKILL
    (draft,) = kept.folder.iterdir()
    assert kept.get("a") is None and not told
    kept.put("a", VALUE)
    assert kept.get("a") == VALUE
    assert draft.exists(), "somebody may still be writing it"
    os.utime(draft, (0, 0))
    Kept(kept.folder).put("b", VALUE)
    assert not draft.exists()


MANY = """
import sys
from pathlib import Path
from l1bn_golden.kept import Kept
kept = Kept(Path(sys.argv[1]))
for number in range(300):
    name = str(number % 7)
    if kept.get(name) not in (None, {"value": name * 5000}):
        sys.exit("wrong")
    kept.put(name, {"value": name * 5000})
"""


def test_two_processes_share_a_folder(kept: Kept) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", MANY, str(kept.folder)], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert [process.returncode for process in processes] == [0, 0]
    assert kept.get("3") == {"value": "3" * 5000}
