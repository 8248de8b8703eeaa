"""The two packets of a channel that a backward unit reads, element by element."""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring

from ..numbers.backward_formats import BackwardFormats
from .backward_layouts import pair_packet, received_statistics, sided_packet
from .guard import PacketGuard
from .layouts import copied, extended, inlet, outlet, packet, select_field
from .registers import ChannelRegister, Register, join

__all__ = ["PairedPackets", "Sides", "StatisticsGuard", "sides_of_the_mean", "sides_of_zero"]

Compare = Callable[[BackwardFormats, data.View, Value], tuple[Value, Value]]


class PairedPackets(wiring.Component):
    """Packets of x and of dy side by side, both brought to the right length on their own.

    Parameters
    ----------
    formats : derived formats of the unit
    sendings : packets of one channel that follow each other on each of the streams

    Members
    -------
    i_x : packets of x, with ``select`` where there are several counts
    i_dy : packets of dy, of the count that x has
    o : :func:`l1bn.streams.backward_layouts.pair_packet`; ``error``, valid with ``last``, says that one of the two
        packets had the wrong length

    Latency: ``latency``.
    """

    def __init__(self, formats: BackwardFormats, sendings: int = 1):
        self.formats, self.sendings = formats, sendings
        config, beats = formats.config, formats.beats
        self.x_guard = PacketGuard(config.width, config.lanes, beats, sendings)
        self.dy_guard = PacketGuard(config.dy_width, config.lanes, beats, sendings)
        self.latency = PacketGuard.latency + (Register.latency if formats.select_width else 0)
        super().__init__(
            {
                "i_x": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_dy": inlet(packet(config.dy_width, config.lanes)),
                "o": outlet(pair_packet(formats, sendings)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.x_guard = x_guard = self.x_guard
        m.submodules.dy_guard = dy_guard = self.dy_guard
        m.d.comb += [
            *copied(self.i_x.payload, x_guard.i.payload),
            *copied(self.i_dy.payload, dy_guard.i.payload),
        ]
        x = x_guard.o
        if self.formats.select_width:
            # The packet of dy has to know the count that its x has chosen, and waits for it at its first beat.
            shape = data.StructLayout(select_field(self.formats.select_width))
            m.submodules.selects = selects = Register(shape)
            m.submodules.waiting = waiting = Register(x_guard.o.payload.shape())
            m.d.comb += [
                *copied(self.i_x.payload, selects.i.payload),
                *copied(selects.o.payload, dy_guard.i.payload),
            ]
            put_first(m, self.i_x, x_guard.i, selects.i)
            take_first(m, self.i_dy, dy_guard.i, selects.o)
            wiring.connect(m, x_guard.o, waiting.i)
            x = waiting.o
        else:
            for source, guard in (self.i_x, x_guard), (self.i_dy, dy_guard):
                m.d.comb += [guard.i.valid.eq(source.valid), source.ready.eq(guard.i.ready)]
        join(m, self.o, x, dy_guard.o)
        m.d.comb += [
            *copied(x.payload, self.o.payload),
            self.o.payload.x.eq(x.payload.data),
            self.o.payload.dy.eq(dy_guard.o.payload.data),
            self.o.payload.error.eq(x.payload.error | dy_guard.o.payload.error),
        ]
        return m


def first_beat(m: Module, i: stream.Interface) -> Value:
    """Whether the next beat of a stream of packets is the first one of its packet."""
    first = Signal(init=1)
    with m.If(i.valid & i.ready):
        m.d.sync += first.eq(i.payload.last)
    return first


def put_first(m: Module, i: stream.Interface, beats: stream.Interface, firsts: stream.Interface) -> None:
    """Every beat of ``i`` goes to ``beats``, and the first one of each packet to ``firsts``, too."""
    first = first_beat(m, i)
    m.d.comb += [
        beats.valid.eq(i.valid & (~first | firsts.ready)),
        firsts.valid.eq(i.valid & first & beats.ready),
        i.ready.eq(beats.ready & (~first | firsts.ready)),
    ]


def take_first(m: Module, i: stream.Interface, beats: stream.Interface, firsts: stream.Interface) -> None:
    """Every beat of ``i`` goes to ``beats``, the first one of each packet together with an item of ``firsts``."""
    first = first_beat(m, i)
    m.d.comb += [
        beats.valid.eq(i.valid & (~first | firsts.valid)),
        firsts.ready.eq(i.valid & first & beats.ready),
        i.ready.eq(beats.ready & (~first | firsts.valid)),
    ]


class StatisticsGuard(wiring.Component):
    """Statistics that the rest of the unit can rely on, of any that come in.

    With a mantissa that has no top bit, or an exponent out of range, they count as the smallest mantissa with the
    nearest exponent in range, and are marked.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i, o : :func:`l1bn.streams.backward_layouts.received_statistics`

    Latency: ``latency``. The next item can take the place of the one that leaves at once.
    """

    latency = ChannelRegister.latency + Register.latency

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        shape = received_statistics(formats)
        super().__init__({"i": inlet(shape), "o": outlet(shape)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.arrived = arrived = ChannelRegister(self.i.payload.shape())
        m.submodules.current = current = Register(self.i.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), arrived.i)
        wiring.connect(m, current.o, wiring.flipped(self.o))
        exponents, found = self.formats.r_exponents, arrived.o.payload
        below, above = found.r_exponent < exponents[0], found.r_exponent > exponents[-1]
        is_none = ~found.r_mantissa[-1] | below | above
        m.d.comb += [
            current.i.valid.eq(arrived.o.valid),
            arrived.o.ready.eq(current.i.ready),
            *copied(found, current.i.payload),
            current.i.payload.r_mantissa.eq(Cat(Mux(is_none, 0, found.r_mantissa[:-1]), 1)),
            current.i.payload.r_exponent.eq(
                Mux(below, exponents[0], Mux(above, exponents[-1], found.r_exponent))
            ),
            current.i.payload.error.eq(found.error | is_none),
        ]
        return m


class Sides(wiring.Component):
    """Which side each x is on, by comparators a lane.

    Parameters
    ----------
    formats : derived formats of the unit
    sendings : packets of one channel that follow each other, each of them compared
    compare : ``(formats, statistics, x)`` to what :data:`l1bn.streams.backward_layouts.SIDE` says of x: above, level

    Members
    -------
    i : :func:`l1bn.streams.backward_layouts.pair_packet`
    i_stats : statistics of the channel, taken with the final beat of its last pass
    o : :func:`l1bn.streams.backward_layouts.sided_packet`
    o_stats : the statistics with ``select``, given with the final beat of the first pass; ``error`` knows of that pass

    Latency: ``latency``. One beat a cycle.
    """

    latency = 1

    def __init__(self, formats: BackwardFormats, sendings: int, compare: Compare):
        self.formats, self.sendings, self.compare = formats, sendings, compare
        stats = received_statistics(formats)
        super().__init__(
            {
                "i": inlet(pair_packet(formats, sendings)),
                "i_stats": inlet(stats),
                "o": outlet(sided_packet(formats, sendings)),
                "o_stats": outlet(extended(stats, **select_field(formats.select_width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, stats = self.i, self.i_stats
        m.submodules.current = current = Register(self.o.payload.shape())
        m.submodules.closing = closing = ChannelRegister(self.o_stats.payload.shape())
        wiring.connect(m, current.o, wiring.flipped(self.o))
        wiring.connect(m, closing.o, wiring.flipped(self.o_stats))
        number = i.payload.number if self.sendings > 1 else Value.cast(0)
        closes = i.payload.last & (number == 0)
        departs = i.payload.last & (number == self.sendings - 1)
        free = stats.valid & (~closes | closing.i.ready)
        m.d.comb += [
            current.i.valid.eq(i.valid & free),
            i.ready.eq(current.i.ready & free),
            closing.i.valid.eq(i.valid & stats.valid & current.i.ready & closes),
            stats.ready.eq(i.valid & i.ready & departs),
            *copied(i.payload, current.i.payload),
            *copied(i.payload, closing.i.payload),
            *copied(stats.payload, closing.i.payload),
            closing.i.payload.error.eq(stats.payload.error | i.payload.error),
        ]
        for x, side in zip(i.payload.x, current.i.payload.side, strict=True):
            above, level = self.compare(self.formats, stats.payload, x)
            m.d.comb += [side.above.eq(above), side.level.eq(level)]
        return m


def sides_of_the_mean(formats: BackwardFormats, sendings: int) -> Sides:
    """sgn(x - mean)."""
    return Sides(formats, sendings, _beside_mean)


def sides_of_zero(formats: BackwardFormats, sendings: int) -> Sides:
    """sgn(x)."""
    return Sides(formats, sendings, _beside_zero)


def _beside_mean(formats: BackwardFormats, statistics: data.View, x: Value) -> tuple[Value, Value]:
    guard_bits = formats.guard_bits
    floor, whole = statistics.mean >> guard_bits, ~statistics.mean[:guard_bits].any()
    return x > floor, (x == floor) & whole


def _beside_zero(formats: BackwardFormats, statistics: data.View, x: Value) -> tuple[Value, Value]:
    return ~x[-1] & x[:-1].any(), ~x.any()
