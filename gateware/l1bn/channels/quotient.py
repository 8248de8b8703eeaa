"""Division of unsigned integers, quotient and remainder, in two forms behind one contract.

The bits of the dividend to come and the digits found share a register, which moves up.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from ..errors import ConfigurationError
from ..logic.digit_control import digits
from ..logic.operator import computes
from ..logic.subtract import difference
from ..streams.layouts import inlet, outlet

__all__ = ["IterativeDivider", "PipelinedDivider"]


class Divider(wiring.Component):
    """What both forms have in common.

    Parameters
    ----------
    dividend_width, divisor_width : bits of the operands, 2 to 128
    quotient_width : bits of the quotient, by default all that it can have; the bits of the dividend beyond them must
        not be more than the divisor has

    Members
    -------
    i : ``{dividend, divisor}``, unsigned
    o : ``{quotient, remainder, overflow}``: ``dividend == quotient * divisor + remainder``, the remainder less than the
        divisor. Where the quotient needs more bits than it has, or the divisor is 0, ``overflow`` is 1 and the others
        mean nothing.
    """

    def __init__(self, dividend_width: int, divisor_width: int, quotient_width: int | None = None):
        for name, width in (("dividend_width", dividend_width), ("divisor_width", divisor_width)):
            if not 2 <= width <= 128:
                raise ConfigurationError(name, width, "2 to 128")
        self.quotient_width = dividend_width if quotient_width is None else quotient_width
        least = max(1, dividend_width - divisor_width)
        if not least <= self.quotient_width <= dividend_width:
            raise ConfigurationError("quotient_width", quotient_width, f"{least} to {dividend_width}")
        self.dividend_width, self.divisor_width = dividend_width, divisor_width
        operands = data.StructLayout({"dividend": dividend_width, "divisor": divisor_width})
        results = {"quotient": self.quotient_width, "remainder": divisor_width, "overflow": 1}
        super().__init__({"i": inlet(operands), "o": outlet(data.StructLayout(results))})

    def start(self) -> tuple[Value, Value, Value]:
        """The bits of the dividend that are the first remainder, the others, and whether the quotient overflows."""
        dividend, divisor = self.i.payload.dividend, self.i.payload.divisor
        remainder = dividend[self.quotient_width :]
        overflow = remainder >= divisor if len(remainder) else divisor == 0
        return remainder, dividend[: self.quotient_width], overflow


@computes("builtins.divmod")
class IterativeDivider(Divider):
    """Quotient and remainder, a digit a cycle, one result at a time.

    It restores: the divisor is subtracted from the remainder and the next bit of the dividend, and the difference is
    kept where it is not negative.

    Parameters
    ----------
    dividend_width, divisor_width, quotient_width : as of :class:`Divider`
    complement : whether the register of the divisor holds its complement, which saves an inverter a bit in front of
        carry chains that can but add, as those of iCE40
    ahead : how many of the highest bits of the difference are found for both borrows into them at once, 0 to
        ``divisor_width - 1``. It shortens the carry chain, and so the clock period, by as many bits.

    Members: as :class:`Divider`.

    Latency: ``latency``, bits of the quotient and 1. One result in ``interval`` cycles, as many. ``i.ready`` follows
    ``o.ready`` combinationally.
    """

    def __init__(
        self,
        dividend_width: int,
        divisor_width: int,
        quotient_width: int | None = None,
        complement: bool = False,
        ahead: int = 0,
    ):
        super().__init__(dividend_width, divisor_width, quotient_width)
        if not 0 <= ahead < divisor_width:
            raise ConfigurationError("ahead", ahead, f"0 to {divisor_width - 1}")
        self.complement, self.ahead = complement, ahead
        self.latency = self.interval = self.quotient_width + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        remainder = Signal(self.divisor_width, reset_less=True)
        divisor = Signal(self.divisor_width, reset_less=True)
        bits = Signal(self.quotient_width, reset_less=True)
        overflow = Signal(reset_less=True)
        run = digits(m, self.i, self.o, self.quotient_width)
        high, low, overflows = self.start()
        first_divisor = self.i.payload.divisor
        if self.complement:
            first_divisor, subtrahend = ~first_divisor, ~divisor
        else:
            subtrahend = divisor
        fits, rest = self.digit(m, Cat(bits[-1], remainder), subtrahend)
        with m.If(~run.busy):
            m.d.sync += divisor.eq(first_divisor)
        with m.If(run.free):
            with m.If(run.busy):
                m.d.sync += [remainder.eq(rest), bits.eq(Cat(fits, bits[:-1]))]
            with m.Else():
                m.d.sync += [remainder.eq(high), bits.eq(low), overflow.eq(overflows)]
        m.d.comb += [
            self.o.payload.quotient.eq(bits),
            self.o.payload.remainder.eq(remainder),
            self.o.payload.overflow.eq(overflow),
        ]
        return m

    def digit(self, m: Module, extended: Value, divisor: Value) -> tuple[Value, Value]:
        """Whether the divisor fits into the remainder with its next bit, and what then remains."""
        cut = self.divisor_width - self.ahead
        lower, upper = extended[:cut], extended[cut:]
        below = Signal(cut + 1)
        m.d.comb += below.eq(difference(lower, divisor[:cut], 0))

        def above(borrow: int) -> tuple[Value, Value]:
            """Whether the divisor fits, and the upper bits then, where the lower ones borrow so much."""
            trial = Signal(len(upper) + 1, name="trial")
            m.d.comb += trial.eq(difference(upper, Cat(divisor[cut:], Const(0, 1)), borrow))
            fits = ~trial[-1]
            return fits, Mux(fits, trial[: self.ahead], upper[: self.ahead])

        (fits_alone, alone), (fits_lending, lending) = above(0), above(1)
        borrows = below[-1]
        fits = Mux(borrows, fits_lending, fits_alone)
        return fits, Cat(Mux(fits, below[:cut], lower), Mux(borrows, lending, alone))


@computes("builtins.divmod")
class PipelinedDivider(Divider):
    """Quotient and remainder, one of each a cycle.

    It does not restore. The registers hold rest = -r - 1 of the remainder r, whose sign *is* the digit, and

        rest' = 2 rest + ~bit + divisor  where the digit is 1,  else  2 rest + ~bit - divisor

    so nothing is behind a carry chain but registers. The last remainder lacks the divisor where the last digit is 0;
    that is added at the end.

    Parameters
    ----------
    dividend_width, divisor_width, quotient_width : as of :class:`Divider`
    stages : of a digit, 1 or 2. With two, the addend gets a register of its own, which makes the clock faster and
        about doubles the flip-flops.

    Members: as :class:`Divider`.

    Latency: ``latency``, ``stages`` times the bits of the quotient, and 1. ``ready`` passes through combinationally, as
    in a register.
    """

    interval = 1

    def __init__(
        self, dividend_width: int, divisor_width: int, quotient_width: int | None = None, stages: int = 1
    ):
        super().__init__(dividend_width, divisor_width, quotient_width)
        if stages not in (1, 2):
            raise ConfigurationError("stages", stages, "1, 2")
        self.stages = stages
        self.latency = self.quotient_width * stages + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        valid: Value = self.i.valid

        def stage(**values: Value) -> list[Value]:
            """A register for everything that later stages need."""
            nonlocal valid
            held = [Signal(len(value), name=name, reset_less=True) for name, value in values.items()]
            later = Signal(name="valid")
            with m.If(advance):
                m.d.sync += [signal.eq(value) for signal, value in zip(held, values.values(), strict=True)]
                m.d.sync += later.eq(valid)
            valid = later
            return list(held)

        def addend_stage(rest: Value, bits: Value, addend: Value, overflow: Value) -> list[Value]:
            if self.stages == 1:
                return [rest, bits, addend, overflow]
            return stage(rest=rest, bits=bits, addend=addend, overflow=overflow)

        # ``addend`` is the divisor, complemented where the digit that it was last made for is 0; the lowest of ``bits``
        # is that digit.
        width = self.divisor_width
        high, low, overflow = self.start()
        rest: Value = ~Cat(high, Const(0, width + 1 - len(high)))
        bits: Value = ~low
        addend: Value = self.i.payload.divisor
        for index in range(self.quotient_width):
            digit = rest[-1]
            if index:
                turned = addend ^ (digit ^ bits[0]).replicate(width)
                rest, bits, addend, overflow = addend_stage(rest, bits, turned, overflow)
                digit = rest[-1]
            # The 1 that a complement needs beside it enters as one more place of the carry chain.
            total = Signal(width + 2, name="total")
            m.d.comb += total.eq(Cat(~digit, bits[-1], rest[:-1]) + Cat(~digit, addend, ~digit))
            shifted = Cat(digit, bits[:-1])
            rest, bits, addend, overflow = stage(
                rest=total[1:], bits=shifted, addend=addend, overflow=overflow
            )
        digit = rest[-1]
        lacking = (addend ^ ~bits[0].replicate(width)) & ~digit.replicate(width)
        bits = Cat(digit, bits[:-1])
        remainder, bits, lacking, overflow = addend_stage(~rest[:-1], bits, lacking, overflow)
        remainder, quotient, overflow = stage(
            remainder=(remainder + lacking)[:width], quotient=bits, overflow=overflow
        )
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.quotient.eq(quotient),
            self.o.payload.remainder.eq(remainder),
            self.o.payload.overflow.eq(overflow),
        ]
        return m
