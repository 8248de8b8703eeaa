"""n^2 times the variance of a channel, exact, from its sum and its sum of squares."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Shape, Signal, Value, signed
from amaranth.lib import data, wiring

from ..logic.sequence import consult
from ..logic.settle import settling_cycles, settling_difference
from ..logic.table import lookup
from ..numbers.formats import clog2, odd_part
from ..streams.layouts import copied, inlet, outlet, select_field, selected
from .multiply import SequentialMultiplier

__all__ = ["Variance"]


class Variance(wiring.Component):
    """``n * square_sum - sum^2 + offset``, which is n^2 times variance plus epsilon.

    It holds for sums of x as for sums of x - m with any integer m. The square is a sequential product; so
    is the one with n, unless all counts are powers of two.

    Parameters
    ----------
    square_width : bits of the unsigned sum of squares
    sum_width : bits of the signed sum
    counts : samples in a channel, one of them selected
    offsets : added, one for each count
    width : bits of the unsigned result

    Members
    -------
    i : ``{square_sum, sum, select}``; held until the result leaves
    o : ``{variance, select}``

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(
        self, square_width: int, sum_width: int, counts: Sequence[int], offsets: Sequence[int], width: int
    ):
        self.offsets, self.width = tuple(offsets), width
        self.odds, self.powers = zip(*(odd_part(count) for count in counts), strict=True)
        # The offset enters as the square's c, which a must be wide enough for.
        factor = signed(max(sum_width, max(offsets).bit_length() + 1))
        self.square = SequentialMultiplier(factor, signed(sum_width), factor)
        odd_bits = max(self.odds).bit_length()
        self.times_odd = SequentialMultiplier(square_width, odd_bits, 1) if odd_bits > 1 else None
        self.settling = settling_cycles(width)
        product = self.times_odd.latency if self.times_odd else 0
        self.latency = max(self.square.latency, product) + self.settling
        self.interval = self.latency + 1
        select = select_field(clog2(len(counts)))
        operands = {"square_sum": square_width, "sum": signed(sum_width), **select}
        super().__init__(
            {
                "i": inlet(data.StructLayout(operands)),
                "o": outlet(data.StructLayout({"variance": width, **select})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.square = square = self.square
        sums = self.i.payload
        m.d.comb += [
            square.i.payload.a.eq(sums.sum),
            square.i.payload.b.eq(sums.sum),
            square.i.payload.c.eq(-lookup(self.offsets, selected(sums))),
        ]
        consult(m, self.i, square.i, square.o, self.o, settling=self.latency - square.latency)

        multiple: Value = sums.square_sum
        if self.times_odd:
            m.submodules.times_odd = times_odd = self.times_odd
            m.d.comb += [
                times_odd.i.valid.eq(square.i.valid & square.i.ready),
                times_odd.i.payload.a.eq(sums.square_sum),
                times_odd.i.payload.b.eq(lookup(self.odds, selected(sums))),
                times_odd.o.ready.eq(square.o.valid & square.o.ready),
            ]
            multiple = times_odd.o.payload
        scaled = Signal(Shape(self.width, signed=True))
        m.d.comb += scaled.eq(Array([multiple << power for power in self.powers])[selected(sums)])
        m.d.comb += [
            self.o.payload.variance.eq(settling_difference(m, scaled, square.o.payload, self.width)),
            *copied(sums, self.o.payload),
        ]
        return m
