"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the baseline, in two forms."""

from __future__ import annotations

from functools import cached_property

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring

from ...beats.squares import CentredSquareAccumulator, SquareAccumulator
from ...beats.total import delayed_flag
from ...channels.divide import DivideByCount
from ...channels.turns import held_by, pace_behind, pace_of, registered_in_turns
from ...channels.variance import Variance
from ...numbers.formats import Formats
from ...streams.layouts import (
    channel_mean,
    copied,
    inlet,
    outlet,
    packet,
    select_field,
    spread_result,
)
from ...streams.registers import ChannelRegister, join, register_chain
from ..root import root_spread

__all__ = ["L2OnePassSpread", "L2TwoPassSpread", "square_sum_width"]


class L2OnePassSpread(wiring.Component):
    """The strongest form of L2: the squares are summed while the mean is still unknown.

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
        self.variance = registered_in_turns(
            lambda: Variance(
                square_sum_width(formats),
                formats.sum_width,
                config.counts,
                formats.epsilon_wholes,
                formats.spread_width,
            ),
            config.interval,
        )
        self.root = root_spread(formats)
        self.held = held_by(self.variance) - 1 + self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    @cached_property
    def waiting(self) -> int:
        """Channels whose sum of squares waits outside the accumulator, because mean or variance take long."""
        formats, config = self.formats, self.formats.config
        if not formats.only_powers_of_two:
            division = DivideByCount.latency_of(formats.sum_width, formats.guard_bits, config.counts)
            return -(-division // config.interval)
        return int(self.accumulator.latency + self.variance.latency + 1 > config.interval)

    def latency(self, mean_latency: int) -> int:
        squares = self.accumulator.latency + self.waiting * ChannelRegister.latency
        return max(mean_latency, squares) + self.variance.latency + self.root.latency

    def interval(self, mean_latency: int) -> int:
        if self.waiting:
            return max(self.accumulator.latency + 1, pace_of(self.variance), self.root.interval)
        squares = max(mean_latency, self.accumulator.latency)
        return max(squares + self.variance.latency + 1, self.root.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.variance = variance = self.variance
        m.submodules.root = root = self.root
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        squares = accumulator.o
        if self.waiting:
            first, squares = register_chain(m, "squares", squares.payload.shape(), self.waiting)
            wiring.connect(m, accumulator.o, first)
        join(m, variance.i, squares, self.i_mean)
        m.d.comb += [
            variance.i.payload.square_sum.eq(squares.payload.square_sum),
            *copied(self.i_mean.payload, variance.i.payload),
        ]
        wiring.connect(m, variance.o, root.i)
        m.d.comb += [
            self.o.valid.eq(root.o.valid),
            root.o.ready.eq(self.o.ready),
            *copied(root.o.payload, self.o.payload),
        ]
        return m


class L2TwoPassSpread(wiring.Component):
    """L2 as the paper has it: the mean first, then the squares of what is left.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.Spread`.
    """

    after_mean = True

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = CentredSquareAccumulator(
            config.width, config.lanes, formats.count_max, config.target
        )
        self.variance = registered_in_turns(
            lambda: Variance(
                square_sum_width(formats),
                self.accumulator.centred.width,
                config.counts,
                formats.epsilon_wholes,
                formats.spread_width,
            ),
            config.interval,
            before=self.accumulator.latency - 1,
        )
        self.root = root_spread(formats)
        self.held = 1 + held_by(self.variance) + self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def latency(self, mean_latency: int) -> int:
        return self.accumulator.latency + self.variance.latency + self.root.latency

    def interval(self, mean_latency: int) -> int:
        return max(pace_behind(self.accumulator.latency, self.variance), self.root.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.variance = variance = self.variance
        m.submodules.root = root = self.root
        # The channel that closes needs its count when the next channel's has taken its place.
        select = data.StructLayout(select_field(formats.select_width))
        current = Signal(select, reset_less=True)
        closing = Signal(select, reset_less=True)
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        with m.If(self.i_mean.ready):
            m.d.sync += copied(self.i_mean.payload, current)
        with m.If(delayed_flag(m, accumulator.closes, 2)):
            m.d.sync += closing.eq(current)
        m.d.comb += [
            accumulator.i_floor.valid.eq(self.i_mean.valid),
            accumulator.i_floor.payload.eq(self.i_mean.payload.mean >> formats.guard_bits),
            self.i_mean.ready.eq(accumulator.i_floor.ready),
            variance.i.valid.eq(accumulator.o.valid),
            accumulator.o.ready.eq(variance.i.ready),
            variance.i.payload.square_sum.eq(accumulator.o.payload.square_sum),
            variance.i.payload.sum.eq(accumulator.o.payload.centred_sum),
            *copied(closing, variance.i.payload),
        ]
        wiring.connect(m, variance.o, root.i)
        m.d.comb += [
            self.o.valid.eq(root.o.valid),
            root.o.ready.eq(self.o.ready),
            *copied(root.o.payload, self.o.payload),
        ]
        return m


def square_sum_width(formats: Formats) -> int:
    """Unsigned width of sum x^2 (one pass) or sum (x - m)^2 (two passes)."""
    width = 2 * formats.config.width + formats.count_bits
    return width if formats.traits.forms[str(formats.config.form)].after_mean else width - 1
