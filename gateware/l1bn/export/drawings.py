"""Drawings of the data sheet as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["blocks", "timing"]

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


def blocks(spread: str, after_mean: bool, inside: bool, axi: bool) -> str:
    """Block diagram of a forward unit, with what is around it where there is ``axi``.

    Parameters
    ----------
    spread : what the spread does
    after_mean : it needs the mean
    inside : the unit buffers the channel
    """
    names = ("channel buffers", "channel guard")
    parts = [
        _arrow("M10 60H60"),
        _label(12, 54, "s_axis" if axi else "i"),
        _box(60, 35, 110, 50, names[0] if inside else names[1], "exact packets"),
        _arrow("M170 60H230"),
        _box(230, 35, 110, 50, "sum, divide", "mean"),
        *([_arrow("M340 60H400")] if after_mean else []),
        _box(400, 35, 120, 50, "spread", spread),
        _arrow("M520 60H570"),
        _box(570, 35, 110, 50, "scale", "k = gamma / r"),
        _arrow("M625 85V125"),
        _box(570, 125, 110, 50, "affine", "x*k - offset"),
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


def timing(waves: Sequence[tuple[str, str]]) -> str:
    """Timing diagram: a signal a row, a character a cycle.

    ``P`` is a clock cycle, ``0`` and ``1`` levels, ``x`` anything, ``.`` as before, and any other character the data of
    that name.
    """
    step, row, left = 34, 30, 90
    cycles = max(len(wave) for _, wave in waves)
    parts = [
        f'<path class="g" d="M{left + step * cycle} 6V{row * len(waves) + 8}"/>'
        for cycle in range(cycles + 1)
    ]
    for index, (name, wave) in enumerate(waves):
        top, bottom = 12 + row * index, 12 + row * index + 18
        parts.append(f'<text x="{left - 8}" y="{bottom - 4}" text-anchor="end">{escape(name)}</text>')
        path, before = "", ""
        for cycle, character in enumerate(wave):
            x = left + step * cycle
            character = before if character == "." else character
            if character == "P":
                path += f"M{x} {bottom}V{top}H{x + step // 2}V{bottom}H{x + step}"
            elif character in "01":
                level = top if character == "1" else bottom
                path += f"{'L' if before in ('0', '1') and before else 'M'}{x + 3} {level}H{x + step}"
            else:
                fill = "#ddd" if character == "x" else "#eef3fa"
                last = cycle + 1 == len(wave) or wave[cycle + 1] != "."
                first = wave[cycle] != "."
                parts.append(
                    f'<rect x="{x + 3 * first}" y="{top}" width="{step - 3 * first}" height="18" fill="{fill}" '
                    f'stroke="#147" stroke-width="{0.8 if first and last else 0.4}"/>'
                )
                if first and character != "x":
                    parts.append(
                        f'<text x="{x + 18}" y="{bottom - 4}" text-anchor="middle">{escape(character)}</text>'
                    )
            before = character
        if path:
            parts.append(f'<path class="w" d="{path}"/>')
    return _svg(left + step * cycles + 10, row * len(waves) + 14, parts, "Timing diagram")
