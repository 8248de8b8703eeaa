"""The scale of a channel, k = round(gamma / r), and the constant that goes with it."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring

from ..formats import Formats
from ..layouts import inlet, outlet
from .multiply import SequentialMultiplier
from .sequence import sequence

__all__ = ["Bias", "Scale"]


class Scale(wiring.Component):
    """k = round(|gamma| / r) as a normalised mantissa with its shift, by restoring division, a bit a cycle.

    The quotient is taken from its first 1 on, until it has one bit more than k, for the rounding, or until
    its last place is worth ``2**-(shift_max + 1)``.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{gamma, r_mantissa, r_exponent}``
    o : ``{scale, shift, negative}``; see ``docs/arithmetic.md``

    Latency: ``latency``, ``gamma_width + scale_width + 2``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.steps = config.gamma_width + config.scale_width + 1
        self.latency = self.steps + 1
        self.interval = self.steps + 2
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
        remainder = Signal(mantissa_width + 1, reset_less=True)
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
        difference = Signal(signed(mantissa_width + 2))
        fits = Signal()
        m.d.comb += [difference.eq(remainder - divisor), fits.eq(difference >= 0)]

        run = sequence(m, self.i, self.o, self.steps)
        with m.If(run.load):
            m.d.sync += [
                remainder.eq(magnitude << align),
                divisor.eq(self.i.payload.r_mantissa),
                quotient.eq(0),
                negative.eq(gamma < 0),
                place.eq(Mux(gamma == 0, finest, first - self.i.payload.r_exponent)),
            ]
        with m.Elif(run.step):
            m.d.sync += remainder.eq(Mux(fits, difference, remainder) << 1)
            with m.If(~quotient[-1] & (place != finest)):
                m.d.sync += [quotient.eq(Cat(fits, quotient)), place.eq(place + 1)]

        rounded = Signal(bits + 2)
        overflow = rounded[bits + 1]
        shift = Signal(signed(len(place) + 1))
        m.d.comb += [
            rounded.eq(quotient + 1),
            shift.eq(place - 1 - overflow),
            self.o.payload.scale.eq(rounded[1 : bits + 1] | (overflow << (bits - 1))),
            self.o.payload.negative.eq(negative),
            self.o.payload.shift.eq(
                Mux(shift < formats.shift_min, formats.shift_min, shift) + formats.scale_fraction - 1
            ),
        ]
        return m


class Bias(wiring.Component):
    """The constant of the affine sum, floor(-c * mean * 2^F / 2^G), one bit of the scale a cycle.

    For a negative gamma the affine operator complements its result, so that constant is complemented, too;
    with floor(-a) = ~(ceil(a) - 1) both signs are the complement of a floored product.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{mean, scale, negative}``
    o : the constant, signed, ``bias_width`` bits

    Latency: ``latency``, ``scale_width + 2``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.multiplier = SequentialMultiplier(signed(formats.mean_width), config.scale_width, signed(1))
        self.latency, self.interval = self.multiplier.latency, self.multiplier.interval
        operands = {"mean": signed(formats.mean_width), "scale": config.scale_width, "negative": 1}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(signed(formats.bias_width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        positive = Signal(reset_less=True)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += positive.eq(~self.i.payload.negative)
        dropped = self.formats.guard_bits - self.formats.scale_fraction
        product = multiplier.o.payload  # scale * mean, less 1 for a positive gamma
        if dropped >= 0:
            floored = product >> dropped
        else:
            floored = Cat(positive.replicate(-dropped), product).as_signed()
        m.d.comb += [
            multiplier.i.valid.eq(self.i.valid),
            self.i.ready.eq(multiplier.i.ready),
            multiplier.i.payload.a.eq(self.i.payload.mean),
            multiplier.i.payload.b.eq(self.i.payload.scale),
            multiplier.i.payload.c.eq((~self.i.payload.negative).as_signed()),
            self.o.valid.eq(multiplier.o.valid),
            multiplier.o.ready.eq(self.o.ready),
            self.o.payload.eq(~floored),
        ]
        return m
