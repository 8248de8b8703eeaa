"""`l1bn plan` and `l1bn export --from` as a user meets them: tables, files, a package that passes its benches, one line
for every mistake."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from l1bn import Configuration
from l1bn_sim.toolchain import build_environment

from ..commands import contents, error_line, run
from ..plan.models import SHIPPED, batch_norm, graph, node, save

SMALL = ("--input", "1,3,8,8", "--width", "6")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A quantised network with trained weights, under a short name."""
    return Path(shutil.copy(SHIPPED["espcn"], tmp_path / "espcn.onnx"))


def test_what_it_prints(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run("plan", model, *SMALL) == 0
    out, err = capsys.readouterr()
    assert err == "" and max(map(len, out.splitlines())) <= 80
    words = " ".join(out.replace("│", " ").split())
    for said in (
        "Normalisation layers of espcn.onnx, batch 1", "1 BatchNormalization_11 64 64 0", "gamma, epsilon and running",
        "width 6 as asked for", "counts 64 samples a channel, of a batch of 1", "no calibration data",
        "estimate: measured for preset int16, then moved: width 16 to 6: LUT x", "bits of buffers",
    ):  # fmt: skip
        assert said in words, said


def test_json_says_the_same(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", model, *SMALL, "--batch", 4, "--mhz", 50, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [(layer["channels"], layer["count"]) for layer in said["layers"]] == [(64, 256), (64, 256), (32, 256)]
    assert said["cycles"] == sum(layer["cycles"] for layer in said["layers"])
    assert said["samples_per_second"] == said["samples"] * 50e6 / said["cycles"]
    assert Configuration.from_mapping(said["parameters"]).to_mapping() == said["configuration"]
    assert [layer["made_with"] for layer in said["layers"]] == ["l2"] * 3


def test_the_file_is_a_configuration(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", model, *SMALL, "--name", "unit", "-o", tmp_path / "plan") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        str(tmp_path / "plan" / "unit.toml"), f"14 files of tables in {tmp_path / 'plan' / 'initial'}"
    ]  # fmt: skip
    values = tomllib.loads((tmp_path / "plan" / "unit.toml").read_text())
    assert (values.pop("name"), values["counts"], values["width"]) == ("unit", [64], 6)
    assert run("generate", tmp_path / "plan" / "unit.toml", "-o", tmp_path / "out") == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"unit.v", "unit.json"}
    manifest = json.loads((tmp_path / "out" / "unit.json").read_text())
    assert Configuration.from_mapping(manifest["configuration"]) == Configuration.from_mapping(values)


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="no Icarus Verilog")
def test_the_exported_unit_passes_its_benches(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    options = ("--input", "1,3,4,4", "--width", 6, "--batch", 2, "--lanes", 2, "--name", "unit", "-o")
    assert run("export", "--from", model, *options, folder) == 0
    done = subprocess.run(
        ["make", "test", "SIMULATORS=icarus"], cwd=folder, env=build_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((folder / "unit.json").read_text())
    assert manifest["configuration"]["counts"] == [32]
    assert run("plan", model, *options, tmp_path / "plan") == 0
    tables = {path: text for path, text in contents(tmp_path / "plan").items() if path.startswith("initial/")}
    assert len(tables) == 14
    assert tables.items() <= contents(folder).items() and tables.keys() <= set(manifest["package"]["files"])


def test_nothing_that_reads_networks_is_loaded_without_need() -> None:
    program = "import sys, l1bn.command.cli; print(*{'onnx', 'qonnx', 'torch', 'l1bn.plan'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    ("missing", "name", "extra"),
    [("onnx", "a.onnx", "plan"), ("qonnx.core.modelwrapper", "espcn.onnx", "plan"), ("torch", "a:b", "train")],
)
def test_a_missing_package(
    missing: str,
    name: str,
    extra: str,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(model.parent)
    for module in ("onnx_network", "torch_network"):
        monkeypatch.delitem(sys.modules, f"l1bn.plan.{module}", raising=False)
        monkeypatch.delattr(f"l1bn.plan.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert run("plan", name) == 2
    line = error_line(capsys)
    package = missing.split(".")[0]
    assert f"{package} is missing; install: make install-{extra}, or pip install '.[{extra}]' in" in line


# -- mistakes ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that no unit is proposed for, and one that has a unit."""
    place = tmp_path_factory.mktemp("models")
    norm = batch_norm("norm", "x", "y", 3)
    save(graph((2, 3, 4), norm), place, "good.onnx")
    save(graph((2, 3, 4), node("Relu", "x", "y")), place, "none.onnx")
    save(graph((1, 3, "H", "W"), norm), place, "dynamic.onnx")
    save(graph((2, 3, 4), batch_norm("n", "x", "h", 3), node("LayerNormalization", "h", "y")), place, "layer.onnx")
    save(graph((1, 3, 2048, 1024), norm), place, "long.onnx")
    save(graph((1, 3), norm), place, "short.onnx")
    (place / "broken.onnx").write_bytes((place / "good.onnx").read_bytes()[:200])
    (place / "model.pt").touch()
    (place / "bad.npz").touch()
    np.save(place / "alone.npy", np.zeros((2, 3, 4)))
    np.savez(place / "odd.npz", np.zeros((3, 3, 4)))
    np.savez(place / "shape.npz", x=np.zeros((2, 4, 4)))
    np.savez(place / "nan.npz", np.full((2, 3, 4), np.nan))
    (place / "folder.onnx").mkdir()
    return place


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "Missing argument 'MODEL'"),
        ("missing.onnx", "model = 'missing.onnx' is not possible; allowed: a file that exists"),
        ("folder.onnx", "model = 'folder.onnx' is not possible; allowed: a file"),
        ("broken.onnx", "model = 'broken.onnx' is not possible; allowed: an ONNX model ("),
        ("model.pt", "model = 'model.pt' is not possible; allowed: a file NAME.onnx, or module:factory"),
        ("none.onnx", "model = 'none.onnx' is not possible; allowed: a model with BatchNormalization"),
        ("dynamic.onnx", "input x = '1, 3, H, W' is not possible; allowed: fixed sizes but for the batch, or"),
        ("layer.onnx", "layernormalization = 'LayerNormalization' is not possible; allowed: batch normalisation"),
        ("long.onnx", "count of norm = 2097152 is not possible; allowed: 2 to 1048576, see --batch and --input"),
        ("short.onnx", "count of norm = 1 is not possible"),
        ("good.onnx --count 8", "No such option"),
        ("good.onnx --width 99", "width = 99 is not possible"),
        ("good.onnx --lanes 16", "count = 8 is not possible; allowed: a multiple of lanes = 16"),
        ("good.onnx --input 2,3,x", "input = '2,3,x' is not possible; allowed: sizes from 1 to 1048576"),
        ("good.onnx --input 2,4,4", "norm = '2,4,4' is not possible; allowed: 3 channels, which its parameters have"),
        ("good.onnx --batch none", "batch = 'none' is not possible; allowed: a whole number"),
        ("good.onnx --batch 0", "batch = 0 is not possible; allowed: a whole number from 1"),
        ("good.onnx --mhz -1", "mhz = '-1' is not possible; allowed: a number above 0"),
        ("good.onnx --samples-per-second many", "samples_per_second = 'many' is not possible"),
        ("good.onnx --samples-per-second 1e15", "samples_per_second = 1000000000000000.0 is not possible; allowed: at"),
        ("good.onnx --memory-bits some", "memory_bits = 'some' is not possible"),
        ("good.onnx --calibration no.npz", "calibration = 'no.npz' is not possible; allowed: a readable file"),
        ("good.onnx --calibration bad.npz", "calibration = 'bad.npz' is not possible; allowed: a .npz file of arrays"),
        ("good.onnx --calibration alone.npy", "calibration = 'alone.npy' is not possible; allowed: a .npz file"),
        ("good.onnx --calibration odd.npz", "calibration = '3 samples for x' is not possible; allowed: whole batches"),
        ("good.onnx --calibration shape.npz", "and shape 2,4,4' is not possible; allowed: numbers of shape N,3,4"),
        ("good.onnx --calibration nan.npz", "calibration = 'x' is not possible; allowed: finite numbers"),
        ("good.onnx --name module", "name = 'module' is not possible"),
    ],
)
def test_mistakes(
    arguments: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    assert run("plan", *arguments.split(), "-o", "out") == 2
    assert words in error_line(capsys)
    assert contents(folder) == before and not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--from good.onnx --count 8", "count = '8' is not possible; allowed: none together with --from"),
        ("--from good.onnx --preset int16", "from = 'good.onnx' is not possible; allowed: no other configuration"),
        ("--batch 3", "batch = '3' is not possible; allowed: together with --from MODEL only"),
        ("--from none.onnx", "model = 'none.onnx' is not possible"),
    ],
)
def test_mistakes_of_an_export(
    arguments: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert run("export", *arguments.split(), "-o", "out") == 2
    assert words in error_line(capsys)
    assert not (folder / "out").exists()
