"""Sums over a channel: an adder tree over the lanes and a running total that is never cleared."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..formats import clog2

__all__ = ["SEGMENT", "ChannelTotal", "add_lanes", "delayed", "tree_latency"]

SEGMENT = 16
"""Longest carry chain of a running total in bits; longer ones are split, with a registered carry between."""


def delayed(m: Module, value: Value, cycles: int) -> Value:
    """``value`` as it was ``cycles`` clock cycles ago; no reset."""
    for _ in range(cycles):
        later = Signal(value.shape(), reset_less=True)
        m.d.sync += later.eq(value)
        value = later
    return value


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
    while len(terms) > 1:
        sums = []
        for left, right in zip(terms[::2], terms[1::2], strict=True):
            pair = left + right
            total = Signal(pair.shape(), reset_less=True)
            m.d.sync += total.eq(pair)
            sums.append(total)
        terms = sums
    return terms[0]


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
    valid, addend : an addend
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
        carry: Value = Value.cast(0)
        borrow: Value = Value.cast(1)  # the difference is running + ~previous + 1
        parts = []
        for index in range(self.segments):
            addend = delayed(m, extended[index * length : (index + 1) * length], index)
            bits = len(addend)
            running = Signal(bits)
            previous, part = Signal(bits), Signal(bits, reset_less=True)
            carry_out, borrow_out = Signal(), Signal(init=1)
            ended = Signal()
            with m.If(valid):
                m.d.sync += Cat(running, carry_out).eq(running + addend + carry)
            m.d.sync += ended.eq(end)
            with m.If(ended):
                m.d.sync += [previous.eq(running), Cat(part, borrow_out).eq(running + ~previous + borrow)]
            parts.append(part)
            valid, end = delayed_flag(m, valid, 1), delayed_flag(m, end, 1)
            carry, borrow = carry_out, borrow_out
        m.d.comb += [self.total.eq(Cat(parts)), self.done.eq(delayed_flag(m, end, 1))]
        return m
