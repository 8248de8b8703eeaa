"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the baseline, in two forms."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, wiring

from ..formats import Formats
from ..layouts import channel_mean, inlet, outlet, packet, spread_result
from ..operators.divide import lookup
from ..operators.magnitude import Magnitude, OddDivider, RootMagnitude
from ..operators.squares import CentredSquareAccumulator, SquareAccumulator
from ..operators.variance import Variance
from ..streams import Register, join

__all__ = ["L2OnePassSpread", "L2TwoPassSpread"]


class RootSpread(wiring.Component):
    """From the integer n^2 (variance + epsilon) of a channel to r: square root, then division by the count.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{variance, select}``
    o : :func:`l1bn.layouts.spread_result`
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        self.root = RootMagnitude(formats.spread_width, formats.mantissa_width)
        self.steps: list[wiring.Component] = [self.root]
        self.divider = self.magnitude = None
        if not formats.only_powers_of_two:
            self.divider = OddDivider(formats.mantissa_width, formats.odd_fraction, formats.config.counts)
            self.magnitude = Magnitude(formats.normalised_width, formats.mantissa_width)
            self.steps += [self.divider, self.magnitude]
        self.latency = sum(1 + step.latency for step in self.steps)
        self.interval = max(1 + step.interval for step in self.steps)
        self.held = len(self.steps)
        variance = {"variance": formats.spread_width, "select": unsigned(formats.select_width)}
        super().__init__(
            {"i": inlet(data.StructLayout(variance)), "o": outlet(spread_result(formats))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.variances = variances = Register(self.i.payload.shape())
        m.submodules.root = root = self.root
        wiring.connect(m, wiring.flipped(self.i), variances.i)
        m.d.comb += [
            root.i.valid.eq(variances.o.valid),
            variances.o.ready.eq(root.i.ready),
            root.i.payload.eq(variances.o.payload.variance),
        ]
        fixed = formats.mantissa_width - formats.spread_width // 2
        exponents = [power + fixed for power in formats.powers]
        exponent = Signal(formats.r_exponent_shape)
        m.d.comb += exponent.eq(root.o.payload.zeros + lookup(exponents, variances.o.payload.select))
        if not self.divider:
            m.d.comb += [
                self.o.valid.eq(root.o.valid),
                root.o.ready.eq(self.o.ready),
                self.o.payload.r_mantissa.eq(root.o.payload.mantissa),
                self.o.payload.r_exponent.eq(exponent),
            ]
            return m

        def channel(name: str, width: int) -> Register:
            """A register for a channel between two steps."""
            fields = {
                "value": unsigned(width),
                "exponent": formats.r_exponent_shape,
                "select": unsigned(formats.select_width),
            }
            register = m.submodules[name] = Register(data.StructLayout(fields))
            return register

        roots = channel("roots", formats.mantissa_width)
        quotients = channel("quotients", formats.normalised_width)
        m.submodules.divider = divider = self.divider
        m.submodules.magnitude = magnitude = self.magnitude
        m.d.comb += [
            roots.i.valid.eq(root.o.valid),
            root.o.ready.eq(roots.i.ready),
            roots.i.payload.value.eq(root.o.payload.mantissa),
            roots.i.payload.exponent.eq(exponent),
            roots.i.payload.select.eq(variances.o.payload.select),
            divider.i.valid.eq(roots.o.valid),
            roots.o.ready.eq(divider.i.ready),
            divider.i.payload.value.eq(roots.o.payload.value),
            divider.i.payload.select.eq(roots.o.payload.select),
            quotients.i.valid.eq(divider.o.valid),
            divider.o.ready.eq(quotients.i.ready),
            quotients.i.payload.value.eq(divider.o.payload),
            quotients.i.payload.exponent.eq(roots.o.payload.exponent),
            magnitude.i.valid.eq(quotients.o.valid),
            quotients.o.ready.eq(magnitude.i.ready),
            magnitude.i.payload.eq(quotients.o.payload.value),
            self.o.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(self.o.ready),
            self.o.payload.r_mantissa.eq(magnitude.o.payload.mantissa),
            self.o.payload.r_exponent.eq(magnitude.o.payload.zeros + quotients.o.payload.exponent),
        ]
        return m


class L2OnePassSpread(wiring.Component):
    """The strongest form of L2: the squares are summed while the mean is still unknown.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :mod:`l1bn.spreads`.
    """

    after_mean = False

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = SquareAccumulator(config.width, config.lanes, formats.count_max)
        self.variance = Variance(
            formats.square_sum_width, formats.sum_width, config.counts, formats.epsilons, formats.spread_width
        )
        self.root = RootSpread(formats)
        self.latency = self.variance.latency + self.root.latency
        self.interval = max(self.accumulator.latency + self.variance.latency, self.root.interval)
        self.held = self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.variance = variance = self.variance
        m.submodules.root = root = self.root
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        join(m, variance.i, accumulator.o, self.i_mean)
        m.d.comb += [
            variance.i.payload.square_sum.eq(accumulator.o.payload.square_sum),
            variance.i.payload.sum.eq(self.i_mean.payload.sum),
            variance.i.payload.select.eq(self.i_mean.payload.select),
        ]
        wiring.connect(m, variance.o, root.i)
        wiring.connect(m, root.o, wiring.flipped(self.o))
        return m


class L2TwoPassSpread(wiring.Component):
    """L2 as the paper has it: the mean first, then the squares of what is left.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :mod:`l1bn.spreads`.
    """

    after_mean = True

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.accumulator = CentredSquareAccumulator(config.width, config.lanes, formats.count_max)
        self.variance = Variance(
            formats.square_sum_width,
            self.accumulator.centred.width,
            config.counts,
            formats.epsilons,
            formats.spread_width,
        )
        self.root = RootSpread(formats)
        self.latency = self.accumulator.latency + self.variance.latency + self.root.latency
        self.interval = max(self.accumulator.latency + self.variance.latency, self.root.interval)
        self.held = 1 + self.root.held
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes)),
                "i_mean": inlet(channel_mean(formats)),
                "o": outlet(spread_result(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.accumulator = accumulator = self.accumulator
        m.submodules.variance = variance = self.variance
        m.submodules.root = root = self.root
        # The channel that closes needs its count when the next channel's has taken its place.
        m.submodules.closing = closing = Register(unsigned(formats.select_width))
        wiring.connect(m, wiring.flipped(self.i), accumulator.i)
        m.d.comb += [
            accumulator.i_floor.valid.eq(self.i_mean.valid),
            accumulator.i_floor.payload.eq(self.i_mean.payload.mean >> formats.guard_bits),
            self.i_mean.ready.eq(accumulator.i_floor.ready),
            closing.i.valid.eq(self.i_mean.valid & self.i_mean.ready),
            closing.i.payload.eq(self.i_mean.payload.select),
        ]
        join(m, variance.i, accumulator.o, closing.o)
        m.d.comb += [
            variance.i.payload.square_sum.eq(accumulator.o.payload.square_sum),
            variance.i.payload.sum.eq(accumulator.o.payload.centred_sum),
            variance.i.payload.select.eq(closing.o.payload),
        ]
        wiring.connect(m, variance.o, root.i)
        wiring.connect(m, root.o, wiring.flipped(self.o))
        return m
