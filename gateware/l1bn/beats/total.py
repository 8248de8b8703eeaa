"""Sums over a channel: an adder tree over the lanes and a running total that is never cleared."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..logic.settle import SEGMENT
from ..logic.subtract import difference
from ..numbers.formats import clog2

__all__ = [
    "ChannelCount",
    "ChannelTotal",
    "add_lanes",
    "add_lanes_and_carries",
    "delayed",
    "delayed_flag",
    "delayed_or_zero",
    "tree_latency",
]


def delayed(m: Module, value: Value, cycles: int) -> Value:
    """``value`` as it was ``cycles`` clock cycles ago; no reset."""
    for _ in range(cycles):
        later = Signal(value.shape(), reset_less=True)
        m.d.sync += later.eq(value)
        value = later
    return value


def delayed_or_zero(m: Module, value: Value, passes: Value) -> Value:
    """``value`` a cycle ago, or 0 where it did not pass: the reset of a flip-flop does it, and takes no table."""
    later = Signal(value.shape(), reset_less=True)
    with m.If(passes):
        m.d.sync += later.eq(value)
    with m.Else():
        m.d.sync += later.eq(0)
    return later


def delayed_flag(m: Module, flag: Value, cycles: int) -> Value:
    """As :func:`delayed`, but 0 after reset."""
    for _ in range(cycles):
        later = Signal()
        m.d.sync += later.eq(flag)
        flag = later
    return flag


def tree_latency(lanes: int) -> int:
    """Cycles that :func:`add_lanes` takes."""
    return clog2(lanes)


def add_lanes(m: Module, terms: Sequence[Value]) -> Value:
    """Exact sum of a power of two of terms, one register after each level; :func:`tree_latency` cycles."""
    zeros = [Const(0, 1)] * len(terms)
    return add_lanes_and_carries(m, terms, zeros)[0]


def add_lanes_and_carries(m: Module, terms: Sequence[Value], carries: Sequence[Value]) -> tuple[Value, Value]:
    """As :func:`add_lanes`, with a bit to be added to each term.

    Every adder of the tree takes one of the bits as its carry; the one that is left belongs to the adder that
    comes after the tree.
    """
    while len(terms) > 1:
        sums = []
        for left, right, carry in zip(terms[::2], terms[1::2], carries[::2], strict=True):
            total = Signal((left + right).shape(), reset_less=True)
            m.d.sync += total.eq(left + right + carry)
            sums.append(total)
        terms = sums
        carries = [delayed(m, carry, 1) for carry in carries[1::2]]
    return terms[0], carries[0]


class ChannelTotal(wiring.Component):
    """Sum of what enters between two ends, one addend a cycle, without a pause between channels.

    A total runs modulo ``2**width`` and is never cleared; the difference of its values at two ends is the
    sum, exactly, as long as the sum fits. It is cut into segments of at most :data:`SEGMENT` bits, each one
    cycle behind the one below it.

    Parameters
    ----------
    shape : shape of an addend
    width : bits of the sum, whose sign is the reader's business

    Members
    -------
    valid, addend, carry : an addend, and one more to add
    last : with ``valid``: it is the final one of the channel
    done : one cycle, ``latency`` cycles after the final addend
    total : the sum, from ``done`` on until the next final addend's ``done``, less the segments' skew
    """

    def __init__(self, shape: Shape | int, width: int):
        self.addend_shape = Shape.cast(shape)
        self.width = width
        self.segments = -(-width // SEGMENT)
        self.latency = self.segments + 1
        super().__init__(
            {
                "valid": In(1),
                "addend": In(self.addend_shape),
                "carry": In(1),
                "last": In(1),
                "done": Out(1),
                "total": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        extended = Signal(Shape(self.width, signed=True))
        m.d.comb += extended.eq(self.addend)
        length = -(-self.width // self.segments)
        valid, end = self.valid, self.valid & self.last
        carry: Value = self.carry
        borrow: Value = Const(0, 1)
        parts = []
        for index in range(self.segments):
            addend = delayed(m, extended[index * length : (index + 1) * length], index)
            bits = len(addend)
            running = Signal(bits)
            previous = Signal(bits)
            part = Signal(bits, reset_less=True)
            carry_out = Signal()
            borrow_out = Signal(reset_less=True)
            ended = Signal()
            with m.If(valid):
                m.d.sync += Cat(running, carry_out).eq(running + addend + carry)
            m.d.sync += ended.eq(end)
            with m.If(ended):
                m.d.sync += [
                    previous.eq(running),
                    Cat(part, borrow_out).eq(difference(running, previous, borrow)),
                ]
            parts.append(part)
            valid, end = delayed_flag(m, valid, 1), delayed_flag(m, end, 1)
            carry, borrow = carry_out, borrow_out
        m.d.comb += [self.total.eq(Cat(parts)), self.done.eq(delayed_flag(m, end, 1))]
        return m


class ChannelCount(wiring.Component):
    """As :class:`ChannelTotal`, for addends of few bits: a counter that restarts with the addend it meets.

    Parameters
    ----------
    addend_width : bits of an unsigned addend
    width : bits of the sum

    Members
    -------
    valid, addend, last, done, total : as :class:`ChannelTotal`; the total is stable from ``done`` on
    """

    latency = 4

    def __init__(self, addend_width: int, width: int):
        self.addend_width, self.width = addend_width, width
        super().__init__(
            {
                "valid": In(1),
                "addend": In(addend_width),
                "last": In(1),
                "done": Out(1),
                "total": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = min(self.addend_width, self.width)
        low = Signal(bits)
        carry = Signal()
        high = Signal(
            self.width - bits
        )  # a cycle behind; the first addend of a channel carries nothing into it
        ended = delayed_flag(m, self.valid & self.last, 2)
        ended_high = delayed_flag(m, ended, 1)
        arriving = delayed(m, Mux(self.valid, self.addend, 0), 1)
        m.d.sync += [
            Cat(low, carry).eq(Mux(ended, 0, low) + arriving),
            high.eq(Mux(ended_high, 0, high + carry)),
        ]
        with m.If(ended):
            m.d.sync += self.total[:bits].eq(low)
        with m.If(ended_high):
            m.d.sync += self.total[bits:].eq(high)
        m.d.comb += self.done.eq(delayed_flag(m, ended_high, 1))
        return m
