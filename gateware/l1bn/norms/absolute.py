"""What the norms share whose r is a mean of absolute values: numbers, and the way from their sum to r."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Module
from amaranth.lib import data, stream

from ..channels.magnitude import DividedMagnitude, Magnitude
from ..channels.turns import Turns, registered_in_turns
from ..logic.table import lookup
from ..streams.layouts import copied, selected
from .norm import Norm

if TYPE_CHECKING:
    from ..numbers.formats import Formats

__all__ = ["AbsoluteNorm", "exponents", "give_r", "magnitude_of_sum"]


class AbsoluteNorm(Norm):
    """Its spread is a sum of absolute values, in 2^-G units of x."""

    power = 1

    def epsilon_unit(self, formats: Formats, count: int) -> int:
        return count << (formats.config.x_fraction + formats.guard_bits)

    def least_spread(self, formats: Formats, count: int) -> int:
        # Samples that are not all equal, or not all 0, are one unit of x off together at least.
        return 1 << formats.guard_bits

    def reciprocal_bits(self, formats: Formats) -> int:
        return formats.count_bits

    def odd_fraction(self, formats: Formats) -> int:
        fraction = formats.guard_bits + formats.epsilon_fraction
        return max(formats.odd_bits, formats.mantissa_width + formats.count_bits - fraction)

    def r_exponents(self, formats: Formats) -> range:
        # v has a 1 above epsilon's fraction; its quotient by the odd part, no less.
        low = formats.guard_bits + formats.mantissa_width - formats.spread_width
        high = formats.guard_bits + formats.odd_fraction + formats.mantissa_width - 1
        return range(min(formats.powers) + low, max(formats.powers) + high + 1)


def magnitude_of_sum(
    formats: Formats, tag: data.StructLayout, interval: int
) -> Magnitude | DividedMagnitude | Turns:
    """From such a sum with epsilon to mantissa and leading zeros, divided by the odd part of the count if there is one.

    ``tag`` goes along, with ``select`` in it. A channel may come every ``interval`` cycles.
    """
    fraction, kept = formats.epsilon_fraction, formats.mantissa_width
    width = formats.spread_width + fraction
    if formats.only_powers_of_two:
        return registered_in_turns(lambda: Magnitude(width, kept, tag, fraction), interval)
    return DividedMagnitude(width, formats.odd_fraction, formats.config.counts, kept, tag, fraction, interval)


def give_r(
    m: Module, formats: Formats, magnitude: Magnitude | DividedMagnitude | Turns, o: stream.Interface
) -> None:
    """Connect such a magnitude to ``o``: r, and the fields of the magnitude's tag that are there."""
    found, tag = magnitude.o.payload, magnitude.o.payload.tag
    m.d.comb += [
        o.valid.eq(magnitude.o.valid),
        magnitude.o.ready.eq(o.ready),
        o.payload.r_mantissa.eq(found.mantissa),
        o.payload.r_exponent.eq(found.zeros + lookup(exponents(formats), selected(tag))),
        *copied(tag, o.payload),
    ]


def exponents(formats: Formats) -> list[int]:
    """The exponent of r for each count, less the leading zeros."""
    fixed = formats.guard_bits + formats.mantissa_width - formats.spread_width
    return [power + fixed for power in formats.powers]
