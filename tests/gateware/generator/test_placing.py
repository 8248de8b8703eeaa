"""Files that appear in the folder that was named, together or not at all, whoever else writes there."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from l1bn.config import ConfigurationError
from l1bn.export.folder import replaced
from l1bn.generator.placing import DRAFT, place

from ..commands import contents

MANIFEST = json.dumps({"package": {"files": ["rtl/a.v"]}}).encode()
FILES = {"rtl/a.v": b"new", "a.json": MANIFEST}


def export(folder: Path, *, force: bool = False, files: dict[str, bytes] = FILES) -> None:
    replaced(folder, force)
    place(folder, files, lambda: replaced(folder, force))


def test_the_current_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export(Path())
    assert contents(Path.cwd()) == FILES


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    for force in (False, True):
        export(tmp_path / "link", force=force)
        assert (tmp_path / "link").is_symlink()
        assert contents(tmp_path / "target") == FILES


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ConfigurationError, match="a folder, but this is a link to nothing"):
        export(tmp_path / "link")


def test_nothing_is_written_beside_the_folder(tmp_path: Path) -> None:
    """So a volume can be filled, and a folder in one that cannot be written."""
    program = f"""
import os
from pathlib import Path
from l1bn.generator.placing import place
parent = Path({str(tmp_path)!r})
(parent / "out").mkdir()
os.chown(parent / "out", 65534, 65534) if os.getuid() == 0 else None
parent.chmod(0o555)
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
place(parent / "out", {FILES!r}, list)
"""
    try:
        for folder in tmp_path.parents[:3]:  # those that pytest makes for its user alone
            folder.chmod(0o755)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    finally:
        tmp_path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == FILES


def test_a_volume_may_come_with_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    export(tmp_path)
    assert contents(tmp_path) == FILES


def test_one_at_a_time(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(ConfigurationError, match="allowed: a folder that no other process is writing to"):
        export(tmp_path)
    assert not contents(tmp_path)
    os.close(descriptor)
    export(tmp_path)
    with pytest.raises(ConfigurationError, match="a folder that does not exist yet, or --force"):
        export(tmp_path)


def test_of_many_exactly_one_wins(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from l1bn.config import ConfigurationError
from l1bn.export.folder import replaced
from l1bn.generator.placing import place
folder, number = Path(sys.argv[1]), sys.argv[2].encode()
sys.stdin.read()
try:
    place(folder, {f"{n}": number for n in range(200)}, lambda: replaced(folder, False))
except ConfigurationError as error:
    sys.exit(2)
"""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "out", str(number)], stdin=subprocess.PIPE
        )
        for number in range(4)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    codes = [process.wait() for process in running]
    assert sorted(codes) == [0, 2, 2, 2]
    assert set(contents(tmp_path / "out").values()) == {str(codes.index(0)).encode()}


@pytest.mark.parametrize("name", ["rtl/a.v", "a.json"])
def test_what_fails_leaves_the_old(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path, files={**FILES, "rtl/a.v": b"old"})
    before, rename = contents(tmp_path), Path.rename

    def fail(path: Path, target: Path) -> Path:
        if path == tmp_path / DRAFT / "new" / name:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ConfigurationError, match="No space left on device"):
        export(tmp_path, force=True)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("moves", range(5))
def test_a_killed_one_never_looks_complete(moves: int, tmp_path: Path) -> None:
    """After any number of its moves: the old two files away, the new two in."""
    export(tmp_path, files={**FILES, "rtl/a.v": b"old"})
    program = f"""
import os, signal
from pathlib import Path
from l1bn.export.folder import replaced
from l1bn.generator.placing import place
folder, rename, left = Path({str(tmp_path)!r}), Path.rename, {moves}
def limited(path, target):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return rename(path, target)
Path.rename = limited
place(folder, {FILES!r}, lambda: replaced(folder, True))
"""
    done = subprocess.run([sys.executable, "-c", program])
    assert done.returncode == (0 if moves == 4 else -signal.SIGKILL)
    complete = (tmp_path / "a.json").exists()
    assert complete == (moves in (0, 4))
    if complete:
        assert (tmp_path / "rtl" / "a.v").read_bytes() == (b"old" if moves == 0 else b"new")
    export(tmp_path, force=True)
    assert contents(tmp_path) == FILES


def test_a_manifest_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    folder = tmp_path / "out"
    export(folder)
    (folder / "a.json").write_text(json.dumps({"package": {"files": ["../precious", "rtl/a.v"]}}))
    export(folder, force=True)
    assert contents(tmp_path) == {
        "precious": b"precious",
        **{f"out/{name}": file for name, file in FILES.items()},
    }


def test_folders_that_become_empty_go(tmp_path: Path) -> None:
    manifest = json.dumps({"package": {"files": ["regs/html/b"]}}).encode()
    export(tmp_path, files={"regs/html/b": b"", "a.json": manifest})
    export(tmp_path, force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"rtl", "a.json"}
