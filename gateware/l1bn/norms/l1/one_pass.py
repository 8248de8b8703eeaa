"""L1 in one pass: the mean is guessed, and what the guess got wrong is repaired."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import data, wiring

from ...beats.excess import ExcessSums
from ...beats.repair import Repair
from ...beats.suspects import SuspectLists
from ...channels.turns import ALONE, pace_of
from ...numbers.formats import Formats
from ...streams.guesses import greatest_level, guess_layout
from ...streams.layouts import (
    channel_mean,
    copied,
    extended,
    inlet,
    outlet,
    packet,
    select_field,
    spread_result,
)
from ...streams.registers import ChannelRegister, join
from ..absolute import give_r, magnitude_of_sum
from ..epsilon import add_fraction, whole_spread

__all__ = ["L1OnePassSpread"]


class L1OnePassSpread(wiring.Component):
    """The spread of L1BN from one pass over the samples, if the mean was guessed well.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`, and :class:`l1bn.norms.GuessingSpread`.
    """

    after_mean = False
    guesses = True

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        width, lanes, reach = config.width, config.lanes, greatest_level(config.width, config.window_shift)
        self.sums = ExcessSums(width, lanes, formats.count_max, reach)
        self.lists = SuspectLists(reach, lanes, config.suspects, config.target)
        self.repair = Repair(
            width, lanes, config.counts, formats.guard_bits, formats.epsilon_wholes, reach, self.lists.latency
        )
        signs = {name: found.shape for name, found in formats.traits.statistics(formats).items()}
        tag = data.StructLayout({**signs, **select_field(formats.select_width), "again": 1})
        self.magnitude = magnitude_of_sum(formats, tag, ALONE)
        self.held = self.magnitude.held
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "i_guess": inlet(guess_layout(width, reach)),
                "o": outlet(extended(spread_result(formats), again=1)),
            }
        )

    def latency(self, mean_latency: int, listed: int = 0) -> int:
        repaired = max(self.sums.latency, mean_latency) + self.repair.latency(listed)
        return repaired + ChannelRegister.latency + self.magnitude.latency

    def interval(self, mean_latency: int, listed: int = 0) -> int:
        repaired = max(self.sums.latency, mean_latency) + self.repair.latency(listed) + 1
        return max(repaired, pace_of(self.magnitude))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.sums = sums = self.sums
        m.submodules.lists = lists = self.lists
        m.submodules.repair = repair = self.repair
        m.submodules.magnitude = magnitude = self.magnitude
        spread = whole_spread(formats, magnitude.i.payload.tag.shape())
        m.submodules.deviations = deviations = ChannelRegister(spread)
        wiring.connect(m, wiring.flipped(self.i), sums.i)
        wiring.connect(m, wiring.flipped(self.i_guess), sums.i_guess)
        join(m, repair.i, sums.o, self.i_mean)
        m.d.comb += [
            lists.beat.eq(sums.beat),
            lists.final.eq(sums.final),
            lists.entries.eq(sums.entries),
            lists.listed.eq(sums.listed),
            lists.step.eq(repair.step),
            repair.more.eq(lists.more),
            repair.present.eq(lists.present),
            repair.read.eq(lists.read),
            repair.i.payload.overflow.eq(lists.overflow),
            *copied(sums.o.payload, repair.i.payload),
            *copied(self.i_mean.payload, repair.i.payload),
            *copied(sums.closing, repair.i.payload),
        ]
        add_fraction(m, formats, deviations.o, magnitude.i)
        m.d.comb += [
            deviations.i.valid.eq(repair.o.valid),
            repair.o.ready.eq(deviations.i.ready),
            deviations.i.payload.value.eq(repair.o.payload.deviation),
            *copied(repair.o.payload, deviations.i.payload.tag),
        ]
        give_r(m, formats, magnitude, wiring.flipped(self.o))
        return m
