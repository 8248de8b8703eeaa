"""What the norms share whose r is a root: numbers, and the way from the square of n * r to r."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import data, wiring

from ..channels.magnitude import DividedMagnitude, RootMagnitude
from ..channels.turns import Turns, in_turns
from ..logic.table import lookup
from ..numbers.formats import Formats
from ..streams.layouts import copied, extended, inlet, outlet, select_field, selected, spread_result
from ..streams.registers import ChannelRegister
from .epsilon import add_fraction, whole_spread
from .norm import Norm

__all__ = ["DividedRootSpread", "RootNorm", "RootSpread", "root_spread"]


class RootNorm(Norm):
    """Its spread is n^2 times the square of r, in units of x squared."""

    power = 2

    def spread_width(self, formats: Formats) -> int:
        return 2 * (formats.config.width + formats.count_bits)

    def epsilon_unit(self, formats: Formats, count: int) -> int:
        return (count * count) << (2 * formats.config.x_fraction)

    def odd_fraction(self, formats: Formats) -> int:
        return formats.odd_bits + 1

    def r_exponents(self, formats: Formats) -> range:
        # The root has its top bit set; a division by the odd part clears a few bits below it at most.
        low = formats.mantissa_width - formats.spread_width // 2
        high = formats.mantissa_width - 1 + formats.odd_fraction
        return range(min(formats.powers) + low, max(formats.powers) + high + 1)


class RootSpread(wiring.Component):
    """From the integer n^2 (variance + epsilon) of a channel, without epsilon's fraction, to r, for counts that are
    powers of two.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{variance, select}``
    o : :func:`l1bn.streams.layouts.spread_result` with ``select``

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
        self.root = in_turns(lambda: RootSpread(formats), formats.config.interval)
        exponent = {"r_exponent": formats.r_exponent_shape}
        tag = data.StructLayout({**exponent, **select_field(formats.select_width)})
        kept = formats.mantissa_width
        self.magnitude = DividedMagnitude(
            kept, formats.odd_fraction, formats.config.counts, kept, tag, interval=formats.config.interval
        )
        self.latency = self.root.latency + self.magnitude.latency
        self.interval = max(self.root.interval, self.magnitude.pace)
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


def root_spread(formats: Formats) -> RootSpread | DividedRootSpread | Turns:
    """The way from the variance to r that the counts need."""
    if formats.only_powers_of_two:
        return in_turns(lambda: RootSpread(formats), formats.config.interval)
    return DividedRootSpread(formats)
