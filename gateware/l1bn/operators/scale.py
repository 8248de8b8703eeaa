"""The scale of a channel, k = round(gamma / r), and the offset that goes with it."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring

from ..formats import Formats
from ..layouts import inlet, outlet
from .multiply import SequentialMultiplier
from .sequence import sequence
from .settle import settling_cycles, settling_sum

__all__ = ["Offset", "Scale"]


class Scale(wiring.Component):
    """k = round(|gamma| / r) as a normalised mantissa with its shift, by non-restoring division, a bit a step.

    The quotient is taken from its first 1 on, until it has one bit more than k, for the rounding, or until
    its last place is worth ``2**-(shift_max + 1)``.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{gamma, r_mantissa, r_exponent}``
    o : ``{scale, shift, negative}``; see ``docs/arithmetic.md``

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        # The digits, and two steps in which the quotient is rounded and its shift placed.
        self.digits = config.gamma_width + config.scale_width + 1
        self.cycles = max(2, settling_cycles(formats.mantissa_width + 2) + 1)
        self.latency = (self.digits + 2) * self.cycles + 1
        self.interval = self.latency + 1
        super().__init__(
            {
                "i": inlet(
                    data.StructLayout(
                        {
                            "gamma": signed(config.gamma_width),
                            "r_mantissa": formats.mantissa_width,
                            "r_exponent": formats.r_exponent_shape,
                        }
                    )
                ),
                "o": outlet(
                    data.StructLayout(
                        {"scale": config.scale_width, "shift": formats.shift_shape, "negative": 1}
                    )
                ),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, formats = self.formats.config, self.formats
        bits, mantissa_width = config.scale_width, formats.mantissa_width
        remainder = Signal(signed(mantissa_width + 2), reset_less=True)
        divisor = Signal(mantissa_width, reset_less=True)
        quotient = Signal(bits + 1, reset_less=True)
        negative = Signal(reset_less=True)
        # What the quotient's last place is worth: 2^-place.
        align = mantissa_width - config.gamma_width
        first = align - config.y_fraction + config.gamma_fraction - 1
        lowest = first - formats.r_exponents[-1]
        finest = formats.shift_max + 1
        place = Signal(range(min(lowest, -1), finest + 1), reset_less=True)

        gamma, magnitude = self.i.payload.gamma, Signal(config.gamma_width)
        m.d.comb += magnitude.eq(abs(gamma))
        # Non-restoring: the divisor is subtracted from a remainder that is not negative, else added.
        subtract = ~remainder[-1]
        addend = Cat(divisor ^ subtract.replicate(mantissa_width), subtract).as_signed()
        total = settling_sum(m, remainder, addend, mantissa_width + 2, carry=subtract)

        # Whether the next digit is one of k's: a step has two cycles or more, so the answer may come a cycle late.
        wanted = Signal(reset_less=True)
        m.d.sync += wanted.eq(~quotient[-1] & (place != finest))

        run = sequence(m, self.i, self.o, self.digits + 2, self.cycles)
        with m.If(run.load):
            m.d.sync += [
                remainder.eq(magnitude << align),
                divisor.eq(self.i.payload.r_mantissa),
                quotient.eq(0),
                negative.eq(gamma < 0),
                place.eq(Mux(gamma == 0, finest, first - self.i.payload.r_exponent)),
            ]
        with m.Elif(run.step):
            m.d.sync += remainder.eq(total << 1)
            with m.If(wanted):
                m.d.sync += [quotient.eq(Cat(~total[-1], quotient)), place.eq(place + 1)]

        # Rounding and placing take three cycles, for which there are two steps.
        rounded = Signal(bits + 2, reset_less=True)
        overflow = rounded[bits + 1]
        scale = Signal(bits, reset_less=True)
        # The shift as the affine operator takes it, first without the carry of a rounding up to a power of two.
        moved = Signal(range(lowest + formats.scale_fraction - 2, formats.shift_range.stop), reset_less=True)
        shift = Signal(signed(len(moved) + 1), reset_less=True)
        placed = Signal(formats.shift_shape, reset_less=True)
        lowest_shift = formats.shift_range.start
        m.d.sync += [
            rounded.eq(quotient + 1),
            moved.eq(place + (formats.scale_fraction - 2)),
            scale.eq(rounded[1 : bits + 1] | (overflow << (bits - 1))),
            shift.eq(moved - overflow),
            placed.eq(Mux(shift < lowest_shift, lowest_shift, shift)),
        ]
        m.d.comb += [
            self.o.payload.scale.eq(scale),
            self.o.payload.negative.eq(negative),
            self.o.payload.shift.eq(placed),
        ]
        return m


class Offset(wiring.Component):
    """What the affine operator subtracts, floor(k * mean * 2^F / 2^G), one bit of k a cycle.

    The operator computes x*k*2^F - offset - 1. For a gamma that is not negative the product is taken less 1
    before it is floored, which makes that the floor of the difference. For a negative one the operator
    complements its result, and floor(-a) = ~(ceil(a) - 1).

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{mean, scale, negative}``
    o : the offset, signed, ``offset_width`` bits

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        mean = signed(formats.mean_width)
        self.multiplier = SequentialMultiplier(mean, config.scale_width, signed(1))
        self.latency, self.interval = self.multiplier.latency, self.multiplier.interval
        operands = {"mean": mean, "scale": config.scale_width, "negative": 1}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(signed(formats.offset_width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        positive = Signal(reset_less=True)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += positive.eq(~self.i.payload.negative)
        product = multiplier.o.payload  # k * mean, less 1 where gamma is not negative
        raised = self.formats.scale_fraction - self.formats.guard_bits
        # An integer less 1 has ones in all places below.
        scaled = Cat(positive.replicate(raised), product) if raised > 0 else product >> -raised
        m.d.comb += [
            multiplier.i.valid.eq(self.i.valid),
            self.i.ready.eq(multiplier.i.ready),
            multiplier.i.payload.a.eq(self.i.payload.mean),
            multiplier.i.payload.b.eq(self.i.payload.scale),
            multiplier.i.payload.c.eq((~self.i.payload.negative).as_signed()),
            self.o.valid.eq(multiplier.o.valid),
            multiplier.o.ready.eq(self.o.ready),
            self.o.payload.eq(scaled.as_signed()),
        ]
        return m
