"""RMS: r = sqrt(M[x^2] + epsilon), in one pass."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Value
from amaranth.lib import data, wiring

from ...beats.squares import SquareAccumulator
from ...channels.multiply import SequentialMultiplier
from ...channels.turns import held_by, pace_of, registered_in_turns
from ...logic.sequence import consult, settled
from ...logic.settle import settling_cycles, settling_sum
from ...logic.table import lookup
from ...numbers.formats import Formats
from ...streams.layouts import (
    channel_mean,
    copied,
    inlet,
    outlet,
    packet,
    select_field,
    selected,
    spread_result,
)
from ...streams.registers import ChannelRegister, join
from ..root import root_spread

__all__ = ["RMSSpread", "square_sum_width"]


class MeanSquare(wiring.Component):
    """n * square_sum + E, which is n^2 times the mean square and epsilon. One product, of the odd part of n.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{square_sum, select}``; held until the result leaves
    o : ``{variance, select}``

    Latency: ``latency``.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        width = square_sum_width(formats)
        odd_bits = max(formats.odd_parts).bit_length()
        self.times_odd = SequentialMultiplier(width, odd_bits, 1) if odd_bits > 1 else None
        self.settling = settling_cycles(formats.spread_width)
        self.latency = (self.times_odd.latency if self.times_odd else 0) + self.settling
        self.interval = self.latency + 1
        select = select_field(formats.select_width)
        super().__init__(
            {
                "i": inlet(data.StructLayout({"square_sum": width, **select})),
                "o": outlet(data.StructLayout({"variance": formats.spread_width, **select})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, sums = self.formats, self.i.payload
        multiple: Value = sums.square_sum
        if self.times_odd:
            m.submodules.times_odd = times_odd = self.times_odd
            consult(m, self.i, times_odd.i, times_odd.o, self.o, settling=self.settling)
            m.d.comb += [
                times_odd.i.payload.a.eq(sums.square_sum),
                times_odd.i.payload.b.eq(lookup(formats.odd_parts, selected(sums))),
            ]
            multiple = times_odd.o.payload
        else:
            leaves = self.o.valid & self.o.ready
            m.d.comb += [
                self.o.valid.eq(settled(m, self.i.valid, leaves, self.settling)),
                self.i.ready.eq(leaves),
            ]
        scaled = Array([multiple << power for power in formats.powers])[selected(sums)]
        epsilon = lookup(formats.epsilon_wholes, selected(sums))
        m.d.comb += [
            self.o.payload.variance.eq(settling_sum(m, scaled, epsilon, formats.spread_width)),
            *copied(sums, self.o.payload),
        ]
        return m


class RMSSpread(wiring.Component):
    """The spread of RMS normalisation: that of one-pass L2 without the square of the sum.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`.
    """

    after_mean = False

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = SquareAccumulator(config.width, config.lanes, formats.count_max, config.target)
        self.mean_square = registered_in_turns(lambda: MeanSquare(formats), config.interval)
        self.root = root_spread(formats)
        self.held = held_by(self.mean_square) - 1 + self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def latency(self, mean_latency: int) -> int:
        return (
            self.accumulator.latency + ChannelRegister.latency + self.mean_square.latency + self.root.latency
        )

    def interval(self, mean_latency: int) -> int:
        return max(self.accumulator.latency + 1, pace_of(self.mean_square), self.root.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.mean_square = mean_square = self.mean_square
        m.submodules.root = root = self.root
        m.submodules.squares = squares = ChannelRegister(accumulator.o.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        wiring.connect(m, accumulator.o, squares.i)
        join(m, mean_square.i, squares.o, self.i_mean)
        wiring.connect(m, mean_square.o, root.i)
        m.d.comb += [
            *copied(squares.o.payload, mean_square.i.payload),
            *copied(self.i_mean.payload, mean_square.i.payload),
            self.o.valid.eq(root.o.valid),
            root.o.ready.eq(self.o.ready),
            *copied(root.o.payload, self.o.payload),
        ]
        return m


def square_sum_width(formats: Formats) -> int:
    """Unsigned width of sum x^2."""
    return 2 * formats.config.width - 1 + formats.count_bits
