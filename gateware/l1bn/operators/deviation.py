"""Sign-abs accumulation: sum |x - mean| and sum sgn(x - mean) of a channel, a comparator per element."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring

from ..formats import clog2
from ..layouts import inlet, outlet, packet
from ..streams import Register, join
from .divide import lookup
from .multiply import SequentialMultiplier
from .sequence import consult
from .settle import settling_cycles, settling_sum
from .sums import DeviationSums

__all__ = ["Deviation", "SignAbsAccumulator"]


class Deviation(wiring.Component):
    """The per-channel half of the mean absolute deviation.

    With P the sum and N the number of the samples above the mean, and ties, which deviate by 0, counted as
    below,

        sum |x - mean| = (2 P - S) - mean * (2 N - n)           sum sgn(x - mean) = 2 N - n + ties

    for any mean, rounded or not. The samples that equal floor(mean) are ties if the mean has no fraction.

    Parameters
    ----------
    width : bits of a sample
    counts : samples in a channel, one of them selected
    guard_bits : fraction bits of the mean
    offsets : added to the deviation, one for each count

    Members
    -------
    i : ``{above_sum, above, level, mean, sum, select}``; held until the result leaves
    o : ``{deviation, sign_count, select}``: ``2**guard_bits * sum |x - mean| + offset`` (unsigned, exact),
        the sign sum, and the index as it came in

    Latency: ``latency``.
    """

    def __init__(self, width: int, counts: Sequence[int], guard_bits: int, offsets: Sequence[int]):
        self.counts, self.guard_bits, self.offsets = tuple(counts), guard_bits, tuple(offsets)
        count_bits, tally = clog2(max(counts)), max(counts).bit_length()
        self.excess = signed(tally + 1)
        # The offset enters as the multiplier's c, which a must be wide enough for.
        factor = max(width + guard_bits, max(offsets).bit_length() + 1)
        self.multiplier = SequentialMultiplier(signed(factor), self.excess, signed(factor))
        self.deviation_width = width + count_bits + guard_bits + 1
        self.settling = settling_cycles(self.deviation_width - guard_bits)
        self.latency = self.multiplier.latency + self.settling
        operands = {
            "above_sum": signed(width + count_bits),
            "above": tally,
            "level": tally,
            "mean": signed(width + guard_bits),
            "sum": signed(width + count_bits),
            "select": unsigned(clog2(len(counts))),
        }
        results = {
            "deviation": self.deviation_width,
            "sign_count": self.excess,
            "select": operands["select"],
        }
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(data.StructLayout(results))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        sums, guard_bits = self.i.payload, self.guard_bits
        high_width = self.deviation_width - guard_bits
        deficit = Signal(self.excess)  # how many samples more are not above the mean than are
        m.d.comb += [
            deficit.eq(lookup(self.counts, sums.select) - (sums.above << 1)),
            multiplier.i.payload.a.eq(sums.mean),
            multiplier.i.payload.b.eq(deficit),
            multiplier.i.payload.c.eq(lookup(self.offsets, sums.select)),
        ]
        consult(m, self.i, multiplier.i, multiplier.o, self.o, settling=self.settling)

        ties = Mux(sums.mean[:guard_bits].any(), 0, sums.level)
        excess_sum = Signal(signed(high_width), reset_less=True)
        m.d.sync += excess_sum.eq(settling_sum(m, sums.above_sum << 1, ~sums.sum, 1, high_width))
        product = multiplier.o.payload
        high = settling_sum(m, excess_sum, product >> guard_bits, 0, high_width)
        m.d.comb += [
            self.o.payload.deviation.eq(Cat(product[:guard_bits], high)),
            self.o.payload.sign_count.eq(ties - deficit),
            self.o.payload.select.eq(sums.select),
        ]
        return m


class SignAbsAccumulator(wiring.Component):
    """sum |x - mean| and sum sgn(x - mean) over a channel, with sgn(0) = 0.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    counts : samples in a channel, one of them selected
    guard_bits : fraction bits of the mean
    offsets : added to the deviation, one for each count: a unit's epsilon; default none

    Members
    -------
    i : packets
    i_mean : ``{mean, sum, select}`` of the channel, where ``sum`` is the sum of its samples; taken with the
        final beat
    o : ``{deviation, sign_count, select}`` as :class:`Deviation`

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels that have more beats
    than that.
    """

    def __init__(
        self,
        width: int,
        lanes: int,
        counts: Sequence[int],
        guard_bits: int,
        offsets: Sequence[int] | None = None,
    ):
        self.guard_bits = guard_bits
        offsets = [0] * len(counts) if offsets is None else offsets
        self.sums = DeviationSums(width, lanes, max(counts))
        self.deviation = Deviation(width, counts, guard_bits, offsets)
        self.latency = self.sums.latency + self.deviation.latency
        means = {
            "mean": signed(width + guard_bits),
            "sum": signed(width + clog2(max(counts))),
            "select": unsigned(clog2(len(counts))),
        }
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_mean": inlet(data.StructLayout(means)),
                "o": outlet(self.deviation.o.payload.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums = sums = self.sums
        m.submodules.deviation = deviation = self.deviation
        # The channel that closes needs its mean when the next channel's has taken its place.
        m.submodules.closing = closing = Register(self.i_mean.payload.shape())
        means = self.i_mean.payload
        wiring.connect(m, wiring.flipped(self.i), sums.i)
        m.d.comb += [
            sums.i_floor.valid.eq(self.i_mean.valid),
            sums.i_floor.payload.eq(means.mean >> self.guard_bits),
            self.i_mean.ready.eq(sums.i_floor.ready),
            closing.i.valid.eq(sums.i_floor.valid & sums.i_floor.ready),
            closing.i.payload.eq(means),
        ]
        join(m, deviation.i, sums.o, closing.o)
        m.d.comb += [
            deviation.i.payload.above_sum.eq(sums.o.payload.above_sum),
            deviation.i.payload.above.eq(sums.o.payload.above),
            deviation.i.payload.level.eq(sums.o.payload.level),
            deviation.i.payload.mean.eq(closing.o.payload.mean),
            deviation.i.payload.sum.eq(closing.o.payload.sum),
            deviation.i.payload.select.eq(closing.o.payload.select),
        ]
        wiring.connect(m, deviation.o, wiring.flipped(self.o))
        return m
