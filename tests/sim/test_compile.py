"""What was compiled once: whole or built again, and never what other sources, options or tools would give."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from l1bn_golden import provenance
from l1bn_sim import compile as compiling
from l1bn_sim import hardware_library, model, toolchain
from l1bn_sim.compile import build_folder, is_whole, make_model
from l1bn_sim.design import Design


def built(target: Path) -> Path:
    with build_folder(target, ("program", "build.log")) as folder:
        (folder / "program").write_bytes(bytes(range(256)) * 8)
        (folder / "program").chmod(0o755)
        (folder / "build.log").write_text("log")
        (folder / "rubbish").write_text("")
    return target


def test_a_build_is_whole_until_it_is_damaged(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(seed)
    target = built(tmp_path / "store" / "unit-1")
    assert is_whole(target) and os.access(target / "program", os.X_OK)
    assert sorted(path.name for path in target.iterdir()) == ["build.log", "checksums.json", "program"]
    faults: list[Callable[[Path], Any]] = [
        lambda path: path.write_bytes(path.read_bytes()[: draw.randrange(2)]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: path.write_bytes(path.read_bytes() + b" x"),
        lambda path: path.unlink(),
        lambda path: path.rename(path.with_name("else")),
    ]
    for fault in faults:
        for name in ("program", "checksums.json", "build.log"):
            fault(target / name)
            assert not is_whole(target)
            assert capsys.readouterr().err == (
                f"l1bn_sim: {target}: it is damaged; it is dropped and built again\n"
            )
            assert not target.exists()
            assert is_whole(built(target))
    assert [path.name for path in target.parent.iterdir()] == ["unit-1"]


def test_the_common_part_is_compiled_again_when_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []

    def make(folder: Path, command: Any) -> None:
        calls.append((folder / "verilated.o").exists())
        (folder / "verilated.o").write_text("object")

    monkeypatch.setattr(compiling, "call", make)
    runtime = tmp_path / "runtime-1"
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        make_model(folder, [], runtime)
        assert (folder / "verilated.o").read_text() == "object"
        if number == 1:
            (runtime / "verilated.o").write_text("obj")
    assert calls == [False, True, False, True]


@pytest.mark.parametrize("is_gcc", [True, False])
def test_headers_are_precompiled_once_where_the_compiler_is_gcc(
    is_gcc: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []

    def make(folder: Path, command: Any) -> None:
        assert ("headers.mk" in command) == is_gcc
        found.append((folder / "headers.h.gch").exists())
        if is_gcc and not found[-1]:
            (folder / "headers.h.gch").write_text("precompiled")
        (folder / "verilated.o").write_text("object")

    monkeypatch.setattr(compiling, "call", make)
    monkeypatch.setattr(toolchain, "is_gcc", lambda: is_gcc)
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        make_model(folder, [], tmp_path / "runtime-1")
    assert found == [False, is_gcc, is_gcc]


@pytest.mark.skipif(not toolchain.is_gcc(), reason="only GCC's precompiled headers are used")
def test_a_precompiled_header_is_used(tmp_path: Path) -> None:
    """The rules for make, with the compiler itself: what is said of a header that is not used is an error."""
    (tmp_path / "Vtop.mk").write_text(
        "VK_USER_OBJS = main.o\nCPPFLAGS = -Winvalid-pch -Werror -H\nall: main.o\n"
        "%.o: %.cpp\n\t$(CXX) $(CPPFLAGS) -c -o $@ $<\n",
        encoding="utf-8",
    )
    (tmp_path / "headers.h").write_text("inline int one() { return 1; }\n", encoding="utf-8")
    (tmp_path / "headers.mk").write_text(compiling.HEADERS_RULES, encoding="utf-8")
    (tmp_path / "main.cpp").write_text("int main() { return one(); }\n", encoding="utf-8")
    compiling.call(tmp_path, ["make", "-f", "Vtop.mk", "-f", "headers.mk"])
    assert "! ./headers.h.gch" in (tmp_path / "build.log").read_text(encoding="utf-8")


@pytest.fixture(params=["model", "library"])
def name(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., str]:
    """The name of the folder that a model or a library is looked for in."""
    looked: list[str] = []
    monkeypatch.setattr(toolchain, "require", lambda: None)
    for module in (model, hardware_library):
        monkeypatch.setattr(module, "is_whole", lambda folder: bool(looked.append(folder.name)) or True)

    def find(verilog: str = "module unit; endmodule", **changes: Any) -> str:
        provenance._reached.cache_clear()
        if request.param == "model":
            model.build(verilog, "unit", changes.get("ports", ["clk"]), tmp_path, changes.get("waves", False))
        else:
            hardware_library.build(Design("unit", verilog, ()), tmp_path)
        return looked[-1]

    return find


def test_everything_that_decides_a_build_moves_its_name(
    name: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = name()
    assert name() == before
    found = {before, name("module unit; wire a; endmodule")}
    versions = toolchain.versions()
    for program in versions:
        with monkeypatch.context() as patched:
            patched.setattr(toolchain, "versions", lambda program=program: {**versions, program: "99"})
            found.add(name())
    for module, attribute in (
        (model, "OPTIMISATION"), (hardware_library, "OPTIMISATION"),
        (model, "VERILATOR_OPTIONS"), (hardware_library, "VERILATOR_OPTIONS"),
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            value = getattr(module, attribute)
            patched.setattr(
                module, attribute, {**value, "A": "b"} if isinstance(value, dict) else (*value, "-x")
            )
            found.add(name())
    read = Path.read_bytes
    for source in ("compile.py", "toolchain.py"):
        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", lambda path, s=source: read(path) + b"#" * (path.name == s))
            found.add(name())
    package_file = compiling.package_file
    with monkeypatch.context() as patched:
        for module in (model, hardware_library):
            patched.setattr(module, "package_file", lambda file: package_file(file) + "// changed")
        found.add(name())
    # One with other Verilog, one for each program, two of the four options, two sources, and the files of the package.
    assert len(found) == 1 + 1 + len(versions) + 2 + 2 + 1
