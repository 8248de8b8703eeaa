"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the baseline, in two forms."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring

from ...formats import Formats
from ...layouts import (
    channel_mean,
    copied,
    extended,
    inlet,
    outlet,
    packet,
    select_field,
    selected,
    spread_result,
)
from ...operators.magnitude import DividedMagnitude, RootMagnitude
from ...operators.squares import CentredSquareAccumulator, SquareAccumulator
from ...operators.table import lookup
from ...operators.total import delayed_flag
from ...operators.variance import Variance
from ...streams import ChannelRegister, join
from ..epsilon import add_fraction, whole_spread

__all__ = ["L2OnePassSpread", "L2TwoPassSpread", "square_sum_width"]


class RootSpread(wiring.Component):
    """From the integer n^2 (variance + epsilon) of a channel, without epsilon's fraction, to r, for counts that are
    powers of two.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{variance, select}``
    o : :func:`l1bn.layouts.spread_result` with ``select``

    Latency: ``latency``. One channel in ``interval`` cycles.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        select = select_field(formats.select_width)
        tag = data.StructLayout(select)
        fraction = formats.epsilon_fraction
        self.root = RootMagnitude(formats.spread_width + fraction, formats.mantissa_width, tag, fraction)
        self.latency = 2 * ChannelRegister.latency + self.root.latency
        self.interval = self.root.interval + 1
        self.held = self.root.held + 1
        super().__init__(
            {
                "i": inlet(data.StructLayout({"variance": formats.spread_width, **select})),
                "o": outlet(extended(spread_result(formats), **select)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.root = root = self.root
        spread = whole_spread(formats, root.i.payload.tag.shape())
        m.submodules.variances = variances = ChannelRegister(spread)
        m.submodules.roots = roots = ChannelRegister(self.o.payload.shape())
        add_fraction(m, formats, variances.o, root.i)
        wiring.connect(m, roots.o, wiring.flipped(self.o))
        fixed = formats.mantissa_width - formats.spread_width // 2
        exponents = [power + fixed for power in formats.powers]
        found, tag = root.o.payload, root.o.payload.tag
        m.d.comb += [
            variances.i.valid.eq(self.i.valid),
            self.i.ready.eq(variances.i.ready),
            variances.i.payload.value.eq(self.i.payload.variance),
            *copied(self.i.payload, variances.i.payload.tag),
            roots.i.valid.eq(root.o.valid),
            root.o.ready.eq(roots.i.ready),
            roots.i.payload.r_mantissa.eq(found.mantissa),
            roots.i.payload.r_exponent.eq(found.zeros + lookup(exponents, selected(tag))),
            *copied(tag, roots.i.payload),
        ]
        return m


class DividedRootSpread(wiring.Component):
    """As :class:`RootSpread`, for any counts: the root is divided by the odd part of the count."""

    def __init__(self, formats: Formats):
        self.formats = formats
        self.root = RootSpread(formats)
        exponent = {"r_exponent": formats.r_exponent_shape}
        tag = data.StructLayout({**exponent, **select_field(formats.select_width)})
        kept = formats.mantissa_width
        self.magnitude = DividedMagnitude(kept, formats.odd_fraction, formats.config.counts, kept, tag)
        self.latency = self.root.latency + self.magnitude.latency
        self.interval = max(self.root.interval, self.magnitude.interval + 1)
        # A root waits in the register behind it while it is divided: that register counts once.
        self.held = self.root.held + self.magnitude.held - 1
        super().__init__({"i": inlet(self.root.i.payload.shape()), "o": outlet(self.root.o.payload.shape())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.root = root = self.root
        m.submodules.magnitude = magnitude = self.magnitude
        wiring.connect(m, wiring.flipped(self.i), root.i)
        found = magnitude.o.payload
        m.d.comb += [
            magnitude.i.valid.eq(root.o.valid),
            root.o.ready.eq(magnitude.i.ready),
            magnitude.i.payload.value.eq(root.o.payload.r_mantissa),
            *copied(root.o.payload, magnitude.i.payload.tag),
            self.o.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(self.o.ready),
            self.o.payload.r_mantissa.eq(found.mantissa),
            *copied(found.tag, self.o.payload),
            self.o.payload.r_exponent.eq(found.zeros + found.tag.r_exponent),
        ]
        return m


def root_spread(formats: Formats) -> RootSpread | DividedRootSpread:
    """The way from the variance to r that the counts need."""
    return RootSpread(formats) if formats.only_powers_of_two else DividedRootSpread(formats)


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
        self.variance = Variance(
            square_sum_width(formats),
            formats.sum_width,
            config.counts,
            formats.epsilon_wholes,
            formats.spread_width,
        )
        self.root = root_spread(formats)
        self.held = self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    @property
    def waits_for_mean(self) -> bool:
        """Whether the mean takes long, so that the sum of squares had better wait outside the accumulator."""
        return not self.formats.only_powers_of_two

    def latency(self, mean_latency: int) -> int:
        squares = self.accumulator.latency + self.waits_for_mean * ChannelRegister.latency
        return max(mean_latency, squares) + self.variance.latency + self.root.latency

    def interval(self, mean_latency: int) -> int:
        if self.waits_for_mean:
            return max(self.accumulator.latency + 1, self.variance.latency + 2, self.root.interval)
        squares = max(mean_latency, self.accumulator.latency)
        return max(squares + self.variance.latency + 1, self.root.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.variance = variance = self.variance
        m.submodules.root = root = self.root
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        squares = accumulator.o
        if self.waits_for_mean:
            m.submodules.squares = waiting = ChannelRegister(squares.payload.shape())
            wiring.connect(m, squares, waiting.i)
            squares = waiting.o
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
        self.variance = Variance(
            square_sum_width(formats),
            self.accumulator.centred.width,
            config.counts,
            formats.epsilon_wholes,
            formats.spread_width,
        )
        self.root = root_spread(formats)
        self.held = 2 + self.root.held
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
        return max(self.accumulator.latency + self.variance.latency + 1, self.root.interval)

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
