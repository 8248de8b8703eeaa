"""Tables: every name and every number whole at every width, in all that the commands print."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.text import Text

from l1bn.command import tables
from l1bn.command.explain import explain
from l1bn.config import Configuration
from l1bn_console.tables import Table, coloured, names, numbers, print_tables, print_text, texts

ROOT = Path(__file__).parents[2]
WIDTHS = [40, 60, 80, 120, 200]


def presets_and_explanations() -> Iterator[Table]:
    yield tables.presets_table()
    for config in (
        Configuration(width=32, lanes=2, counts=(48, 12544)),
        Configuration(direction="backward"),
    ):
        yield from tables.explanation_tables(explain(config))


def simulations() -> Iterator[Table]:
    from l1bn_sim.accelerator import Run
    from l1bn_sim.accelerator import _table as accelerator
    from l1bn_sim.measure import Row
    from l1bn_sim.report import table

    unit = {"form": "two-pass", "width": 32, "lanes": 64, "count": 1048576, "seed": 1}
    measured = {"samples": 38912000, "mismatches": 123456, "max_error_lsb": 38123.499, "samples_per_cycle": 63.999}
    cycles = {"cycles_per_channel": 1048577.25, "predicted_cycles_per_channel": 1048576}
    yield table([Row(norm=norm, direction=way, **unit, **measured, **cycles)
                 for norm in ("l1", "l2") for way in ("forward", "backward")])  # fmt: skip
    verdict = "PASS 12288 maps, 12288 normalised, 12288 outputs, 12387 cycles"
    yield accelerator([Run("Verilator", "extremes", 7, verdict), Run("Icarus", "digits", 0, "FAIL")])


def trained() -> Iterator[Table]:
    pytest.importorskip("torch")
    from l1bn_golden.training.report import TITLES, table
    from l1bn_golden.training.runs import Settings
    from l1bn_golden.training.study import PRESETS
    from l1bn_golden.training.summary import Estimate, Row
    from l1bn_sim.loop_training import LoopRun
    from l1bn_sim.loop_training import _table as loop

    shares = dict.fromkeys(("y saturated", "x zero", "dy zero", "dx zero", "dx saturated"), 0.98765)
    for task in TITLES:
        variants = next(iter(PRESETS.values())).variants[task]
        found = [Estimate(mean, 112.04, mean - 1, mean + 200.5) for mean in (1069.81, -10.5, 3.25)]
        yield table(task, [Row(task, variant, 5, 1, *found, 6.5, 4, shares, [], [], []) for variant in variants])
    settings = Settings(task="mlp", norm="l1", width=12, seed=0, epochs=10, images=1408)
    yield loop([LoopRun(settings, 98.71, 5786880, 13947121, 8123.4)])


def synthesised() -> Iterator[Table]:
    sys.path.insert(0, str(ROOT / "tests" / "synth"))
    from samples import rows

    from l1bn_synth import accelerator, cli
    from l1bn_synth.nextpnr import Area
    from l1bn_synth.report import Report, shown

    report = Report("ecp5", "command", {"yosys": "0.70"}, rows(), {})
    yield from map(shown, report.tables())
    yield cli.units_table("full")
    area = Area(dict.fromkeys(accelerator.KINDS, 12345), dict.fromkeys(accelerator.KINDS, 24288))
    measured = accelerator.Measured(area, [123.4], "a -> b")
    kinds = ("accelerator", "normaliser")
    yield accelerator._table({f"{kind}, {target}": measured for kind in kinds for target in accelerator.TARGETS})


def pieces(table: Table) -> Iterator[str]:
    """Everything of a table that must be found in one piece."""
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            text = cell.plain if isinstance(cell, Text) else cell
            yield from text.split() if column.kind == "text" else text.split("\n")
    for column in table.columns:
        yield from column.heading.split()
    for note in (table.title, *table.notes):
        yield from note.split()


def printed(table: Table, width: int | None, monkeypatch: pytest.MonkeyPatch) -> str:
    if width is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", str(width))
    file = io.StringIO()
    print_tables(table, file=file)
    return file.getvalue()


@pytest.mark.parametrize("made", [presets_and_explanations, simulations, trained, synthesised])
def test_every_table_is_whole_at_every_width(
    made: Callable[[], Iterator[Table]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in made():
        for width in [*WIDTHS, None]:
            text = printed(table, width, monkeypatch)
            assert "…" not in text
            words = set(re.split(r"[│┃ \n]+", text))
            for piece in set(pieces(table)):
                assert set(piece.split()) <= words and (piece in text), (table.title, width, piece)
            if width is not None and width >= 60:
                assert max(map(len, text.splitlines())) <= width, (table.title, width)


def small() -> Table:
    table = Table("Small", [*names("name"), *numbers("first number", "second"), *texts("what it is")], notes=["a note"])
    table.add("one", 1, "1,000,000", "a word and then another")
    table.section()
    table.add("two", coloured(2, "green"), "", "more")
    return table


def test_what_is_too_wide_comes_in_parts_that_name_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(small(), 32, monkeypatch).splitlines()
    assert lines[0] == "Small" and lines[-1] == "a note"
    assert [line.split()[1] for line in lines if line.startswith("┃ ") and line.split()[1] != "┃"] == ["name"] * 2
    assert "│ one  │      1 │ 1,000,000 │" in lines
    assert "│ one  │ a word and then       │" in lines
    assert "│      │ another               │" in lines


def test_a_wide_terminal_gets_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (200, None):
        lines = printed(small(), width, monkeypatch).splitlines()
        assert "│ one  │      1 │ 1,000,000 │ a word and then another │" in lines


def test_colours_only_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in printed(small(), 80, monkeypatch)


def test_text_is_wrapped_between_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    file = io.StringIO()
    print_text("some words and averylongpathwithoutblanks", file=file)
    assert file.getvalue().splitlines() == ["some words", "and", "averylongpathwithoutblanks"]


def test_the_wrong_number_of_cells() -> None:
    with pytest.raises(ValueError, match="1 cells for 4 columns"):
        small().add("one")


def in_a_terminal(columns: int, environment: dict[str, str]) -> str:
    """What ``l1bn presets`` prints in a terminal of that width."""
    without_columns = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "l1bn", "presets"],
        stdout=side, stderr=side, env={**without_columns, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(side)
    text = b""
    while True:
        try:
            text += os.read(main, 65536)
        except OSError:  # the other end is closed
            break
    os.close(main)
    assert process.wait() == 0
    return text.decode().replace("\r\n", "\n")


def test_a_terminal_of_80_columns() -> None:
    text = in_a_terminal(80, {})
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert plain != text
    assert max(map(len, plain.splitlines())) <= 80
    for table in (tables.presets_table(),):
        for row in table.rows:
            assert f"│ {row[0]} " in plain
    assert "\x1b[3" not in in_a_terminal(80, {"NO_COLOR": "1"})


def test_no_other_place_makes_tables() -> None:
    """A table of rich's own shortens what does not fit."""
    for root in ("gateware", "golden", "sim", "synth"):
        for path in (ROOT / root).rglob("*.py"):
            if path != ROOT / "gateware" / "l1bn_console" / "tables.py":
                assert "rich.table" not in path.read_text(encoding="utf-8"), path
