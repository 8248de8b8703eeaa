"""Drawings as SVG: the block diagram of a unit, and timing diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

__all__ = ["SPACE", "Row", "blocks", "timing"]

STYLE = (
    "<style>text{font:12px sans-serif;fill:#222}.s{font-size:11px;fill:#555}"
    ".b{fill:#eef3fa;stroke:#345;stroke-width:1.2}.l{fill:none;stroke:#345;stroke-width:1.2}"
    ".g{stroke:#ccc;stroke-width:.6}.w{fill:none;stroke:#147;stroke-width:1.5}.d{fill:#eef3fa;stroke:#147}</style>"
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L8 4L0 8z" fill="#345"/></marker></defs>'
)


SMALL = ' class="s"'


def _svg(width: int, height: int, parts: Sequence[str], title: str) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>{escape(title)}</title>\n{STYLE}\n"
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _box(x: int, y: int, width: int, height: int, *lines: str) -> str:
    middle, first = x + width // 2, y + height // 2 + 4 - 7 * (len(lines) - 1)
    texts = "".join(
        f'<text{SMALL if index else ""} x="{middle}" y="{first + 14 * index}" text-anchor="middle">'
        f"{escape(line)}</text>"
        for index, line in enumerate(lines)
    )
    return f'<rect class="b" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"/>{texts}'


def _arrow(path: str) -> str:
    return f'<path class="l" d="{path}" marker-end="url(#a)"/>'


def _label(x: int, y: int, text: str, anchor: str = "start") -> str:
    return f'<text class="s" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def blocks(spread: str, centred: bool, after_mean: bool, inside: bool, axi: bool) -> str:
    """Block diagram of a forward unit, with what is around it where there is ``axi``.

    Parameters
    ----------
    spread : what the spread does
    centred : the mean is subtracted
    after_mean : the spread needs the mean
    inside : the unit buffers the channel
    """
    names = ("channel buffers", "channel guard")
    parts = [
        _arrow("M10 60H60"),
        _label(12, 54, "s_axis" if axi else "i"),
        _box(60, 35, 110, 50, names[0] if inside else names[1], "exact packets"),
        *([_arrow("M170 60H230"), _box(230, 35, 110, 50, "sum, divide", "mean")] if centred else []),
        *([_arrow("M340 60H400")] if after_mean else []),
        _box(400, 35, 120, 50, "spread", spread),
        _arrow("M520 60H570"),
        _box(570, 35, 110, 50, "scale", "k = gamma / r"),
        _arrow("M625 85V125"),
        _box(570, 125, 110, 50, "affine", "x*k - offset" if centred else "x*k"),
        _arrow("M115 85V150H570"),
        _label(240, 144, "the samples once more, for y"),
        _arrow("M200 60V110H460V85"),
        _label(240, 104, "the samples, for the spread"),
        _arrow("M680 150H760"),
        _label(712, 144, "m_axis" if axi else "o"),
    ]
    if axi:
        parts += [
            _arrow("M10 215H400"),
            _label(12, 209, "s_axi"),
            _box(
                400,
                190,
                280,
                50,
                "registers, gamma and beta tables, statistics",
                "settings change between channels only",
            ),
            _arrow("M680 60H700V205H680"),
            _arrow("M660 190V180H550V60H570"),
            _label(706, 110, "statistics"),
            _label(546, 102, "gamma, beta", "end"),
        ]
    else:
        parts += [
            _arrow("M720 45H680"),
            _label(724, 42, "i_affine"),
            _arrow("M680 72H760"),
            _label(706, 86, "o_stats"),
        ]
    return _svg(780, 255 if axi else 195, parts, "Block diagram")


class Row(NamedTuple):
    """A signal of a timing diagram.

    Its wave has a character a column: ``P`` is a clock cycle, ``0`` and ``1`` are levels, ``x`` is anything, ``=`` is
    data and takes the next label, ``.`` is as before, ``|`` as before while cycles are left out.
    """

    name: str
    wave: str
    labels: Sequence[str] = ()


SPACE = Row("", "")
STEP, HIGH, ROW, SPACED = 34, 18, 30, 12


def timing(rows: Sequence[Row], heading: str = "") -> str:
    """Timing diagram, a signal a row; :data:`SPACE` stands between groups of them."""
    letters = max((len(label) for row in rows for label in row.labels), default=0)
    step, left = max(STEP, 7 * letters + 12), 14 + 7 * max(len(row.name) for row in rows)
    columns = max(len(row.wave) for row in rows)
    gaps = sorted({column for row in rows for column, character in enumerate(row.wave) if character == "|"})
    parts: list[str] = []
    y = start = 30 if heading else 12
    for row in rows:
        if row == SPACE:
            y += SPACED
            continue
        parts += [f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(row.name)}</text>']
        parts += _wave(row, left, y, step)
        y += ROW
    width, bottom = left + step * columns + 10, y - ROW + HIGH
    grid = "".join(f"M{left + step * column} {start - 4}V{bottom + 4}" for column in range(columns + 1))
    parts.insert(0, f'<path class="g" d="{grid}"/>')
    for gap in gaps:  # a strip without anything between two broken edges
        x = left + step * gap + step // 2
        edges = [f"M{x + side} {start - 4}V{bottom + 4}" for side in (-4, 4)]
        parts.append(
            f'<rect x="{x - 4}" y="{start - 4}" width="8" height="{bottom - start + 8}" fill="#fff"/>'
        )
        parts.append(f'<path class="l" stroke-dasharray="4 2" d="{"".join(edges)}"/>')
    if heading:
        parts.append(f'<text x="{left}" y="16">{escape(heading)}</text>')
    return _svg(width, bottom + 12, parts, heading or "Timing diagram")


def _wave(row: Row, left: int, top: int, step: int) -> list[str]:
    """The signal of a row: its data as boxes, its levels and clock cycles as one line."""
    bottom, labels = top + HIGH, iter(row.labels)
    boxes, line, before = [], "", ""
    for start, length, character in _runs(row.wave):
        x, end = left + step * start, left + step * (start + length)
        if character == "P":
            edges = range(x, end, step)
            line += "".join(f"M{x} {bottom}V{top}H{x + step // 2}V{bottom}H{x + step}" for x in edges)
        elif character in "01":
            level = top if character == "1" else bottom
            line += f"{'L' if before in ('0', '1') else 'M'}{x + 3 * (start > 0)} {level}H{end}"
        else:
            style = 'fill="#ddd" stroke="#999"' if character == "x" else 'class="d"'
            boxes.append(f'<rect {style} x="{x + 2}" y="{top}" width="{end - x - 2}" height="{HIGH}"/>')
        if character == "=":
            middle = x + step // 2 + 1
            boxes.append(
                f'<text x="{middle}" y="{bottom - 4}" text-anchor="middle">{escape(next(labels))}</text>'
            )
        before = character
    return [*boxes, f'<path class="w" d="{line}"/>'] if line else boxes


def _runs(wave: str) -> list[tuple[int, int, str]]:
    """What a wave shows, as (first column, columns, character)."""
    runs: list[tuple[int, int, str]] = []
    for column, character in enumerate(wave):
        if character in ".|" or (character == "x" and runs and runs[-1][2] == "x"):
            start, length, character = runs.pop()
            runs.append((start, length + 1, character))
        else:
            runs.append((column, 1, character))
    return runs
