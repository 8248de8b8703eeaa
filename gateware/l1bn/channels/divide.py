"""Division by a constant: multiply and shift, proven for every dividend when it is generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Cat, Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring

from ..errors import ConfigurationError, require_whole
from ..logic.constant import Adder, Reciprocal, product, trailing_zeros
from ..logic.operator import computes
from ..logic.table import lookup
from ..numbers.formats import clog2, odd_part
from ..streams.layouts import copied, inlet, outlet, select_field, selected
from .multiply import SequentialMultiplier

__all__ = ["DivideByConstant", "DivideByCount", "Division", "Undivided"]


@dataclass(frozen=True)
class Division:
    """``round(a * 2**fraction / count) == (a * multiplier + offset) >> shift`` for every signed a of
    ``width`` bits.

    A negative ``shift`` is a shift to the left. Rounding is half up.

    Why it is exact: the left side is floor(A / d) of an integer A = a * 2^j + v and d, the odd part of the
    count or a multiple of it by a power of two. With M = ceil(2^s / d) and e = M * d - 2^s,

        (A * M + C) / 2^s = A / d + (A * e / d + C) / 2^s

    and A / d is at most 1 - 1/d above its floor. So the floor is right if the second term is at least 0 for
    the smallest A and less than 1/d for the largest one; it is linear in A, so it then is so for all
    between them.
    """

    width: int
    fraction: int
    count: int
    multiplier: int
    offset: int
    shift: int

    @classmethod
    def derive(cls, width: int, fraction: int, count: int) -> Division:
        """The constants with the smallest shift that can be proven."""
        odd, p = odd_part(count)
        if fraction >= p:
            divisor, j, v = odd, fraction - p, odd // 2
        else:
            divisor, j, v = odd << (p - fraction), 0, count >> (fraction + 1)
        low, high = (-(1 << (width - 1)) << j) + v, (((1 << (width - 1)) - 1) << j) + v
        for s in range(max(width + j, clog2(divisor)) + clog2(divisor) + 3):
            multiplier = -(-(1 << s) // divisor)
            error = multiplier * divisor - (1 << s)
            correction = max(0, -(low * error // divisor))
            if high * error + correction * divisor < 1 << s and low * error + correction * divisor >= 0:
                # The low j bits of A * M come from the offset alone: both sides can be shifted by them.
                offset = v * multiplier + correction
                drop = min(j, s)
                return cls(width, fraction, count, multiplier << (j - drop), offset >> drop, s - drop)
        raise AssertionError(f"no constants for width={width}, fraction={fraction}, count={count}")

    @property
    def quotient_width(self) -> int:
        """Signed bits of the quotient."""
        # The largest dividend counts, too: it may be rounded up to a power of two.
        ends = (self.apply(-(1 << (self.width - 1))), self.apply((1 << (self.width - 1)) - 1))
        return max((~end if end < 0 else end).bit_length() for end in ends) + 1

    def apply(self, dividend: int) -> int:
        """The quotient as the hardware computes it."""
        return (dividend * self.multiplier + self.offset) >> self.shift


@dataclass(frozen=True)
class Divisions:
    """Divisions of the same dividend by several counts, with one shift for all: the constants of the others move up."""

    each: list[Division]

    @classmethod
    def derive(cls, width: int, fraction: int, counts: Sequence[int]) -> Divisions:
        """Those of a signed dividend of ``width`` bits."""
        return cls([Division.derive(width, fraction, count) for count in counts])

    @property
    def shift(self) -> int:
        return max(division.shift for division in self.each)

    @property
    def multipliers(self) -> list[int]:
        return [division.multiplier << lift for division, lift in self._lifts()]

    @property
    def offsets(self) -> list[int]:
        return [division.offset << lift for division, lift in self._lifts()]

    def _lifts(self) -> list[tuple[Division, int]]:
        shift = self.shift
        return [(division, shift - division.shift) for division in self.each]

    @property
    def factor(self) -> Shape:
        """What holds any of the constants."""
        return unsigned(max(*(value.bit_length() for value in self.multipliers + self.offsets), 1))


def check_division(width: int, fraction: int, counts: Sequence[int]) -> None:
    """Raise :exc:`ConfigurationError` for what no divider is built for."""
    require_whole("width", width, 2, 128)
    require_whole("fraction", fraction, 0, 128)
    if not counts:
        raise ConfigurationError("counts", tuple(counts), "one or more whole numbers")
    for count in counts:
        require_whole("count", count, 1, 1 << 20)


@computes("l1bn_golden.channel.divide_by_count")
class DivideByConstant(wiring.Component):
    """``round(i * 2**fraction / count)``, half up, exact for every dividend, one a cycle.

    The product with the reciprocal is a tree of few adders with a register after each, some of which use one sum twice.
    The last one leaves out what does not decide. A power of two needs no adder but the rounding's.

    Parameters
    ----------
    width : bits of the signed dividend, 2 to 128
    fraction : fraction bits of the quotient
    count : the divisor, 2 to 2**20

    Members
    -------
    i : dividends
    o : quotients, signed, as many bits as they need

    Latency: ``latency``. ``ready`` passes through combinationally, as in a register.
    """

    interval = 1

    def __init__(self, width: int, fraction: int, count: int):
        check_division(width, fraction, [count])
        self.reciprocal = Reciprocal.derive(width, fraction, count)
        last = self.reciprocal.last
        self.depth = last.depth if last else 0
        self.latency = max(1, self.depth + (self.reciprocal.offset != 0))
        super().__init__({"i": inlet(signed(width)), "o": outlet(signed(self.reciprocal.quotient_width))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        reciprocal, width = self.reciprocal, len(self.i.payload)
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)

        def register(value: Value) -> Signal:
            held = Signal(value.shape(), name="term", reset_less=True)
            with m.If(advance):
                m.d.sync += held.eq(value)
            return held

        @cache
        def times(constant: int, stage: int) -> Value:
            """The product with a constant, behind so many registers."""
            if stage == 0:
                return self.i.payload
            adder = product(constant, width)
            if adder is None or adder.depth < stage:
                return register(times(constant, stage - 1))
            return register(added(adder, 0))

        def added(adder: Adder, dropped: int) -> Value:
            """The sum of an adder, its operands without their lowest bits."""
            high, low = times(adder.high, adder.depth - 1), times(adder.low, adder.depth - 1) >> dropped
            shift = adder.shift - dropped
            if shift < 0:
                high, shift = high >> -shift, 0
            if adder.sign < 0:
                return high.shift_left(shift) - low
            # The bits of the low operand below the high one pass by the adder.
            return Cat(low[:shift], high + (low >> shift)).as_signed()

        total = (
            added(reciprocal.last, reciprocal.dropped)
            if reciprocal.last
            else self.i.payload >> reciprocal.dropped
        )
        if reciprocal.offset:
            if self.depth:
                total = register(total)
            zeros = min(reciprocal.shift, trailing_zeros(reciprocal.offset))
            total = (total >> zeros) + (reciprocal.offset >> zeros)
            shift = reciprocal.shift - zeros
        else:
            shift = reciprocal.shift
        quotient = register(total >> shift if shift >= 0 else total.shift_left(-shift))
        m.d.comb += self.o.payload.eq(quotient)

        valid: Value = self.i.valid
        for stage in range(self.latency):
            stage_valid = self.o.valid if stage == self.latency - 1 else Signal(name="valid")
            with m.If(advance):
                m.d.sync += stage_valid.eq(valid)
            valid = stage_valid
        return m


class Undivided(wiring.Component):
    """Stands where others divide by a count: the quotient is the dividend, in the same cycle.

    Parameters
    ----------
    width : bits of the signed dividend
    select_width : bits of the index that goes along with it

    Members
    -------
    i, o : as of :class:`DivideByCount`
    """

    latency, interval = 0, 1

    def __init__(self, width: int, select_width: int):
        require_whole("width", width, 1, 128)
        tag = select_field(select_width)
        super().__init__(
            {
                "i": inlet(data.StructLayout({"dividend": signed(width), **tag})),
                "o": outlet(data.StructLayout({"quotient": signed(width), **tag})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
            self.o.payload.quotient.eq(self.i.payload.dividend),
            *copied(self.i.payload, self.o.payload),
        ]
        return m


@computes("l1bn_golden.channel.divide_by_count")
class DivideByCount(wiring.Component):
    """``round(dividend * 2**fraction / counts[select])``, half up, exact, one dividend at a time.

    The multiplier and the offset of the selected count come from a table; the dividend's bits are the steps
    of a sequential multiply-add.

    Parameters
    ----------
    width : bits of the signed dividend, 2 to 128
    fraction : fraction bits of the quotient
    counts : the divisors, 2 to 2**20 each

    Members
    -------
    i : ``{dividend, select}``; ``select`` is the index of the count and absent where there is only one
    o : ``{quotient, select}``, the quotient signed and as many bits as any of them needs

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, width: int, fraction: int, counts: Sequence[int]):
        check_division(width, fraction, counts)
        constants = Divisions.derive(width, fraction, counts)
        self.divisions, self.shift = constants.each, constants.shift
        self.multipliers, self.offsets = constants.multipliers, constants.offsets
        self.multiplier = SequentialMultiplier(constants.factor, signed(width), constants.factor)
        self.latency, self.interval = self.multiplier.latency, self.multiplier.interval
        self.select_width = clog2(len(counts))
        quotient = signed(max(division.quotient_width for division in self.divisions))
        tag = select_field(self.select_width)
        super().__init__(
            {
                "i": inlet(data.StructLayout({"dividend": signed(width), **tag})),
                "o": outlet(data.StructLayout({"quotient": quotient, **tag})),
            }
        )

    @staticmethod
    def latency_of(width: int, fraction: int, counts: Sequence[int]) -> int:
        """Of a division with these arguments, without one."""
        return SequentialMultiplier.latency_of(Divisions.derive(width, fraction, counts).factor, signed(width))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        select = selected(self.i.payload)
        m.d.comb += [
            multiplier.i.valid.eq(self.i.valid),
            self.i.ready.eq(multiplier.i.ready),
            multiplier.i.payload.a.eq(lookup(self.multipliers, select)),
            multiplier.i.payload.b.eq(self.i.payload.dividend),
            multiplier.i.payload.c.eq(lookup(self.offsets, select)),
            self.o.valid.eq(multiplier.o.valid),
            multiplier.o.ready.eq(self.o.ready),
        ]
        if self.shift >= 0:
            m.d.comb += self.o.payload.quotient.eq(multiplier.o.payload >> self.shift)
        else:
            m.d.comb += self.o.payload.quotient.eq(multiplier.o.payload << -self.shift)
        if self.select_width:
            held = Signal(self.select_width, reset_less=True)
            with m.If(self.i.valid & self.i.ready):
                m.d.sync += held.eq(select)
            m.d.comb += self.o.payload.select.eq(held)
        return m
