"""From the exact integer of a spread to the mantissa of r."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import data, stream, wiring

from ..logic.sequence import consult
from ..logic.settle import settling_cycles
from ..numbers.formats import odd_part
from ..streams.layouts import copied, inlet, outlet
from ..streams.registers import ChannelRegister
from .divide import DivideByCount
from .normalize import Normalizer
from .root import IterativeSquareRoot
from .turns import ALONE, consult_in_turns, held_by, in_turns, pace_of, registered_in_turns

__all__ = ["DividedMagnitude", "Magnitude", "RootMagnitude"]


class Magnitude(wiring.Component):
    """The leading bits of an unsigned integer, and how many zeros were before them.

    Parameters
    ----------
    width : bits of the integer
    mantissa_width : bits to keep; the rest is floored away
    tag : shape of what goes along with the integer
    fraction : bits at the lower end above which the integer has a 1

    Members
    -------
    i : ``{value, tag}``, the value at least ``2**fraction``; held until the result leaves
    o : ``{mantissa, zeros, tag}``; the mantissa's top bit is 1

    Latency: ``latency``. One result in ``interval`` cycles.
    """

    held = 1

    def __init__(self, width: int, mantissa_width: int, tag: data.Layout, fraction: int = 0):
        self.mantissa_width = mantissa_width
        self.normalizer = Normalizer(width, fraction=fraction)
        self.latency, self.interval = self.normalizer.latency, self.normalizer.interval
        zeros = self.normalizer.o.payload.zeros.shape()
        super().__init__(
            {
                "i": inlet(data.StructLayout({"value": width, "tag": tag})),
                "o": outlet(data.StructLayout({"mantissa": mantissa_width, "zeros": zeros, "tag": tag})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.normalizer = normalizer = self.normalizer
        consult(m, self.i, normalizer.i, normalizer.o, self.o)
        m.d.comb += [
            normalizer.i.payload.eq(self.i.payload.value),
            self.o.payload.mantissa.eq(leading_bits(normalizer.o.payload.mantissa, self.mantissa_width)),
            self.o.payload.zeros.eq(normalizer.o.payload.zeros),
            self.o.payload.tag.eq(self.i.payload.tag),
        ]
        return m


class DividedMagnitude(wiring.Component):
    """As :class:`Magnitude`, of ``round(value * 2**gained / odd)`` with the odd part of the selected count.

    Parameters
    ----------
    width : bits of the integer
    gained : fraction bits that the quotient has beyond the integer
    counts : samples in a channel; ``tag.select`` is the index of one
    mantissa_width : bits to keep; the rest is floored away
    tag : layout of what goes along with the integer, with ``select`` in it
    fraction : bits at the lower end above which the quotient has a 1
    interval : cycles from channel to channel that it keeps up with

    Members and attributes: as :class:`Magnitude`. The integer has left when the quotient is there, so that a channel
    can be divided while the one before is normalised.
    """

    def __init__(
        self,
        width: int,
        gained: int,
        counts: Sequence[int],
        mantissa_width: int,
        tag: data.StructLayout,
        fraction: int = 0,
        interval: int = ALONE,
    ):
        odds = [odd_part(count)[0] for count in counts]
        self.divide = in_turns(lambda: DivideByCount(width + 1, gained, odds), interval)
        self.magnitude = registered_in_turns(
            lambda: Magnitude(width + gained, mantissa_width, tag, fraction), interval
        )
        self.latency = self.divide.latency + ChannelRegister.latency + self.magnitude.latency
        self.interval = max(self.divide.interval, pace_of(self.magnitude))
        self.pace = max(pace_of(self.divide), pace_of(self.magnitude))
        self.held = held_by(self.divide) + held_by(self.magnitude)
        super().__init__(
            {
                "i": inlet(data.StructLayout({"value": width, "tag": tag})),
                "o": outlet(self.magnitude.o.payload.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.divide = divide = self.divide
        m.submodules.magnitude = magnitude = self.magnitude
        m.submodules.quotients = quotients = ChannelRegister(magnitude.i.payload.shape())
        kept = consult_in_turns(m, self.i, divide, quotients.i, "dividing")
        m.d.comb += [
            divide.i.payload.dividend.eq(self.i.payload.value),
            quotients.i.payload.value.eq(divide.o.payload.quotient),
            quotients.i.payload.tag.eq(kept.payload.tag),
            *copied(self.i.payload.tag, divide.i.payload),
        ]
        wiring.connect(m, quotients.o, magnitude.i)
        wiring.connect(m, magnitude.o, wiring.flipped(self.o))
        return m


class RootMagnitude(wiring.Component):
    """The leading bits of the square root of an unsigned integer, and how many zero bits were before them.

    With ``zeros`` pairs of leading zero bits taken away, the floor of the root has its top bit set:
    ``mantissa = floor(sqrt(value * 4**zeros * 2**(2 * mantissa_width - width)))``.

    Parameters
    ----------
    width : bits of the integer, even
    mantissa_width : bits of the root
    tag : shape of what goes along with the integer
    fraction : bits at the lower end, even, above which the integer has a 1

    Members
    -------
    i : ``{value, tag}``, the value at least ``2**fraction``; held until the result leaves
    o : ``{mantissa, zeros, tag}``

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    held = 1

    def __init__(self, width: int, mantissa_width: int, tag: data.Layout, fraction: int = 0):
        self.mantissa_width = mantissa_width
        self.normalizer = Normalizer(width, radix_bits=2, fraction=fraction)
        self.root = IterativeSquareRoot(2 * mantissa_width, settling_cycles(mantissa_width + 2) + 2)
        self.latency = self.normalizer.latency + self.root.latency
        self.interval = self.latency + 1
        zeros = self.normalizer.o.payload.zeros.shape()
        super().__init__(
            {
                "i": inlet(data.StructLayout({"value": width, "tag": tag})),
                "o": outlet(data.StructLayout({"mantissa": mantissa_width, "zeros": zeros, "tag": tag})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.normalizer = normalizer = self.normalizer
        m.submodules.root = root = self.root
        rooted = stream.Signature(root.o.payload.shape()).create()
        consult(m, self.i, normalizer.i, rooted, self.o)
        consult(m, normalizer.o, root.i, root.o, rooted)
        m.d.comb += [
            normalizer.i.payload.eq(self.i.payload.value),
            root.i.payload.eq(leading_bits(normalizer.o.payload.mantissa, 2 * self.mantissa_width)),
            self.o.payload.mantissa.eq(root.o.payload),
            self.o.payload.zeros.eq(normalizer.o.payload.zeros),
            self.o.payload.tag.eq(self.i.payload.tag),
        ]
        return m


def leading_bits(value: Value, width: int) -> Value:
    """The top bits of a value, zeros below it where it has fewer."""
    return value[-width:] if len(value) >= width else Cat(Const(0, width - len(value)), value)
