"""Timing diagrams: every column is drawn where it belongs, and gaps are seen."""

from __future__ import annotations

from xml.etree import ElementTree

from l1bn.export.drawings import SPACE, Row, timing

NAME = "{http://www.w3.org/2000/svg}"


def parts(text: str, kind: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(text).iter(f"{NAME}{kind}"))


def columns(row: Row) -> list[tuple[int, int]]:
    """First column and columns of each box of a row, from where the row's 34 pixels a column put it."""
    boxes = [box for box in parts(timing([row]), "rect") if box.get("y") and box.get("fill") != "#fff"]
    left = 14 + 7 * len(row.name)
    return [
        ((int(box.get("x", "")) - 2 - left) // 34, (int(box.get("width", "")) + 2) // 34) for box in boxes
    ]


def test_data_reaches_over_what_is_as_before() -> None:
    assert columns(Row("d", "x=.=", "AB")) == [(0, 1), (1, 2), (3, 1)]
    assert columns(Row("d", "xx.=|=xx", "AB")) == [(0, 3), (3, 2), (5, 1), (6, 2)]


def test_every_label_is_shown_and_fits() -> None:
    labels = ["-18", "1 2 3 4 5 6 7 8", "<&>"]
    text = timing([Row("data", "x===", labels)], "a < b")
    assert [part.text for part in parts(text, "text")] == ["data", *labels, "a < b"]
    widths = [int(box.get("width", "")) for box in parts(text, "rect") if box.get("y")]
    assert min(widths) >= 7 * len(labels[1])


def test_levels_and_clock_are_lines() -> None:
    paths = [path.get("d") for path in parts(timing([Row("c", "PP"), Row("v", "01.")]), "path")]
    assert "M21 30V12H38V30H55M55 30V12H72V30H89" in paths
    assert "M21 60H55L58 42H123" in paths


def test_a_gap_is_a_strip_over_all_rows() -> None:
    without, gap = (timing([Row("a", f"0{c}1"), SPACE, Row("b", "0.1")]) for c in ".|")
    strips = [box for box in parts(gap, "rect") if box.get("fill") == "#fff" and box.get("y")]
    assert len(strips) == 1 and not [box for box in parts(without, "rect") if box.get("y")]
    assert int(strips[0].get("height", "")) > 18 + 30 + 12
