"""Range: dx = k * (dy - M[dy] - s * sum dy * xhat), where s is 1 at the first maximum, -1 at the first minimum, else 0.

Of equal samples the first one counts: one of the subgradients that there are then.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data, wiring

from ...beats.sided import SidedAffine
from ...channels.divide import DivideByCount
from ...channels.offsets import SidedOffsets
from ...channels.turns import consult_in_turns, in_turns, pace_of, registered_in_turns
from ...numbers.backward_formats import BackwardFormats
from ...streams.backward_layouts import (
    pair_packet,
    received_statistics,
    scaled_record,
    sided_beat,
    sided_packet,
)
from ...streams.layouts import copied, extended, fields, inlet, outlet, packet, select_field
from ...streams.paired_packets import Sides
from ...streams.registers import ADMISSION, ChannelRegister, Register
from ..sided import apply_sides, find_offsets

__all__ = ["ExtremeSides", "RangeGradient"]


class ExtremeSides(wiring.Component):
    """Finds the first maximum and the first minimum of each packet; all other samples are level.

    Every sample is compared with the extremes of its channel first, and in the cycle after that those are left out
    which come behind another one.

    Parameters
    ----------
    formats : derived formats of the unit
    sendings : packets of one channel that follow each other, each of them compared

    Members and latency: as of :class:`l1bn.streams.paired_packets.Sides`, which see.
    """

    latency = Sides.latency + Register.latency

    def __init__(self, formats: BackwardFormats, sendings: int):
        self.formats, self.sendings = formats, sendings
        self.compared = Sides(formats, sendings, _at_extreme)
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
        m.submodules.compared = compared = self.compared
        m.submodules.current = current = Register(self.o.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), compared.i)
        wiring.connect(m, wiring.flipped(self.i_stats), compared.i_stats)
        wiring.connect(m, compared.o_stats, wiring.flipped(self.o_stats))
        wiring.connect(m, current.o, wiring.flipped(self.o))
        beat = compared.o.payload
        taken = compared.o.valid & compared.o.ready
        m.d.comb += [
            current.i.valid.eq(compared.o.valid),
            compared.o.ready.eq(current.i.ready),
            *copied(beat, current.i.payload),
        ]
        above = [side.above for side in beat.side]
        below = [~side.above & ~side.level for side in beat.side]
        firsts = zip(_first(m, above, taken, beat.last), _first(m, below, taken, beat.last), strict=True)
        for (is_maximum, is_minimum), side in zip(firsts, current.i.payload.side, strict=True):
            m.d.comb += [side.above.eq(is_maximum), side.level.eq(~is_maximum & ~is_minimum)]
        return m


def _at_extreme(formats: BackwardFormats, statistics: data.View, x: Value) -> tuple[Value, Value]:
    """A sample that is both, in a channel that does not vary, is on no side."""
    is_maximum, is_minimum = x == statistics.maximum, x == statistics.minimum
    return is_maximum & ~is_minimum, is_maximum == is_minimum


def _first(m: Module, flags: list[Value], taken: Value, last: Value) -> list[Value]:
    """The flags of a beat without those that come behind another one of the same packet."""
    seen = Signal()
    with m.If(taken):
        m.d.sync += seen.eq(~last & (seen | Cat(flags).any()))
    return [flag & ~Cat(seen, *flags[:lane]).any() for lane, flag in enumerate(flags)]


class RangeGradient(wiring.Component):
    """The gradient of range batch normalisation. A beat waits for the second pass as dy and the side of each x.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.GradientFacts`.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        self.divide = in_turns(
            lambda: DivideByCount(formats.gradient_width, formats.mean_fraction, config.counts), config.interval
        )
        self.offsets = registered_in_turns(lambda: SidedOffsets(formats), config.interval)
        self.apply = SidedAffine(formats)
        steps = (self.divide, self.offsets)
        self.latency = sum(step.latency + ChannelRegister.latency for step in steps) + ADMISSION
        self.interval = max(map(pace_of, steps))
        self.apply_latency = self.apply.latency
        super().__init__(
            {
                "i": inlet(scaled_record(formats)),
                "i_beats": inlet(extended(sided_beat(formats), error=1)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.divide = divide = self.divide
        m.submodules.offsets = self.offsets
        m.submodules.apply = self.apply
        shapes = fields(scaled_record(formats))
        kept = {name: shapes[name] for name in ("projection_mean", "scale", "shift", "negative", "error")}
        m.submodules.means = means = ChannelRegister(
            data.StructLayout({**kept, "gradient_mean": signed(formats.gradient_mean_width)})
        )
        dividing = consult_in_turns(m, self.i, divide, means.i, "dividing")
        m.d.comb += [
            *copied(self.i.payload, divide.i.payload),
            divide.i.payload.dividend.eq(self.i.payload.gradient_sum),
            *copied(dividing.payload, means.i.payload),
            means.i.payload.gradient_mean.eq(divide.o.payload.quotient),
        ]
        apply_sides(m, self, find_offsets(m, self, means.o))
        return m
