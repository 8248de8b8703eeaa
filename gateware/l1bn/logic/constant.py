"""Products with a constant out of few adders, and the constant that divides with the fewest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

from ..numbers.formats import odd_part

__all__ = ["Adder", "Reciprocal", "product", "signed_digits", "trailing_zeros"]

CANDIDATES = 4
"""Shifts that are tried beyond the smallest one; multipliers come from all of them."""
MULTIPLIERS = 16
"""Most multipliers that are compared."""
SPLITS = 8
"""Most digits of a constant that is split at every place; longer ones are split in the middle."""
OVERHEAD = 4
"""Cells that a carry chain costs beyond its bits."""


@dataclass(frozen=True)
class Adder:
    """``constant = (high << shift) + sign * low`` of odd positive constants.

    ``cost`` counts the bits of all adders up to here, ``depth`` the adders on the longest path.
    """

    constant: int
    high: int
    shift: int
    sign: int
    low: int
    cost: int
    depth: int


def signed_digits(value: int) -> list[tuple[int, int]]:
    """Canonical signed digits of a positive number as ``(sign, exponent)``: the fewest that are not 0."""
    digits = []
    exponent = 0
    while value:
        if value & 1:
            sign = 2 - (value & 3)  # +1 before a 0 bit, -1 in a run of ones
            digits.append((sign, exponent))
            value -= sign
        value >>= 1
        exponent += 1
    return digits


@cache
def product(constant: int, width: int) -> Adder | None:
    """The last adder of the product of an odd positive constant and a number of ``width`` bits; None for 1.

    A constant is ``2**shift +- 1`` times a smaller one, which then is needed once, or its signed digits are split in
    two.
    """
    best: Adder | None = None

    def consider(high: int, shift: int, sign: int, low: int) -> None:
        nonlocal best
        parts = [part for part in (product(factor, width) for factor in {high, low}) if part]
        # The bits of a positive low part below the high one pass by the adder.
        bits = width + constant.bit_length() - (shift if sign > 0 else 0)
        cost = sum(part.cost for part in parts) + bits + OVERHEAD
        depth = max((part.depth for part in parts), default=0) + 1
        if best is None or (cost, depth) < (best.cost, best.depth):
            best = Adder(constant, high, shift, sign, low, cost, depth)

    for shift in range(1, constant.bit_length()):
        for sign in (1, -1):
            factor, rest = divmod(constant, (1 << shift) + sign)
            if not rest and factor < constant:
                consider(factor, shift, sign, factor)
    digits = signed_digits(constant)
    for place in range(1, len(digits)) if len(digits) <= SPLITS else [len(digits) // 2]:
        low = sum(sign << exponent for sign, exponent in digits[:place])
        shift = digits[place][1]
        consider((constant - low) >> shift, shift, 1 if low > 0 else -1, abs(low))
    return best


@dataclass(frozen=True)
class Reciprocal:
    """``round(a * 2**fraction / count) == (total + offset) >> shift`` for every signed a of ``width`` bits, half up.

    ``total`` is ``a * multiplier`` without its lowest ``dropped`` bits. A negative ``shift`` is one to the left.

    The last adder leaves these bits out of both its operands: it is off by e, which is between the two numbers of
    :attr:`errors`, in units of the product.

    Why it is exact: the left side is floor(N / d) of an integer N = a * 2^m + v. With M the multiplier, t the dropped
    bits, C the offset and 2^s = 2^(shift + t + m)

        (a M - e + C 2^t) / 2^(shift + t) = N / d + (a (M d - 2^s) 2^m - d e 2^m + C d 2^(t + m) - v 2^s) / (d 2^s)

    and N / d is at most 1 - 1/d above its floor. So the floor is right if the second term is at least 0 and less than
    1/d. It is linear in a and in e: their ends decide.
    """

    width: int
    fraction: int
    count: int
    multiplier: int
    shift: int
    dropped: int = 0
    offset: int = 0

    @cached_property
    def quotient(self) -> tuple[int, int, int]:
        """m, v and d: round(a 2^f / n) is floor((2 a 2^f + n) / 2n), and the numerators are n modulo the step g."""
        step = 2 << min(self.fraction, odd_part(self.count)[1])
        return ((2 << self.fraction) // step).bit_length() - 1, self.count // step, 2 * self.count // step

    @cached_property
    def last(self) -> Adder | None:
        """The adder whose sum is the product."""
        return product(self.multiplier, self.width)

    @property
    def errors(self) -> tuple[int, int]:
        """The smallest and the largest e: of each operand its floor is taken, and the high one has zeros below."""
        step = 1 << self.dropped
        if self.last is None:
            return 0, step - 1
        of_high, of_low = max(0, step - (1 << self.last.shift)), step - 1
        return (0, of_high + of_low) if self.last.sign > 0 else (-of_low, of_high)

    @property
    def offsets(self) -> range:
        """Every offset with which all quotients are right."""
        m, v, d = self.quotient
        s = self.shift + self.dropped + m
        ends = [
            a * (self.multiplier * d - (1 << s) << m) - (d * e << m) - (v << s)
            for a in (-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
            for e in self.errors
        ]
        unit = d << (self.dropped + m)
        return range(-(min(ends) // unit), -((max(ends) - (1 << s)) // unit))

    @property
    def bits(self) -> int:
        """Bits of the carry chains that depend on what is dropped, up to a constant."""
        return -self.dropped + (
            self.quotient_width + self.shift - trailing_zeros(self.offset) if self.offset else 0
        )

    @property
    def quotient_width(self) -> int:
        """Signed bits of the quotient."""
        # The largest dividend counts, too: it may be rounded up to a power of two.
        ends = (self.apply(-(1 << (self.width - 1))), self.apply((1 << (self.width - 1)) - 1))
        return max((~end if end < 0 else end).bit_length() for end in ends) + 1

    def apply(self, dividend: int) -> int:
        """The quotient as the hardware computes it."""
        if self.last is None:
            total = dividend >> self.dropped
        else:
            high, low = dividend * self.last.high << self.last.shift, dividend * self.last.low
            total = (high >> self.dropped) + self.last.sign * (low >> self.dropped)
        total += self.offset
        return total >> self.shift if self.shift >= 0 else total << -self.shift

    @classmethod
    @cache
    def derive(cls, width: int, fraction: int, count: int) -> Reciprocal:
        """The constants with the cheapest adders.

        That is the multiplier of the cheapest product among those of the smallest shifts that can be proven, then as
        few bits of the last adder and of the offset's as still can.
        """
        found: list[Reciprocal] = []
        m, _, d = cls(width, fraction, count, 1, 0).quotient
        s = 0
        while not found or s <= found[0].shift + m + CANDIDATES:
            nearest = (1 << s) // d
            reach = (nearest >> (width + m - 1)) + 1  # a larger distance is too much for the largest dividend
            for multiplier in range(nearest - reach, nearest + reach + 2):
                exact = cls(width, fraction, count, multiplier, s - m)
                if multiplier > 0 and multiplier % 2 and exact.offsets:
                    found.append(exact)
            s += 1
        best = min(found[:MULTIPLIERS], key=lambda choice: choice.last.cost if choice.last else 0)
        shortened = []
        for dropped in range(max(best.shift, 0) + 1):
            rough = replace(best, shift=best.shift - dropped, dropped=dropped)
            if rough.offsets:
                shortened.append(replace(rough, offset=roundest(rough.offsets)))
        return min(shortened, key=lambda choice: choice.bits)


def trailing_zeros(value: int) -> int:
    """Zeros at the end of an integer that is not 0."""
    return (value & -value).bit_length() - 1


def roundest(values: range) -> int:
    """The one of consecutive integers with the most zeros at its end; 0 has more than any other."""
    if 0 in values:
        return 0
    zeros = 0
    while -(-values.start >> zeros + 1) << zeros + 1 in values:
        zeros += 1
    return -(-values.start >> zeros) << zeros
