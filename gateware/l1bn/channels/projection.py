"""sum dy * xhat of a channel: the sum of the products, taken about the mean and divided by r."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, wiring

from ..logic.operator import computes
from ..logic.sequence import consult, sequence
from ..logic.settle import settling_cycles, settling_sum
from ..numbers.backward_formats import BackwardFormats
from ..streams.layouts import inlet, outlet
from .multiply import SequentialMultiplier

__all__ = ["Centre", "Projection", "Uncentred"]


@computes("l1bn_golden.gradients.centred_products")
class Centre(wiring.Component):
    """C = P * 2^G - mean * gradient_sum, exact: the sum of dy * (x - mean), a bit of the mean a step.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{product_sum, gradient_sum, mean}``; held until the result leaves
    o : C, signed, ``centred_width`` bits

    Latency: ``latency``.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        gradient_sum, mean = signed(formats.gradient_width), signed(formats.mean_width)
        self.multiplier = SequentialMultiplier(gradient_sum, mean, signed(1), subtract=True)
        self.settling = settling_cycles(formats.product_sum_width)
        self.latency = self.multiplier.latency + self.settling
        self.interval = self.latency + 1
        operands = {
            "product_sum": signed(formats.product_sum_width),
            "gradient_sum": gradient_sum,
            "mean": mean,
        }
        super().__init__(
            {"i": inlet(data.StructLayout(operands)), "o": outlet(signed(formats.centred_width))}
        )

    @classmethod
    def of_formats(cls, formats: BackwardFormats) -> Centre:
        """That of a unit of these formats."""
        return cls(formats)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        consult(m, self.i, multiplier.i, multiplier.o, self.o, settling=self.settling)
        product, guard_bits = multiplier.o.payload, self.formats.guard_bits
        width = self.formats.product_sum_width
        whole = settling_sum(m, self.i.payload.product_sum, product >> guard_bits, width)
        m.d.comb += [
            multiplier.i.payload.a.eq(self.i.payload.gradient_sum),
            multiplier.i.payload.b.eq(self.i.payload.mean),
            multiplier.i.payload.c.eq(0),
            self.o.payload.eq(Cat(product[:guard_bits], whole).as_signed()),
        ]
        return m


class Uncentred(wiring.Component):
    """Stands in the place of :class:`Centre` where no mean is subtracted: C is P.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{product_sum}``
    o : C, in the same cycle
    """

    latency, interval = 0, 1

    def __init__(self, formats: BackwardFormats):
        width = signed(formats.centred_width)
        super().__init__({"i": inlet(data.StructLayout({"product_sum": width})), "o": outlet(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
            self.o.payload.eq(self.i.payload.product_sum),
        ]
        return m


@computes("l1bn_golden.gradients.projection")
class Projection(wiring.Component):
    """H = floor(C * 2^(Gh - G) / r), saturated, by non-restoring division, a bit a step.

    The bits of C come down one by one, and then as many more as the exponent of r asks for. A negative C is
    divided as its complement, and the quotient is complemented back: that is the floor.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : ``{centred, r_mantissa, r_exponent}``
    o : H, signed, ``projection_width`` bits

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        self.remainder_width = formats.mantissa_width + 2
        # A cycle in which the addend is chosen, before those of the sum.
        self.cycles = settling_cycles(self.remainder_width) + 2
        # As many bits as the largest exponent asks for; with a smaller one, the first steps wait.
        raised = formats.projection_fraction - formats.guard_bits
        self.steps = formats.centred_width - 1 + raised + formats.r_exponents[-1]
        self.latency = self.steps * self.cycles + 1
        self.interval = self.latency + 1
        operands = {
            "centred": signed(formats.centred_width),
            "r_mantissa": formats.mantissa_width,
            "r_exponent": formats.r_exponent_shape,
        }
        super().__init__(
            {"i": inlet(data.StructLayout(operands)), "o": outlet(signed(formats.projection_width))}
        )

    @classmethod
    def of_formats(cls, formats: BackwardFormats) -> Projection:
        """That of a unit of these formats."""
        return cls(formats)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, width = self.formats, self.remainder_width
        dividend = Signal(formats.centred_width - 1, reset_less=True)
        negative = Signal(reset_less=True)
        divisor = Signal(formats.mantissa_width, reset_less=True)
        remainder = Signal(signed(width - 1), reset_less=True)
        quotient = Signal(formats.projection_width - 1, reset_less=True)
        overflow = Signal(reset_less=True)

        run = sequence(m, self.i, self.o, self.steps, self.cycles)
        addend = Signal(signed(width), reset_less=True)
        subtract = Signal(reset_less=True)
        with m.If(run.begin):
            chosen = ~remainder[-1]
            m.d.sync += [addend.eq(divisor ^ chosen.replicate(width)), subtract.eq(chosen)]
        doubled = Cat(dividend[-1] ^ negative, remainder)
        total = settling_sum(m, doubled, addend, width, carry=subtract)

        # The exponent counts up to its largest value before the first bit comes down.
        last = formats.r_exponents[-1]
        exponent = Signal(formats.r_exponent_shape, reset_less=True)
        starts = Signal(reset_less=True)
        m.d.sync += starts.eq(exponent == last)
        with m.If(run.load):
            m.d.sync += [
                dividend.eq(self.i.payload.centred),
                negative.eq(self.i.payload.centred[-1]),
                divisor.eq(self.i.payload.r_mantissa),
                remainder.eq(0),
                quotient.eq(0),
                overflow.eq(0),
                exponent.eq(self.i.payload.r_exponent),
            ]
        with m.Elif(run.step & ~starts):
            m.d.sync += exponent.eq(exponent + 1)
        with m.Elif(run.step):
            m.d.sync += [
                dividend.eq(dividend << 1),
                remainder.eq(total),
                quotient.eq(Cat(~total[-1], quotient)),
                overflow.eq(overflow | quotient[-1]),
            ]
        magnitude = quotient | overflow.replicate(len(quotient))
        m.d.comb += self.o.payload.eq(
            Cat(magnitude ^ negative.replicate(len(quotient)), negative).as_signed()
        )
        return m
