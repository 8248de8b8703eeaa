"""L1: dx = k * (dy - M[dy] - (s - M[s]) * M[dy * xhat]), one product an element and one of three offsets."""

from __future__ import annotations

from amaranth.hdl import Module, signed
from amaranth.lib import data, wiring

from ...beats.sided import SidedAffine
from ...channels.divide import DivideByCount
from ...channels.multiply import SequentialMultiplier
from ...channels.offsets import SidedOffsets
from ...channels.turns import consult_in_turns, in_turns, pace_of, registered_in_turns
from ...logic.saturate import saturated
from ...logic.sequence import consult
from ...logic.settle import settling_cycles, settling_sum
from ...numbers.backward_formats import BackwardFormats
from ...streams.backward_layouts import scaled_record, sided_beat
from ...streams.layouts import copied, extended, fields, inlet, outlet, packet, select_field
from ...streams.registers import ADMISSION, ChannelRegister
from ..sided import apply_sides, find_offsets

__all__ = ["L1Gradient"]


class Balance(wiring.Component):
    """n * m0 = dbeta * 2^Gm - sum s * a, exact: what the mean of dy owes to the unequal numbers on both sides.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{gradient_sum, projection_mean, sign_count}``; held until the result leaves
    o : the sum, signed

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        sign_count = formats.traits.statistics(formats)["sign_count"].shape
        mean = signed(formats.projection_mean_width)
        self.multiplier = SequentialMultiplier(sign_count, mean, signed(1), subtract=True)
        self.width = balanced_width(formats)
        self.settling = settling_cycles(self.width)
        self.latency = self.multiplier.latency + self.settling
        self.interval = self.latency + 1
        operands = {
            "gradient_sum": signed(formats.gradient_width),
            "projection_mean": mean,
            "sign_count": sign_count,
        }
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(signed(self.width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        consult(m, self.i, multiplier.i, multiplier.o, self.o, settling=self.settling)
        raised = self.i.payload.gradient_sum.shift_left(self.formats.mean_fraction)
        m.d.comb += [
            multiplier.i.payload.a.eq(self.i.payload.sign_count),
            multiplier.i.payload.b.eq(self.i.payload.projection_mean),
            multiplier.i.payload.c.eq(0),
            self.o.payload.eq(settling_sum(m, raised, multiplier.o.payload, self.width).as_signed()),
        ]
        return m


def balanced_width(formats: BackwardFormats) -> int:
    """Signed bits of n * m0."""
    product = formats.traits.statistics(formats)["sign_count"].shape.width + formats.projection_mean_width
    return max(formats.gradient_width + formats.mean_fraction, product) + 1


class L1Gradient(wiring.Component):
    """The gradient of L1BN. A beat waits for the second pass as dy and the side of the mean that x is on.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.GradientFacts`.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        self.balance = registered_in_turns(lambda: Balance(formats), config.interval)
        self.divide = in_turns(lambda: DivideByCount(balanced_width(formats), 0, config.counts), config.interval)
        self.offsets = registered_in_turns(lambda: SidedOffsets(formats), config.interval)
        self.apply = SidedAffine(formats)
        steps = (self.balance, self.divide, self.offsets)
        self.latency = sum(step.latency for step in steps) + 3 * ChannelRegister.latency + ADMISSION
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
        m.submodules.balance = balance = self.balance
        m.submodules.divide = divide = self.divide
        m.submodules.offsets = self.offsets
        m.submodules.apply = self.apply
        kept = {
            name: shape
            for name, shape in fields(scaled_record(formats)).items()
            if name in ("projection_mean", "scale", "shift", "negative", "error")
        }
        select = select_field(formats.select_width)
        m.submodules.sums = sums = ChannelRegister(
            data.StructLayout({**kept, **select, "dividend": balance.o.payload.shape()})
        )
        m.submodules.means = means = ChannelRegister(
            data.StructLayout({**kept, "gradient_mean": signed(formats.gradient_mean_width)})
        )
        balancing = consult_in_turns(m, self.i, balance, sums.i, "balancing")
        dividing = consult_in_turns(m, sums.o, divide, means.i, "dividing")
        current = find_offsets(m, self, means.o)
        m.d.comb += [
            *copied(self.i.payload, balance.i.payload),
            *copied(balancing.payload, sums.i.payload),
            sums.i.payload.dividend.eq(balance.o.payload),
            *copied(sums.o.payload, divide.i.payload),
            *copied(dividing.payload, means.i.payload),
            means.i.payload.gradient_mean.eq(
                saturated(divide.o.payload.quotient, formats.gradient_mean_width)
            ),
        ]
        apply_sides(m, self, current)
        return m
