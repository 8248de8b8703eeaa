"""From sums about a guessed mean to those about the mean: ``docs/arithmetic.md``, section 'L1 in one pass'."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..channels.multiply import SequentialMultiplier
from ..logic.sequence import consult, settled
from ..logic.settle import settling_cycles, settling_difference, settling_sum
from ..logic.subtract import difference
from ..logic.table import lookup
from ..numbers.formats import clog2, odd_part
from ..streams.guesses import window_mask
from ..streams.layouts import copied, inlet, outlet, select_field, selected
from .total import add_lanes, add_lanes_and_carries, delayed, delayed_or_zero, tree_latency

__all__ = ["Repair"]


class Repair(wiring.Component):
    """The mean absolute deviation of a channel from sums about its pivot and the list of its suspects.

    Where the mean is outside of the window, or a list has overflowed, the guess was a miss, and what comes out is of no
    use but for ``again``.

    Parameters
    ----------
    width : bits of a sample
    lanes : lists of suspects
    counts : samples in a channel, one of them selected
    guard_bits : fraction bits of the mean
    offsets : added to the deviation, one for each count
    greatest_level : the highest level of the window
    list_latency : cycles from ``step`` to the entries

    Members
    -------
    i : ``{excess, above, equal}`` of :class:`l1bn.beats.excess.ExcessSums`, :func:`l1bn.streams.layouts.channel_mean`,
        and ``{pivot, level, overflow}``; held until the result leaves
    more, step, present, read : of :class:`l1bn.beats.suspects.SuspectLists`
    o : ``{deviation, sign_count, again, select}``

    Latency: :meth:`latency`.
    """

    def __init__(
        self,
        width: int,
        lanes: int,
        counts: Sequence[int],
        guard_bits: int,
        offsets: Sequence[int],
        greatest_level: int,
        list_latency: int,
    ):
        self.width, self.lanes, self.counts = width, lanes, tuple(counts)
        self.guard_bits, self.offsets, self.greatest_level = guard_bits, tuple(offsets), greatest_level
        count_bits, tally = clog2(max(counts)), max(counts).bit_length()
        self.sum_width = width + count_bits
        self.deviation_width = self.sum_width + guard_bits
        # e = S * 2^G - n * mu, what the rounding of the mean left: half of n at most.
        self.rest = signed(count_bits + 1)
        self.remainder = None
        if any(odd_part(count)[1] > guard_bits or odd_part(count)[0] > 1 for count in counts):
            residue = unsigned(self.rest.width)
            self.remainder = SequentialMultiplier(residue, unsigned(tally), residue, subtract=True)
        self.addend = signed(max(max(offsets).bit_length(), self.rest.width) + 2)
        # On a hit the mean is no farther from p than an entry can tell: whole bits, fraction, and it counts twice.
        self.factor = signed(max(greatest_level + guard_bits + 1, self.addend.width))
        self.multiplier = SequentialMultiplier(self.factor, unsigned(tally), self.addend, subtract=True)
        self.preparation = settling_cycles(width + 1) + 2
        # Until the last entry is compared; then what is at the pivot, the tree and the sums.
        self.collection = list_latency
        self.completion = 3 + tree_latency(lanes)
        self.settling = settling_cycles(self.sum_width)
        select = select_field(clog2(len(counts)))
        found = {"excess": self.sum_width, "above": tally, "equal": tally}
        mean = {"mean": signed(width + guard_bits), "sum": signed(self.sum_width), **select}
        guess = {"pivot": signed(width), "level": range(greatest_level + 1), "overflow": 1}
        results = {"deviation": self.deviation_width, "sign_count": signed(tally + 1), "again": 1, **select}
        super().__init__(
            {
                "i": inlet(data.StructLayout({**found, **mean, **guess})),
                "more": In(1),
                "step": Out(1),
                "present": In(lanes),
                "read": In(data.ArrayLayout(signed(greatest_level), lanes)),
                "o": outlet(data.StructLayout(results)),
            }
        )

    def latency(self, listed: int) -> int:
        """Cycles from a channel whose longest list has so many entries until ``o`` is valid."""
        repaired = self.preparation + listed + self.collection + self.completion
        if self.remainder is not None:
            repaired = max(repaired, self.remainder.latency + settling_cycles(self.addend.width))
        return repaired + self.multiplier.latency + self.settling

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        channel, guard_bits, reach = self.i.payload, self.guard_bits, self.greatest_level
        tally = len(channel.above)
        leaves = Signal()
        m.d.comb += leaves.eq(self.i.valid & self.i.ready)

        # e of the mean's floor, and how far from -1 or 0 it is.
        floor, fraction = channel.mean >> guard_bits, channel.mean[:guard_bits]
        whole = delayed(m, settling_sum(m, floor, ~channel.pivot, self.width + 1).as_signed(), 1)
        below = whole[-1]
        distance = whole.as_unsigned() ^ below.replicate(len(whole))
        mask = window_mask(channel.level, self.width, reach)
        is_outside = delayed(m, (distance[:-1] & mask).any() | (~channel.level.any() & ~below), 1)
        is_at_pivot = delayed(m, below & ~distance.any(), 1)
        is_whole = delayed(m, ~fraction.any(), 1)

        asked = settled(m, self.i.valid, leaves, self.preparation)
        exhausted = asked & ~self.more
        m.d.comb += self.step.eq(asked & self.more)
        # What is at the pivot, with e = -1, is in no list. It comes to what lies above a mean below the pivot, as if it
        # were one more entry of the first lane, after all others.
        collected = settled(m, exhausted, leaves, self.collection)
        joins = delayed(m, collected & ~settled(m, collected, leaves, 1) & below & ~is_at_pivot, 1)
        # A suspect between pivot and mean changes sides: e is on the mean's side of the pivot, and for a mean above no
        # greater than the mean's, for one below greater.
        parts, carries, crossed, met = [], [], [], []
        for lane in range(self.lanes):
            present = delayed(m, self.present[lane], 1)
            entry = delayed(m, self.read[lane], 1)
            is_greater = difference(whole[: reach - 1], entry[:-1], 0)[-1]
            crosses = present & Mux(below, entry[-1] & is_greater, ~entry[-1] & ~is_greater)
            # Its e enters, or -e for a mean above: the complement, and a carry.
            enters, carry = crosses, crosses & ~below
            part, change = entry ^ (~below).replicate(reach).as_signed(), Cat(enters, carry).as_signed()
            if lane == 0:
                enters, carry = crosses | joins, carry | joins
                part = Mux(joins, Cat(~channel.equal, Const(1, 1)).as_signed(), part)
                change = Mux(joins, Cat(channel.equal, Const(0, 1)).as_signed(), change)
            parts.append(delayed_or_zero(m, part, enters))
            carries.append(delayed(m, carry, 1))
            crossed.append(delayed(m, change, 1))
            met.append(delayed(m, present & (entry == whole[:reach].as_signed()), 1))
        part, carry = add_lanes_and_carries(m, parts, carries)
        changes, meets = add_lanes(m, crossed).as_signed(), add_lanes(m, met)

        # Sum and number of the e above the mean's.
        excess = Signal(self.sum_width, reset_less=True)
        above = Signal(tally, reset_less=True)
        equals = Signal(tally, reset_less=True)
        with m.If(~asked):
            m.d.sync += [excess.eq(channel.excess), above.eq(channel.above), equals.eq(0)]
        with m.Else():
            m.d.sync += [excess.eq(excess + part + carry), above.eq(above + changes), equals.eq(equals + meets)]
        equal = Mux(is_whole, Mux(is_at_pivot, channel.equal, equals), 0)
        signs = delayed(m, Cat(Const(0, 1), above) + equal, 1)
        sign_count = (signs - lookup(self.counts, selected(channel)))[: tally + 1].as_signed()

        repaired = stream.Signature(0).create()
        complete = settled(m, collected, leaves, self.completion)
        addend = Signal(self.addend)
        offset = lookup(self.offsets, selected(channel))
        if self.remainder is None:
            m.d.comb += addend.eq(offset)
        else:
            rest = self._rest(m, self.remainder, leaves)
            complete = complete & rest.valid
            m.d.comb += addend.eq(settling_difference(m, offset, rest.payload, len(addend)))
        m.d.comb += [
            repaired.valid.eq(complete),
            self.i.ready.eq(repaired.ready),
            multiplier.i.payload.a.eq(Cat(Const(0, 1), fraction, whole[:reach]).as_signed()),
            multiplier.i.payload.b.eq(above),
            multiplier.i.payload.c.eq(addend),
        ]
        consult(m, repaired, multiplier.i, multiplier.o, self.o, settling=self.settling)
        product = multiplier.o.payload
        upper = settling_sum(m, excess, product >> (guard_bits + 1), self.sum_width - 1)
        m.d.comb += [
            self.o.payload.deviation.eq(Cat(product[: guard_bits + 1], upper)),
            self.o.payload.sign_count.eq(sign_count),
            self.o.payload.again.eq(is_outside | channel.overflow),
            *copied(channel, self.o.payload),
        ]
        return m

    def _rest(self, m: Module, remainder: SequentialMultiplier, leaves: Value) -> stream.Interface:
        """e = S * 2^G - n * mu, which fits in the bits that count to n; valid when it may be subtracted."""
        m.submodules.remainder = remainder
        channel, bits = self.i.payload, self.rest.width
        source, rest = (stream.Signature(shape).create() for shape in (0, self.rest))
        consult(m, source, remainder.i, remainder.o, rest, settling=settling_cycles(self.addend.width))
        m.d.comb += [
            source.valid.eq(self.i.valid),
            rest.ready.eq(leaves),
            remainder.i.payload.a.eq(channel.mean[:bits]),
            remainder.i.payload.b.eq(lookup(self.counts, selected(channel))),
            remainder.i.payload.c.eq((channel.sum << self.guard_bits)[:bits]),
            rest.payload.eq(remainder.o.payload[:bits].as_signed()),
        ]
        return rest
