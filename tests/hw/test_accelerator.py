"""The example accelerator: clean Verilog, every sample as in NumPy, and a bench that notices what is wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from l1bn_sim import accelerator, toolchain
from l1bn_sim.layer import CHANNELS, IMAGES, SIDE, Case, compute, digits, extremes

CONTRACT = accelerator.normaliser_contract()
FILES = [str(accelerator.SOURCES / f"{name}.v") for name in accelerator.MODULES]


@pytest.fixture(scope="module")
def ip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return accelerator.build_ip(tmp_path_factory.mktemp("an export") / "ip")


@pytest.fixture(scope="module")
def simulators(ip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return accelerator.build_simulators(tmp_path_factory.mktemp("two words"), ip)


def test_the_layer_by_hand() -> None:
    """Convolution, ReLU and 8 bits once more, sample by sample."""
    case = digits(1)
    result = compute(case, CONTRACT)
    image, y, x = 5, 0, SIDE - 1
    for channel in range(CHANNELS):
        total = 0
        for row in range(3):
            for column in range(3):
                if 0 <= y + row - 1 < SIDE and 0 <= x + column - 1 < SIDE:
                    pixel = case.pixels[0, image, y + row - 1, x + column - 1]
                    total += int(pixel) * int(case.kernels[channel, row, column])
        place = (image * SIDE + y) * SIDE + x
        assert result.maps[0, channel, place] == total
        normalised = int(result.normalised[0, channel, place])
        assert result.outputs[0, channel, place] == min(127, (max(0, normalised) + 128) // 256)


def test_the_cases_reach_the_ends_of_every_format() -> None:
    case = extremes()
    result = compute(case, CONTRACT)
    assert result.maps.max() == 9 * 128 * 128
    for values, bits in ((case.pixels, 8), (case.kernels, 8), (result.normalised, 16)):
        assert values.min() == -(1 << (bits - 1))
    assert (result.outputs.min(), result.outputs.max()) == (0, 127)
    assert (case.gamma < 0).any()
    assert digits().pixels.max() == 127


def simulate(command: list[str], case: Case, folder: Path, seed: int = 0) -> str:
    accelerator.write_vectors(case, compute(case, CONTRACT), folder)
    return accelerator.simulate("", command, case, seed, folder).verdict


def test_every_sample_is_that_of_numpy(simulators: dict[str, list[str]], tmp_path: Path) -> None:
    samples = CHANNELS * IMAGES * SIDE * SIDE
    verdict = simulate(simulators["Verilator"], digits(2), tmp_path / "digits")
    # A pass over the batch takes a line and a pixel more than it has pixels; the final one need not wait for that.
    cycles = 2 * CHANNELS * (IMAGES * SIDE * SIDE + SIDE + 1) - (SIDE + 1)
    counted = f"{2 * samples} maps, {2 * samples} normalised, {2 * samples} outputs"
    assert verdict == f"PASS {counted}, {cycles} cycles"
    assert simulate(simulators["Verilator"], extremes(3), tmp_path / "extremes", seed=3).startswith("PASS ")


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_with_four_states(simulators: dict[str, list[str]], tmp_path: Path) -> None:
    """Nothing unknown reaches an output, although memories and data registers have no reset."""
    assert simulate(simulators["Icarus"], digits(1), tmp_path, seed=5).startswith("PASS ")


@pytest.mark.parametrize("file", ["maps", "normalised", "outputs"])
def test_the_bench_notices_a_wrong_sample(
    file: str, simulators: dict[str, list[str]], tmp_path: Path
) -> None:
    case = digits(1)
    accelerator.write_vectors(case, compute(case, CONTRACT), tmp_path)
    path = tmp_path / f"{file}.hex"
    lines = path.read_text().splitlines()
    lines[2000] = f"{int(lines[2000], 16) ^ 1:x}"
    path.write_text("\n".join(lines) + "\n")
    run = accelerator.simulate("Verilator", simulators["Verilator"], case, 0, tmp_path)
    assert run.verdict == "FAIL 1 wrong, 4096 of 4096 outputs"
    assert not run.passed


def test_the_bench_notices_missing_parameters(simulators: dict[str, list[str]], tmp_path: Path) -> None:
    """Another beta is another result, and the feature maps stay right."""
    case = digits(1)
    accelerator.write_vectors(case, compute(case, CONTRACT), tmp_path)
    affine = np.loadtxt(tmp_path / "affine.hex", dtype=str).tolist()
    (tmp_path / "affine.hex").write_text("\n".join(["00000000", *affine[1:]]) + "\n")
    run = accelerator.simulate("Verilator", simulators["Verilator"], case, 0, tmp_path)
    assert run.verdict.startswith("FAIL ")
    assert "map " not in (tmp_path / "build.log").read_text()


def test_no_tool_warns(ip: Path) -> None:
    lint = ["verilator", "--lint-only", "-Wall", "--top-module", "accelerator", *FILES, str(ip)]
    environment = toolchain.build_environment()
    done = subprocess.run(lint, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("iverilog"):
        lint = ["iverilog", "-g2001", "-Wall", "-s", "accelerator", "-t", "null", *FILES, str(ip)]
        done = subprocess.run(lint, capture_output=True, text=True)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
