"""Guesses of a mean: ``docs/arithmetic.md``, section 'L1 in one pass'."""

from __future__ import annotations

from amaranth.hdl import Cat, Value, signed
from amaranth.lib import data

__all__ = ["greatest_level", "guess_layout", "window_mask"]


def greatest_level(width: int, window_shift: int) -> int:
    """The highest level of a window: no r is greater than 2^(width-1)."""
    return max(1, width - 1 - window_shift)


def guess_layout(width: int, greatest_level: int) -> data.StructLayout:
    """A pivot p, and the level w of its window."""
    return data.StructLayout({"pivot": signed(width), "level": range(greatest_level + 1)})


def window_mask(level: Value, width: int, greatest: int) -> Value:
    """The bits that are like the sign in every number of ``width`` bits inside the window of a level.

    At level 0, all of them are; that only -1 is inside is for the reader to see to.
    """
    return Cat(level <= bit + 1 if bit + 1 < greatest else 1 for bit in range(width))
