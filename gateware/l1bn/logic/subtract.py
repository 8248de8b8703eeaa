"""Subtraction with a borrow, and what a lane subtracts from its product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Const, Signal, Value
from amaranth.lib.wiring import In

from ..numbers.scale_format import ScaleFormat

__all__ = [
    "ROUNDED_STAGES",
    "Borrow",
    "OffsetSubtraction",
    "difference",
    "resize",
    "rounded_difference",
    "subtraction",
]

Stage = Callable[[Value], Signal]

ROUNDED_STAGES = 3
"""Stages of :func:`rounded_difference`."""


def difference(a: Value, b: Value, borrow: Value | int) -> Value:
    """``a - b - borrow`` of numbers of equal width, one bit wider than they are; its top bit is the borrow out.

    The borrow enters as one more place of the same carry chain. Written as a third operand it would cost an
    inverter a bit and an adder of its own.
    """
    borrow = Const(borrow, 1) if isinstance(borrow, int) else borrow
    low = Cat(Const(0, 1), a)
    return (low - Cat(borrow, b))[1 : len(a) + 2]


def resize(value: Value, width: int) -> Value:
    """The low bits of a signed value, sign-extended where it has fewer."""
    return value[:width] if len(value) >= width else Cat(value, value[-1].replicate(width - len(value)))


def rounded_difference(stage: Stage, a: Value, b: Value, fraction: int) -> Value:
    """``round((a - b) * 2^-fraction)`` of signed numbers, halves up, in stages of half the carry chain each."""
    width = max(len(a), len(b)) + 2  # a bit for the difference, one for the half
    split = width // 2
    a, b = resize(a, width), resize(b, width)
    lower = stage(difference(a[:split], b[:split], 0))
    upper = stage(difference(stage(a[split:]), stage(b[split:]), lower[split])[:-1])
    # Half a unit of what is kept, added as the upper half is subtracted.
    raised = stage(lower[:split] + (1 << (fraction - 1)))
    return Cat(stage(raised[fraction:split]), stage(upper + raised[split])[: width - split]).as_signed()


class OffsetSubtraction:
    """x*k*2^F - offset - 1, of the product x*k, in two stages of half the carry chain each.

    Parameters
    ----------
    format : of the scale
    """

    stages = 2

    def __init__(self, format: ScaleFormat):
        self.format = format
        # The offset has scale_fraction more bits than the product: 0 - offset - 1 is their complement.
        self.sum_width = format.offset_width - format.scale_fraction
        # Half of the sum, but with a bit of the product left for the other half: an offset may be far wider than it.
        self.low_width = min(self.sum_width // 2, format.width + format.scale_width - 1)

    @property
    def members(self) -> dict[str, In]:
        """The ports of a lane that it takes."""
        low = self.low_width + self.format.scale_fraction
        return {"offset_low": In(low), "offset_high": In(self.sum_width - self.low_width)}

    def depths(self, product: int) -> dict[str, int]:
        """After how many enabled cycles each port is needed, for a product that is there after ``product``."""
        return {"offset_low": product, "offset_high": product + 1}

    def ports(self, negative: Value, offset: Value) -> dict[str, Value]:
        """What of a channel's constants belongs at each port."""
        split = self.low_width + self.format.scale_fraction
        return {"offset_low": offset[:split], "offset_high": offset[split:]}

    def subtract(self, stage: Stage, lane: Any, product: Value) -> Value:
        """The difference, signed, from a lane with the ports."""
        fraction = self.format.scale_fraction
        # The places below borrow from neither: the 1 is theirs, which leaves a borrow to the lowest place here.
        low, high = lane.offset_low[fraction:], lane.offset_high
        return self._in_halves(stage, product, ~lane.offset_low[:fraction], low, high, 1)

    def _in_halves(
        self, stage: Stage, product: Value, below: Value, low: Value, high: Value, borrow: Value | int
    ) -> Value:
        """The product less ``high``, ``low`` and the borrow, a half a stage, with the places ``below`` it."""
        split = self.low_width
        places = stage(stage(below))
        lower = stage(difference(product[:split], low, borrow))
        upper = stage(product[split:].as_signed())
        rest = difference(resize(upper, self.sum_width - split), high, lower[split])[:-1]
        return Cat(places, stage(lower[:split]), stage(rest)).as_signed()


class Borrow(OffsetSubtraction):
    """x*k*2^F, less 1 for a negative gamma: all that is left of the subtraction where there is no mean.

    A mean of 0 has the offset 0 for a negative gamma and -1 for any other; see :class:`l1bn.channels.scale.Offset`.
    """

    @property
    def members(self) -> dict[str, In]:
        return {"borrow": In(1)}

    def depths(self, product: int) -> dict[str, int]:
        return {"borrow": product}

    def ports(self, negative: Value, offset: Value) -> dict[str, Value]:
        return {"borrow": negative}

    def subtract(self, stage: Stage, lane: Any, product: Value) -> Value:
        below = lane.borrow.replicate(self.format.scale_fraction)
        low, high = Const(0, self.low_width), Const(0, self.sum_width - self.low_width)
        return self._in_halves(stage, product, below, low, high, lane.borrow)


def subtraction(format: ScaleFormat) -> OffsetSubtraction:
    """What a lane of that format subtracts."""
    return OffsetSubtraction(format) if format.subtracts else Borrow(format)
