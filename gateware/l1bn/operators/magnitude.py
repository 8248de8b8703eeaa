"""From the exact integer of a spread to the mantissa of r."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value, unsigned
from amaranth.lib import data, stream, wiring

from ..formats import clog2, odd_part
from ..layouts import inlet, outlet
from .divide import DivideByCount
from .normalize import Normalizer
from .root import IterativeSquareRoot
from .sequence import consult

__all__ = ["Magnitude", "OddDivider", "RootMagnitude"]


class OddDivider(wiring.Component):
    """``round(value * 2**fraction / odd)`` with the odd part of the selected count, one value at a time.

    Parameters
    ----------
    width : bits of the unsigned value
    fraction : fraction bits of the quotient
    counts : samples in a channel, one of them selected

    Members
    -------
    i : ``{value, select}``; held until the result leaves
    o : the quotient, unsigned, ``width + fraction`` bits

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, width: int, fraction: int, counts: Sequence[int]):
        self.divide = DivideByCount(width + 1, fraction, [odd_part(count)[0] for count in counts])
        self.latency, self.interval = self.divide.latency, self.divide.interval
        operands = {"value": width, "select": unsigned(clog2(len(counts)))}
        super().__init__({"i": inlet(data.StructLayout(operands)), "o": outlet(unsigned(width + fraction))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.divide = divide = self.divide
        consult(m, self.i, divide.i, divide.o, self.o)
        m.d.comb += [
            divide.i.payload.dividend.eq(self.i.payload.value),
            self.o.payload.eq(divide.o.payload.quotient),
        ]
        if divide.select_width:
            m.d.comb += divide.i.payload.select.eq(self.i.payload.select)
        return m


class Magnitude(wiring.Component):
    """The leading bits of an unsigned integer, and how many zeros were before them.

    Parameters
    ----------
    width : bits of the integer
    mantissa_width : bits to keep; the rest is floored away

    Members
    -------
    i : the integer, not 0; held until the result leaves
    o : ``{mantissa, zeros}``; the mantissa's top bit is 1

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    def __init__(self, width: int, mantissa_width: int):
        self.mantissa_width = mantissa_width
        self.normalizer = Normalizer(width)
        self.latency, self.interval = self.normalizer.latency, self.normalizer.interval
        result = {"mantissa": mantissa_width, "zeros": self.normalizer.o.payload.zeros.shape()}
        super().__init__({"i": inlet(unsigned(width)), "o": outlet(data.StructLayout(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.normalizer = normalizer = self.normalizer
        consult(m, self.i, normalizer.i, normalizer.o, self.o)
        m.d.comb += [
            normalizer.i.payload.eq(self.i.payload),
            self.o.payload.mantissa.eq(leading_bits(normalizer.o.payload.mantissa, self.mantissa_width)),
            self.o.payload.zeros.eq(normalizer.o.payload.zeros),
        ]
        return m


class RootMagnitude(wiring.Component):
    """The leading bits of the square root of an unsigned integer, and how many zero bits were before them.

    With ``zeros`` pairs of leading zero bits taken away, the floor of the root has its top bit set:
    ``mantissa = floor(sqrt(value * 4**zeros * 2**(2 * mantissa_width - width)))``.

    Parameters
    ----------
    width : bits of the integer, even
    mantissa_width : bits of the root

    Members
    -------
    i : the integer, not 0; held until the result leaves
    o : ``{mantissa, zeros}``

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, width: int, mantissa_width: int):
        self.mantissa_width = mantissa_width
        self.normalizer = Normalizer(width, radix_bits=2)
        self.root = IterativeSquareRoot(2 * mantissa_width)
        self.latency = self.normalizer.latency + self.root.latency
        self.interval = self.latency + 1
        result = {"mantissa": mantissa_width, "zeros": self.normalizer.o.payload.zeros.shape()}
        super().__init__({"i": inlet(unsigned(width)), "o": outlet(data.StructLayout(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.normalizer = normalizer = self.normalizer
        m.submodules.root = root = self.root
        rooted = stream.Signature(root.o.payload.shape()).create()
        consult(m, self.i, normalizer.i, rooted, self.o)
        consult(m, normalizer.o, root.i, root.o, rooted)
        m.d.comb += [
            normalizer.i.payload.eq(self.i.payload),
            root.i.payload.eq(leading_bits(normalizer.o.payload.mantissa, 2 * self.mantissa_width)),
            self.o.payload.mantissa.eq(root.o.payload),
            self.o.payload.zeros.eq(normalizer.o.payload.zeros),
        ]
        return m


def leading_bits(value: Value, width: int) -> Value:
    """The top bits of a value, zeros below it where it has fewer."""
    return value[-width:] if len(value) >= width else Cat(Const(0, width - len(value)), value)
