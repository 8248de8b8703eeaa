"""The training study: data, one run, resuming, summary, report and command."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import math
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import l1bn_golden
from l1bn_golden import Contract, provenance
from l1bn_golden.kept import Kept
from l1bn_golden.training import __main__ as command_line
from l1bn_golden.training import report, runs, study, summary
from l1bn_golden.training.data import digits, mnist
from l1bn_golden.training.observe import Observer
from l1bn_golden.training.runs import Settings, execute, frechet
from l1bn_golden.training.study import PRESETS, Preset, Variant, run_all
from l1bn_golden.training.summary import estimate, summarise

# The tests run on all cores already.
torch.set_num_threads(1)

SMALL = {"epochs": 1, "images": 64, "seed": 3}
TINY = Preset(
    variants={"mlp": (Variant("none"), Variant("l1"), Variant("l1", 8)), "cnn": (Variant("none"),)},
    epochs={"mlp": 2, "cnn": 1},
    images={"mlp": 64, "cnn": 64},
    seeds=2,
)


@pytest.mark.parametrize(
    ("pictures", "shape", "test"), [(digits, (1408, 1, 8, 8), 389), (mnist, (3072, 1, 16, 16), 1928)]
)
def test_pictures(pictures, shape, test) -> None:
    data = pictures()
    assert data.train.shape == shape and len(data.test) == len(data.test_labels) == test
    for values in (data.train, data.test):
        assert values.dtype == torch.float32 and values.min() == -1 and 0.9 < values.max() <= 1
    for labels in (data.train_labels, data.test_labels):
        shares = torch.bincount(labels, minlength=10) / len(labels)
        assert len(shares) == 10 and shares.min() > 0.07


@pytest.mark.parametrize(("task", "norm"), [("mlp", "none"), ("cnn", "l2"), ("gan", "l1")])
def test_a_run_gives_a_result_an_epoch(task: str, norm: str) -> None:
    result = execute(Settings(task=task, norm=norm, **SMALL))
    (curve,) = [result[name] for name in ("accuracy", "distance") if name in result]
    assert len(curve) == 1 and math.isfinite(curve[0]) and "failed" not in result
    assert result["shares"] == {}


@pytest.mark.parametrize("task", runs.TASKS)
def test_a_run_in_integers_is_the_same_again(task: str) -> None:
    settings = Settings(task=task, norm="l1", width=8, **SMALL)
    result = execute(settings)
    assert result == execute(settings) == json.loads(json.dumps(result))
    assert set(result["shares"]) == {"x zero", "y saturated", "dy zero", "dx zero", "dx saturated"}
    assert all(0 <= share < 1 for share in result["shares"].values())
    assert result != execute(dataclasses.replace(settings, width=5))


def test_training_in_eight_bits_learns() -> None:
    result = execute(Settings(task="mlp", norm="l1", width=8, epochs=3, images=1408, seed=1))
    assert result["accuracy"][-1] > 90


def test_settings_have_keys_and_formats_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = PRESETS["full"].settings()
    keys = {setting.key for setting in settings}
    assert len(keys) == len(settings) == 5 * (24 + 24 + 15)
    narrow = Settings(
        task="cnn", norm="l2", width=6, y_width=9, y_integer_bits=1, gradient_width=12, scale_width=8, **SMALL
    ).contract()
    assert narrow == Contract(norm="l2", width=6, y_width=9, y_fraction=7, dy_width=12, scale_width=8)
    assert Settings(task="cnn", norm="l1", **SMALL).contract() is None


def test_a_value_that_is_not_finite_ends_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(runs.RATES, "mlp", 1e38)
    result = execute(Settings(task="mlp", norm="l1", epochs=3, images=256, seed=0))
    assert result["failed"] == "the loss is nan"
    assert len(result.get("accuracy", [])) < 3


def test_shares_are_counted() -> None:
    observer = Observer()
    contract = Contract(norm="l1", width=4, y_fraction=3, counts=(4,))
    backend = observer(contract)
    x, dy = np.array([[0, 7, 0, -7]]), np.array([[0, 0, 0, 7]])
    gamma = np.array([1 << contract.gamma_fraction])
    statistics = backend.forward(x, gamma, np.array([0]))
    result = backend.backward(x, dy, gamma, statistics)
    assert observer.shares() == {
        "x zero": 0.5,
        "y saturated": 0.5,
        "dy zero": 0.75,
        "dx zero": np.mean(result.dx == 0),
        "dx saturated": np.mean((result.dx == 7) | (result.dx == -8)),
    }


def test_frechet_distance(seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((500, 6)) @ np.diag([1, 2, 3, 1, 1, 0.5])
    assert abs(frechet(features, features)) < 1e-6
    assert frechet(features, features + 2) == pytest.approx(4 * 6)
    # Twice the standard deviation: the trace of (2 - 1)^2 times the covariance.
    assert frechet(features, 2 * features - features.mean(0)) == pytest.approx(np.trace(np.cov(features.T)))


def test_estimate() -> None:
    assert estimate([5.0]).mean == 5 and math.isnan(estimate([5.0]).half_width)
    result = estimate([1.0, 2, 3, 4, 5])
    # Student's t for four degrees of freedom is 2.776.
    assert result.mean == 3 and result.half_width == pytest.approx(2.776 * math.sqrt(2.5 / 5), rel=1e-3)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([60.99, 78.63], "69.81 (60.99 to 78.63)"),
        ([69.81], "69.81"),
        ([70.0, 70.0], "70.00"),
        ([-0.001, 0.001, -0.001], "0.00 ± 0.00"),
        ([1.0, 2.0, 3.0], "2.00 ± 2.48"),
    ],
)
def test_two_values_have_no_interval(values: list[float], text: str) -> None:
    assert report._text(estimate(values)) == text
    assert math.isnan(estimate(values).half_width) == (len(values) < 3)


def test_pictures_of_two_seeds_show_their_range() -> None:
    assert report._bar(estimate([60.0, 80.0])) == (10, 10)
    assert report._bar(estimate([1.0, 2.0, 3.0])) == (estimate([1.0, 2.0, 3.0]).half_width,) * 2
    assert report.spread(2) == "lowest to highest of 2 seeds"
    assert report.spread(5) == "95 % confidence interval"


def test_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = dataclasses.replace(
        TINY,
        variants={"mlp": (*TINY.variants["mlp"], Variant("l2", 8)), "gan": (Variant("none"),)},
        epochs={"mlp": 2, "gan": 1},
        images={"mlp": 64, "gan": 64},
    )
    monkeypatch.setitem(summary.GOALS, "mlp", 80.0)
    monkeypatch.setitem(summary.LAST, "gan", 1)
    curves: dict[tuple[str, str, int | None], list[dict[str, Any]]] = {
        ("mlp", "none", None): [{"accuracy": [50.0, 60.0]}, {"accuracy": [80.0, 70.0]}],
        ("mlp", "l1", None): [{"accuracy": [85.0, 90.0]}, {"accuracy": [60.0, 80.0]}],
        ("mlp", "l1", 8): [{"accuracy": [70.0, 88.0]}, {"accuracy": [70.0], "failed": "nan"}],
        ("mlp", "l2", 8): [{"accuracy": [70.0, 80.0]}, {"accuracy": [70.0, 65.0]}],
        ("gan", "none", None): [{"distance": [99.0]}, {"distance": [101.0]}],
    }
    results = {
        preset.setting(task, Variant(norm, width), seed).key: run
        | {"shares": {"x zero": seed / 2} if width else {}}
        for (task, norm, width), mine in curves.items()
        for seed, run in enumerate(mine)
    }
    none, floating, integers, l2, gan = summarise(preset, results)
    assert [row.variant.label for row in (none, floating, integers)] == [
        "no norm",
        "L1BN float32",
        "L1BN 8 bits",
    ]
    assert none.result.mean == 65 and none.epochs == 1 and none.reached == 1
    assert floating.from_float is None and none.from_l2 is None and floating.epochs == 1.5
    assert integers.result.mean == (88 + 10) / 2 and integers.failed == 1
    assert integers.from_float is not None and integers.from_float.mean == (-2 - 70) / 2
    assert integers.from_l2 is not None and integers.from_l2.mean == (8 - 55) / 2
    assert integers.shares == {"x zero": 0.25} and integers.curve == [70.0, 49.0]
    assert l2.from_l2 is None and l2.from_float is None
    assert gan.result.mean == 100 and gan.reached == 1 and gan.low == [99.0]


def test_code_and_packages_are_a_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run computes with moves the key, what shows its result does not."""
    setting = Settings(task="mlp", norm="l1", width=8, **SMALL)
    changed: dict[Path, bytes] = {}
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: changed.get(path) or read(path))

    def key() -> str:
        provenance._reached.cache_clear()
        return setting.key

    before = key()
    package = Path(str(l1bn_golden.__file__)).parent
    moving = {
        *package.glob("torch/*.py"),
        *(package / f"{name}.py" for name in ("integer", "gradients", "contract", "backend", "rounding")),
        *(package / "training" / f"{name}.py" for name in ("runs", "data", "models", "observe")),
    }
    for path in sorted(package.rglob("*.py")):
        changed[path] = read(path) + b"\n"
        moved = key() != before
        del changed[path]
        assert moved or path not in moving, path
        assert (
            not moved or path.parent.name != "training" or path in moving | {path.parent / "__init__.py"}
        ), path
    version = importlib.metadata.version
    for name in ("torch", "numpy", "mlxtend"):
        with monkeypatch.context() as patched:
            patched.setattr(
                importlib.metadata,
                "version",
                lambda asked, name=name: "0" if asked == name else version(asked),
            )
            assert key() != before, name
    assert key() == before


def test_a_process_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed(settings, jobs):
        yield settings[0], {"accuracy": [50.0], "shares": {}}
        with ProcessPoolExecutor(1) as pool:
            pool.submit(os.kill, 0, 0)  # wakes it
            yield settings[1], pool.submit(os._exit, 9).result()

    monkeypatch.setitem(PRESETS, "quick", TINY)
    monkeypatch.setattr(study, "_execute", killed)
    assert command_line.main(["--output", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "error: a process was killed, perhaps for want of memory; finished runs are kept" in error
    assert "Traceback" not in error and len(list((tmp_path / "runs").iterdir())) == 1


def test_finished_runs_are_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of four runs one is there, one is damaged and one stops everything."""
    executed: list[Settings] = []

    def in_this_process(settings, jobs):
        for setting in settings:
            if len(executed) == 2:
                raise KeyboardInterrupt
            executed.append(setting)
            yield setting, {"accuracy": [float(setting.seed)]}

    monkeypatch.setattr(study, "_execute", in_this_process)
    settings = [Settings(task="mlp", norm="none", seed=seed, epochs=1, images=64) for seed in range(4)]
    store = Kept(tmp_path)
    for setting in settings[:2]:
        store.put(setting.key, {"result": {"accuracy": [7.0]}})
    damaged = store.path(settings[1].key)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    finished: list[None] = []
    with pytest.raises(KeyboardInterrupt):
        run_all(settings, tmp_path, 1, lambda: finished.append(None))
    assert executed == settings[1:3] and len(finished) == 3
    assert sorted(tmp_path.iterdir()) == sorted(store.path(setting.key) for setting in settings[:3])
    assert capsys.readouterr().err == (
        f"l1bn_golden.training: {damaged}: it is damaged; it is dropped and computed again\n"
    )
    executed.clear()
    results = run_all(settings, tmp_path, 1, lambda: finished.append(None))
    assert executed == settings[3:]
    assert [results[setting.key]["accuracy"] for setting in settings] == [[7.0], [1.0], [2.0], [3.0]]


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PRESETS, "quick", TINY)
    arguments = ["--output", str(tmp_path)]
    assert command_line.main(arguments) == 0
    first = capsys.readouterr().out
    assert "L1BN 8 bits" in first and "2 seeds; mean and lowest to highest of 2 seeds" in first
    assert "±" not in first, "an interval needs three values"
    report = json.loads((tmp_path / "quick" / "report.json").read_text())
    assert [row["label"] for row in report["rows"]] == ["no norm", "L1BN float32", "L1BN 8 bits", "no norm"]
    for task in ("mlp", "cnn"):
        for name in ("curves", "widths"):
            assert (tmp_path / "quick" / f"{task}-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "runs").iterdir())) == 8

    monkeypatch.setattr(study, "execute", None)  # nothing is left to execute
    assert command_line.main(arguments) == 0
    assert capsys.readouterr().out == first


def test_bad_input_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    for arguments, message in (
        (["--preset", "slow"], "'slow' is not one of 'quick', 'full'"),
        (["--jobs", "0"], "0 is not in the range"),
        (["--output", str(blocked)], "is a file"),
        (["--output", str(blocked / "x")], "Not a directory"),
    ):
        assert command_line.main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error and "Traceback" not in error
