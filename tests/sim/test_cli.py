from __future__ import annotations

import dataclasses
import json
import math

import pytest

from l1bn import unit
from l1bn.config import Configuration
from l1bn_sim import cli, measure, report, toolchain
from l1bn_sim.real_channels import real_channels

FIELDS = [
    "norm",
    "form",
    "direction",
    "width",
    "lanes",
    "count",
    "samples",
    "mismatches",
    "max_error_lsb",
    "cycles_per_channel",
    "predicted_cycles_per_channel",
    "samples_per_cycle",
    "seed", "hits", "misses", "suspects_per_sample",
]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--norm", "l3"], "norm = 'l3' is not possible; allowed: l1, l2, range, rms or mean-absolute"),
        (["--norm", "rms", "--form", "two-pass"], "form = 'two-pass' is not possible; allowed: one-pass"),
        (["--form", "no-pass"], "form = 'no-pass' is not possible; allowed: one-pass or two-pass"),
        (["--direction", "sideways"], "direction = 'sideways' is not possible; allowed: forward or backward"),
        (["--storage", "nowhere"], "storage = 'nowhere' is not possible; allowed: inside or outside"),
        (["--width", "3"], "width = 3 is not possible; allowed: a whole number from 4 to 32"),
        (["--width", "wide"], "width = 'wide' is not possible; allowed: a whole number from 4 to 32"),
        (["--lanes", "3"], "lanes = 3 is not possible"),
        (
            ["--lanes", "4", "--count", "1022"],
            "count = 1022 is not possible; allowed: a multiple of lanes = 4",
        ),
        (["--count", "1"], "count = 1 is not possible"),
        (["--channels", "7"], "channels = 7 is not possible; allowed: a whole number from 8"),
        (["--width", "8,3"], "width = 3 is not possible; allowed: a whole number from 4 to 32"),
        (["--lanes", "1,"], "lanes = '' is not possible"),
        (["--count", "256,x"], "count = 'x' is not possible; allowed: a whole number from 2 to 1048576"),
        (["--count", "256,256"], "counts = (256, 256) is not possible; allowed: each count once"),
        (["--seed", "-1"], "seed = -1 is not possible; allowed: a whole number from 0"),
        (["--jobs", "0"], "0 is not in the range"),
        (["--speed", "9"], "No such option"),
    ],
)
def test_bad_input(options, message, tmp_path, capsys):
    folder = tmp_path / "new"
    assert cli.main(["run", "--output", str(folder), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("l1bn_sim: error: ") and message in captured.err
    assert captured.err.count("\n") == 1
    assert not folder.exists()


def test_without_a_command_it_says_what_there_is(capsys):
    assert cli.main([]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Usage: python -m l1bn_sim ") and "\n  run  Simulate units on real data." in err


def test_an_output_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["run", "--output", str(tmp_path / "file")]) == 2
    assert "allowed: a folder to write to" in capsys.readouterr().err


def test_missing_tools(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        toolchain, "require", lambda: (_ for _ in ()).throw(toolchain.ToolchainError("missing: perl"))
    )
    assert cli.main(["run", "--output", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == "l1bn_sim: error: missing: perl\n"
    assert not (tmp_path / "new").exists()


def test_ctrl_c(tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cli, "run_jobs", interrupted)
    assert cli.main(["run", "--output", str(tmp_path)]) == 130
    assert capsys.readouterr().err.strip() == (
        "l1bn_sim: error: interrupted; models that were complete are kept, the report is not written"
    )
    assert not (tmp_path / "report.json").exists()


def test_default_runs():
    others = [(norm, "one-pass") for norm in ("range", "rms", "mean-absolute")]
    forward_forms = [("l1", "two-pass"), ("l1", "one-pass"), ("l2", "one-pass"), ("l2", "two-pass"), *others]
    assert cli._forms(None, None, "forward") == forward_forms
    assert cli._forms("l2", None, "forward") == [("l2", "one-pass"), ("l2", "two-pass")]
    assert cli._forms(None, "two-pass", "forward") == [("l1", "two-pass"), ("l2", "two-pass")]
    assert cli._forms(None, None, "backward") == [("l1", None), ("l2", None), *((norm, None) for norm, _ in others)]
    assert cli._forms("l2", None, "backward") == [("l2", None)]


def test_a_run_of_ones_own(output, capfd):
    unit = {"--norm": "l1", "--form": "two-pass", "--width": "8", "--lanes": "4", "--count": "192", "--channels": "12"}
    options = [word for option in unit.items() for word in option] + ["--waves"]
    assert cli.main(["run", "--output", str(output), *options]) == 0
    [row] = json.loads((output / "report.json").read_text())
    assert list(row) == FIELDS
    assert (row["norm"], row["form"], row["direction"], row["seed"]) == (
        "l1",
        "two-pass",
        "forward",
        cli.SEED,
    )
    assert (row["width"], row["lanes"], row["count"]) == (8, 4, 192)
    assert row["samples"] == (12 + 6) * 192
    assert row["mismatches"] == 0
    assert 0 < row["max_error_lsb"] < 0.55
    assert row["cycles_per_channel"] == row["predicted_cycles_per_channel"]
    assert row["samples_per_cycle"] == 192 / row["cycles_per_channel"]
    waves = output / "l1_two_pass_w8_p4_n192.fst"
    assert waves.stat().st_size > 1000
    printed = capfd.readouterr().out
    assert str(waves) in printed and "report: " in printed and "covered: " in printed


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_several_counts_are_one_unit_with_a_row_for_each(direction, output, capfd):
    unit = ["--norm", "l1", "--width", "6", "--lanes", "2", "--count", "64,24", "--direction", direction]
    unit += ["--form", "two-pass"]
    assert cli.main(["run", "--output", str(output), *unit, "--channels", "24", "--json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed == json.loads((output / "report.json").read_text())
    assert [(row["count"], row["samples"], row["mismatches"]) for row in printed] == [
        (64, 30 * 64, 0),
        (24, 30 * 24, 0),
    ]
    for row in printed:
        # Operators in turns: on average over their rounds.
        assert math.ceil(row["cycles_per_channel"]) == row["predicted_cycles_per_channel"]


def test_lists_of_widths_and_lanes_are_units_of_their_own():
    typed = {"width": "8,12", "lanes": "1,2", "norm": "l1", "form": "two-pass", "counts": ("64,128",)}
    chosen = cli._configurations(typed)
    assert [(unit.width, unit.lanes, unit.counts) for unit in chosen] == [
        (width, lanes, (64, 128)) for width in (8, 12) for lanes in (1, 2)
    ]


def test_hardware_that_computes_something_else_is_noticed(output, monkeypatch, seed, capfd):
    config = Configuration(norm="l1", width=8, lanes=4, counts=(192,))
    monkeypatch.setattr(
        measure, "unit", lambda config: unit(dataclasses.replace(config, epsilon=0.01))
    )
    job = measure.Job(config, (real_channels(config, 8, seed, 192),), seed, output, waves=False)
    result = measure.measure(job)
    assert result.rows[0].mismatches > 0
    assert cli._show([result], {}, output) == 1


def test_a_run_that_fails_is_named_and_the_others_are_kept(output, capfd):
    row = measure.Row("l1", "two-pass", "forward", 8, 4, 64, 640, 0, 0.5, 64.0, 64, 1.0, 1)
    done = measure.Measurement((row,), {"idle": 3}, None)
    assert cli._show([done], {"l2_run": RuntimeError("something broke")}, output) == 1
    assert "l1bn_sim: error: l2_run: something broke" in capfd.readouterr().err
    assert len(json.loads((output / "report.json").read_text())) == 1


def test_the_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("before")
    monkeypatch.setattr("l1bn_sim.write.os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        report.write_json([], path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_unit_whose_error_may_exceed_a_unit_is_commented_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(toolchain, "require", lambda: None)
    monkeypatch.setattr(cli, "_measure_all", lambda jobs, processes: ([], {}))
    unit = ["--norm", "l1", "--form", "two-pass", "--lanes", "1", "--count", "8", "--width", "8,20,32"]
    cli.main(["run", *unit, "--output", str(tmp_path)])
    notes = [line for line in capsys.readouterr().err.splitlines() if "note: " in line]
    assert len(notes) == 2
    assert "w20" in notes[0] and "scale_width = 21 brings it to 1" in notes[0]
    assert "w32" in notes[1] and "24 does with a y_width of up to 23" in notes[1]
