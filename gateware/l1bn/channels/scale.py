"""The scale of a channel, k = round(gamma / r), and the offset that goes with it."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring

from ..logic.operator import computes
from ..logic.sequence import Sequence, sequence
from ..logic.settle import settling_cycles, settling_sum
from ..numbers.formats import Formats
from ..numbers.scale_format import ScaleFormat
from ..streams.layouts import inlet, outlet
from .multiply import SequentialMultiplier

__all__ = ["Offset", "Scale"]


@computes("l1bn_golden.channel.scale")
class Scale(wiring.Component):
    """k = round(|gamma| / r) as a normalised mantissa with its shift, by non-restoring division, a bit a step.

    The quotient is taken from its first 1 on, until it has one bit more than k, for the rounding, or until
    its last place is worth ``2**-(shift_max + 1)``. It grows beside the quotient plus 1, from which it is rounded
    without a carry.

    Parameters
    ----------
    format : of the scale

    Members
    -------
    i : ``{gamma, r_mantissa, r_exponent}``
    o : ``{scale, shift, negative}``; see ``docs/arithmetic.md``

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, format: ScaleFormat):
        self.format = format
        self.align = format.mantissa_width - format.gamma_width
        # The first step takes twice the remainder that it starts from, which must be whole.
        self.spare = int(self.align == 0)
        self.remainder_width = format.mantissa_width + self.spare + 2
        # A step for gamma, one for each digit, and one in which the last digit is put to the others.
        self.steps = format.gamma_width + format.scale_width + 3
        # A cycle in which the addend is chosen, before those of the sum.
        self.cycles = max(3, settling_cycles(self.remainder_width) + 2)
        self.latency = self.steps * self.cycles + 1
        self.interval = self.latency + 1
        super().__init__(
            {
                "i": inlet(
                    data.StructLayout(
                        {
                            "gamma": signed(format.gamma_width),
                            "r_mantissa": format.mantissa_width,
                            "r_exponent": format.r_exponent_shape,
                        }
                    )
                ),
                "o": outlet(
                    data.StructLayout(
                        {"scale": format.scale_width, "shift": format.shift_shape, "negative": 1}
                    )
                ),
            }
        )

    @classmethod
    def of_formats(cls, formats: Formats) -> Scale:
        """That of a unit of these formats."""
        return cls(formats.scale)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        run = sequence(m, self.i, self.o, self.steps, self.cycles)
        negative = Signal(reset_less=True)
        starts = Signal(init=1)  # gamma is still to be added to the remainder
        known = Signal()  # the remainder's sign tells a digit
        with m.If(run.load):
            m.d.sync += [starts.eq(1), known.eq(0), negative.eq(self.i.payload.gamma < 0)]
        with m.Elif(run.step):
            m.d.sync += [starts.eq(0), known.eq(~starts)]

        digit = ~self._divide(m, run, starts, negative)[-1]
        # The digits that k needs are taken a cycle after the step that follows them has begun: a step goes on for
        # several cycles while its sum settles, and its sign is used where nothing waits for it.
        wanted = Signal(reset_less=True)
        take = Signal()
        m.d.sync += take.eq(run.begin & known & wanted)
        quotient, above = self._collect(m, run, take, digit)
        place, finest = self._place(m, run, take)
        m.d.sync += wanted.eq(~quotient[-1] & (place < finest))

        overflow, bits = above[-1], self.format.scale_width
        m.d.comb += [
            self.o.payload.scale.eq(above[1 : bits + 1] | (overflow << (bits - 1))),
            self.o.payload.negative.eq(negative),
            self.o.payload.shift.eq(self._shift(m, run, take & digit, place, overflow)),
        ]
        return m

    def _divide(self, m: Module, run: Sequence, starts: Value, negative: Value) -> Signal:
        """The remainder: the divisor is subtracted while it is not negative, else added.

        A division that does not restore: each step is one sum, whichever digit it finds, so the multiplexer of a
        restored remainder and its delay are saved. |gamma| is found by the same sum: gamma is subtracted from 0 where
        it is negative.
        """
        gamma = Signal(signed(self.format.gamma_width), reset_less=True)
        divisor = Signal(self.format.mantissa_width, reset_less=True)
        remainder = Signal(signed(self.remainder_width), reset_less=True)
        addend = Signal(signed(self.remainder_width), reset_less=True)
        carry = Signal(reset_less=True)
        with m.If(run.load):
            m.d.sync += [gamma.eq(self.i.payload.gamma), divisor.eq(self.i.payload.r_mantissa)]
        chosen = Signal(signed(self.remainder_width))
        subtract = Signal()
        m.d.comb += [
            chosen.eq(
                Mux(starts, gamma.shift_left(self.align + self.spare - 1), divisor.shift_left(self.spare))
            ),
            subtract.eq(Mux(starts, negative, ~remainder[-1])),
        ]
        with m.If(run.begin):
            m.d.sync += [addend.eq(chosen ^ subtract.replicate(self.remainder_width)), carry.eq(subtract)]
        total = settling_sum(m, remainder, addend, self.remainder_width, carry=carry)
        with m.If(run.move):
            m.d.sync += remainder.eq(Mux(run.load, 0, total << 1))
        return remainder

    def _collect(self, m: Module, run: Sequence, take: Value, digit: Value) -> tuple[Signal, Signal]:
        """The quotient, and the quotient plus 1.

        k is rounded half up, so it is either. To carry both along costs a register; to add 1 in the end would take a
        carry chain over all bits and a step of its own (on-the-fly conversion: Ercegovac and Lang, IEEE Trans.
        Comput. 1987).
        """
        bits = self.format.scale_width + 1
        quotient = Signal(bits, reset_less=True)
        above = Signal(bits + 1, reset_less=True)
        with m.If(run.load):
            m.d.sync += [quotient.eq(0), above.eq(1)]
        with m.Elif(take):
            m.d.sync += [
                quotient.eq(Cat(digit, quotient)),
                above.eq(Cat(~digit, Mux(digit, above, quotient))),
            ]
        return quotient, above

    @property
    def _place_offset(self) -> int:
        """What the first digit is worth, with r_exponent = 0, as a power of 1/2."""
        return self.align - self.format.exponent - 1

    def _place(self, m: Module, run: Sequence, take: Value) -> tuple[Signal, int]:
        """What the quotient's last place is worth, less a constant, and the smallest that k can need."""
        exponents = self.format.r_exponents
        finest = self.format.shift_max - self._place_offset
        place = Signal(range(~exponents[-1], max(finest, ~exponents[0], 0) + 1), reset_less=True)
        following = Signal.like(place)  # digits are more than a cycle apart
        m.d.sync += following.eq(place + 1)
        with m.If(run.load):
            m.d.sync += place.eq(~self.i.payload.r_exponent)
        with m.Elif(take):
            m.d.sync += place.eq(following)
        return place, finest

    def _shift(self, m: Module, run: Sequence, nonzero: Value, place: Signal, overflow: Value) -> Value:
        """The shift as the affine operator takes it; one less where the rounding carries to a power of two."""
        format = self.format
        least, most = format.shift_range[0], format.shift_range[-1]
        some = Signal(reset_less=True)  # k is not 0
        with m.If(run.load):
            m.d.sync += some.eq(0)
        with m.Elif(nonzero):
            m.d.sync += some.eq(1)
        fixed = self._place_offset + format.scale_fraction - 2

        def shifted(less: int) -> Value:
            # One more place of the same carry chain takes the carry in.
            constant = Const(fixed - less, signed(len(place) + 2))
            return (Cat(Const(1, 1), place).as_signed() + Cat(~overflow, constant).as_signed()) >> 1

        shift = Signal(signed(len(place) + 2), reset_less=True)
        clamped = Signal(reset_less=True)
        m.d.sync += [shift.eq(shifted(0)), clamped.eq(shifted(least) < 0)]
        return Mux(some, Mux(clamped, least, shift), most)


@computes("l1bn_golden.channel.bias")
class Offset(wiring.Component):
    """What the affine operator subtracts, floor(k * mean * 2^F / 2^G), one bit of k a cycle.

    The operator computes x*k*2^F - offset - 1. For a gamma that is not negative the product is taken less 1
    before it is floored, which makes that the floor of the difference. For a negative one the operator
    complements its result, and floor(-a) = ~(ceil(a) - 1).

    Parameters
    ----------
    format : of the scale

    Members
    -------
    i : ``{mean, scale, negative}``
    o : the offset, signed, ``offset_width`` bits

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, format: ScaleFormat):
        self.format = format
        mean = signed(format.mean_width)
        self.multiplier = SequentialMultiplier(mean, format.scale_width, signed(1))
        self.latency, self.interval = self.multiplier.latency, self.multiplier.interval
        operands = {"mean": mean, "scale": format.scale_width, "negative": 1}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(signed(format.offset_width))})

    @classmethod
    def of_formats(cls, formats: Formats) -> Offset:
        """That of a unit of these formats."""
        return cls(formats.scale)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        positive = Signal(reset_less=True)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += positive.eq(~self.i.payload.negative)
        product = multiplier.o.payload  # k * mean, less 1 where gamma is not negative
        raised = self.format.scale_fraction - self.format.mean_fraction
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
