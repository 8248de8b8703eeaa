"""Division of unsigned integers, quotient and remainder, in two forms behind one contract.

Both restore: the divisor is subtracted from the remainder and the next bit of the dividend, and the difference is kept
where it is not negative. The bits of the dividend to come and the digits found share a register, which moves up.
"""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from ..config import ConfigurationError
from ..layouts import inlet, outlet
from .digits import digits

__all__ = ["IterativeDivider", "PipelinedDivider"]


class Divider(wiring.Component):
    """What both forms have in common.

    Parameters
    ----------
    dividend_width, divisor_width : bits of the operands, 2 to 128
    quotient_width : bits of the quotient, by default all that it can have; the bits of the dividend beyond them must
        not be more than the divisor has
    complement : whether the register of the divisor holds its complement, which saves an inverter a bit in front of
        carry chains that can but add, as those of iCE40

    Members
    -------
    i : ``{dividend, divisor}``, unsigned
    o : ``{quotient, remainder, overflow}``: ``dividend == quotient * divisor + remainder``, the remainder less than the
        divisor. Where the quotient needs more bits than it has, or the divisor is 0, ``overflow`` is 1 and the others
        mean nothing.
    """

    def __init__(
        self,
        dividend_width: int,
        divisor_width: int,
        quotient_width: int | None = None,
        complement: bool = False,
    ):
        for name, width in (("dividend_width", dividend_width), ("divisor_width", divisor_width)):
            if not 2 <= width <= 128:
                raise ConfigurationError(name, width, "2 to 128")
        self.quotient_width = dividend_width if quotient_width is None else quotient_width
        least = max(1, dividend_width - divisor_width)
        if not least <= self.quotient_width <= dividend_width:
            raise ConfigurationError("quotient_width", quotient_width, f"{least} to {dividend_width}")
        self.dividend_width, self.divisor_width, self.complement = dividend_width, divisor_width, complement
        operands = data.StructLayout({"dividend": dividend_width, "divisor": divisor_width})
        results = {"quotient": self.quotient_width, "remainder": divisor_width, "overflow": 1}
        super().__init__({"i": inlet(operands), "o": outlet(data.StructLayout(results))})

    def start(self) -> tuple[Value, Value, Value, Value]:
        """The remainder and the bits to start with, what the divisor's register has to hold, and whether the quotient
        overflows.
        """
        dividend, divisor = self.i.payload.dividend, self.i.payload.divisor
        remainder = dividend[self.quotient_width :]
        overflow = remainder >= divisor if len(remainder) else divisor == 0
        return remainder, dividend[: self.quotient_width], ~divisor if self.complement else divisor, overflow

    def digit(self, m: Module, remainder: Value, bits: Value, divisor: Value) -> tuple[Value, Value]:
        """The next remainder, and the bits with the next digit."""
        width = self.divisor_width
        extended = Cat(bits[-1], remainder, Const(0, width - len(remainder)))
        trial = Signal(width + 1, name="trial")
        m.d.comb += trial.eq(extended - (~divisor if self.complement else divisor))
        fits = ~trial[-1]
        return Mux(fits, trial[:width], extended[:width]), Cat(fits, bits[:-1])


class IterativeDivider(Divider):
    """Quotient and remainder, a digit a cycle, one result at a time.

    Parameters and members: as :class:`Divider`.

    Latency: ``latency``, bits of the quotient and 1. One result in ``interval`` cycles, as many. ``i.ready`` follows
    ``o.ready`` combinationally.
    """

    def __init__(
        self,
        dividend_width: int,
        divisor_width: int,
        quotient_width: int | None = None,
        complement: bool = False,
    ):
        super().__init__(dividend_width, divisor_width, quotient_width, complement)
        self.latency = self.interval = self.quotient_width + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        remainder = Signal(self.divisor_width, reset_less=True)
        divisor = Signal(self.divisor_width, reset_less=True)
        bits = Signal(self.quotient_width, reset_less=True)
        overflow = Signal(reset_less=True)
        run = digits(m, self.i, self.o, self.quotient_width)
        next_remainder, next_bits = self.digit(m, remainder, bits, divisor)
        first_remainder, first_bits, first_divisor, overflows = self.start()
        with m.If(~run.busy):
            m.d.sync += divisor.eq(first_divisor)
        with m.If(run.free):
            with m.If(run.busy):
                m.d.sync += [remainder.eq(next_remainder), bits.eq(next_bits)]
            with m.Else():
                m.d.sync += [remainder.eq(first_remainder), bits.eq(first_bits), overflow.eq(overflows)]
        m.d.comb += [
            self.o.payload.quotient.eq(bits),
            self.o.payload.remainder.eq(remainder),
            self.o.payload.overflow.eq(overflow),
        ]
        return m


class PipelinedDivider(Divider):
    """Quotient and remainder, one of each a cycle: a stage for each digit.

    Parameters and members: as :class:`Divider`.

    Latency: ``latency``, bits of the quotient. ``ready`` passes through combinationally, as in a register.
    """

    def __init__(
        self,
        dividend_width: int,
        divisor_width: int,
        quotient_width: int | None = None,
        complement: bool = False,
    ):
        super().__init__(dividend_width, divisor_width, quotient_width, complement)
        self.latency = self.quotient_width

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        remainder, bits, divisor, overflow = self.start()
        valid: Value = self.i.valid
        for index in range(self.latency):
            computed = [*self.digit(m, remainder, bits, divisor), divisor, overflow]
            names = ("remainder", "bits", "divisor", "overflow")
            widths = (self.divisor_width, self.quotient_width, self.divisor_width, 1)
            held = [
                Signal(width, name=name, reset_less=True) for name, width in zip(names, widths, strict=True)
            ]
            later = self.o.valid if index == self.latency - 1 else Signal(name="valid")
            with m.If(advance):
                m.d.sync += [signal.eq(value) for signal, value in zip(held, computed, strict=True)]
                m.d.sync += later.eq(valid)
            remainder, bits, divisor, overflow = held
            valid = later
        m.d.comb += [
            self.o.payload.quotient.eq(bits),
            self.o.payload.remainder.eq(remainder),
            self.o.payload.overflow.eq(overflow),
        ]
        return m
