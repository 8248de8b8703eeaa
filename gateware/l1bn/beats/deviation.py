"""Sign-abs accumulation: sum |x - mean| and sum sgn(x - mean) of a channel, a comparator per element."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import data, wiring

from ..channels.multiply import SequentialMultiplier
from ..channels.turns import ALONE, pace_behind, registered_in_turns
from ..errors import ConfigurationError, require_packets, require_whole
from ..logic.operator import computes
from ..logic.sequence import consult
from ..logic.settle import settling_cycles, settling_sum
from ..logic.table import lookup
from ..numbers.formats import clog2
from ..streams.layouts import copied, inlet, outlet, packet, select_field, selected
from .sums import DeviationSums
from .total import delayed_flag

__all__ = ["Deviation", "SignAbsAccumulator"]


class Deviation(wiring.Component):
    """The per-channel half of the mean absolute deviation.

    With m = floor(mean), f its fraction, A = sum |x - m|, and N the sum of the signs of x - mean,

        sum |x - mean| = A - N * f

    for any mean, rounded or not: where samples equal the mean, f is 0.

    Parameters
    ----------
    width : bits of a sample
    counts : samples in a channel, one of them selected
    guard_bits : fraction bits of the mean
    offsets : added to the deviation, one for each count

    Members
    -------
    i : ``{absolute_sum, score, fraction, select}`` with the score N + count; held until the result leaves
    o : ``{deviation, sign_count, select}``: ``2**guard_bits * sum |x - mean| + offset`` (unsigned, exact), N,
        and the index as it came in

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, width: int, counts: Sequence[int], guard_bits: int, offsets: Sequence[int]):
        self.counts, self.guard_bits, self.offsets = tuple(counts), guard_bits, tuple(offsets)
        count_bits, tally = clog2(max(counts)), max(counts).bit_length()
        self.sign_sum = signed(tally + 1)
        # The offset enters as the multiplier's c, which a must be wide enough for.
        factor = signed(max(tally, max(offsets).bit_length()) + 1)
        fraction = unsigned(max(1, guard_bits))
        self.multiplier = SequentialMultiplier(factor, fraction, factor, subtract=True)
        self.deviation_width = width + count_bits + guard_bits
        self.settling = settling_cycles(self.deviation_width - guard_bits)
        self.latency = self.multiplier.latency + self.settling
        self.interval = self.latency + 1
        select = select_field(clog2(len(counts)))
        operands = {
            "absolute_sum": width + count_bits,
            "score": tally + 1,
            "fraction": fraction,
            **select,
        }
        results = {"deviation": self.deviation_width, "sign_count": self.sign_sum, **select}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(data.StructLayout(results))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        sums, guard_bits = self.i.payload, self.guard_bits
        signs = Signal(self.sign_sum)
        m.d.comb += [
            signs.eq(sums.score - lookup(self.counts, selected(sums))),
            multiplier.i.payload.a.eq(signs),
            multiplier.i.payload.b.eq(sums.fraction),
            multiplier.i.payload.c.eq(lookup(self.offsets, selected(sums))),
        ]
        consult(m, self.i, multiplier.i, multiplier.o, self.o, settling=self.settling)

        product = multiplier.o.payload
        width = self.deviation_width - guard_bits
        whole = settling_sum(m, sums.absolute_sum, product >> guard_bits, width)
        m.d.comb += [
            self.o.payload.deviation.eq(Cat(product[:guard_bits], whole)),
            self.o.payload.sign_count.eq(signs),
            *copied(sums, self.o.payload),
        ]
        return m


@computes("l1bn_golden.samples.sign_abs")
class SignAbsAccumulator(wiring.Component):
    """sum |x - mean| and sum sgn(x - mean) over a channel, with sgn(0) = 0.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    counts : samples in a channel, one of them selected
    guard_bits : fraction bits of the mean
    offsets : added to the deviation, one for each count: a unit's epsilon; default none
    pace : cycles from channel to channel that it is to keep up with

    Members
    -------
    i : packets
    i_mean : ``{mean, select}`` of the channel; taken with the first beat
    o : ``{deviation, sign_count, select}`` as :class:`Deviation`

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels that have at least ``pace`` beats,
    of which what was asked for is the upper limit where the sums allow it.
    """

    interval = 1

    def __init__(
        self,
        width: int,
        lanes: int,
        counts: Sequence[int],
        guard_bits: int,
        offsets: Sequence[int] | None = None,
        pace: int = ALONE,
    ):
        require_packets(width, lanes, counts)
        require_whole("guard_bits", guard_bits, 0, 64)
        offsets = [0] * len(counts) if offsets is None else offsets
        if len(offsets) != len(counts):
            raise ConfigurationError("offsets", tuple(offsets), f"one for each of the {len(counts)} counts")
        self.guard_bits = guard_bits
        self.sums = DeviationSums(width, lanes, max(counts))
        self.deviation = registered_in_turns(
            lambda: Deviation(width, counts, guard_bits, offsets), pace, before=self.sums.latency - 1
        )
        self.latency = self.sums.latency + self.deviation.latency
        self.pace = pace_behind(self.sums.latency, self.deviation)
        self.select_width = clog2(len(counts))
        means = {"mean": signed(width + guard_bits), **select_field(self.select_width)}
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
        means, fraction = self.i_mean.payload, self.i_mean.payload.mean[: self.guard_bits]
        # The channel that closes needs the mean's fraction when the next channel's has taken its place.
        kept = data.StructLayout(
            {"fraction": unsigned(max(1, self.guard_bits)), **select_field(self.select_width)}
        )
        current = Signal(kept, reset_less=True)
        closing = Signal(kept, reset_less=True)
        with m.If(sums.i_mean.ready):
            m.d.sync += [current.fraction.eq(fraction), *copied(means, current)]
        with m.If(delayed_flag(m, sums.closes, 2)):
            m.d.sync += closing.eq(current)
        wiring.connect(m, wiring.flipped(self.i), sums.i)
        m.d.comb += [
            sums.i_mean.valid.eq(self.i_mean.valid),
            sums.i_mean.payload.floor.eq(means.mean >> self.guard_bits),
            sums.i_mean.payload.whole.eq(~fraction.any()),
            self.i_mean.ready.eq(sums.i_mean.ready),
            deviation.i.valid.eq(sums.o.valid),
            sums.o.ready.eq(deviation.i.ready),
            *copied(sums.o.payload, deviation.i.payload),
            *copied(closing, deviation.i.payload),
        ]
        wiring.connect(m, deviation.o, wiring.flipped(self.o))
        return m
