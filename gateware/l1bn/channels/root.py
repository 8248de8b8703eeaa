"""Integer square root, floor, exact for every radicand, in two forms behind one contract.

Both find the root q digit by digit without restoring. Let r be what the digits so far leave of the radicand if the last
of them is 1: it is 1 where r >= 0. With the next pair of bits of the radicand

    r' = 4 r + pair - (4 q + 1)  where the last digit is 1,  else  4 r + pair + (4 q + 3)

The registers hold rest = -r - 1, which starts at 0 and whose sign *is* the digit:

    rest' = 4 rest - (4 s + pair)  with s = -q - 1 where the last digit is 1,  else  q

which is one carry chain a digit, with nothing behind it but registers.
"""

from __future__ import annotations

from math import isqrt

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring

from ..errors import require_whole
from ..logic.digit_control import digits
from ..logic.operator import computes
from ..logic.settle import settling_sum
from ..logic.table import lookup
from ..streams.layouts import inlet, outlet

__all__ = ["IterativeSquareRoot", "PipelinedSquareRoot"]


def check_width(width: int) -> None:
    require_whole("width", width, 2, 128)


def signed_root(root: Value, bits: int) -> Value:
    """s of the next digit in ``bits`` bits, more than the root has; its last digit is the lowest bit."""
    return Cat(root, Const(0, bits - len(root))) ^ root[0].replicate(bits)


@computes("l1bn_golden.channel.integer_sqrt")
class IterativeSquareRoot(wiring.Component):
    """``floor(sqrt(i))``, a digit a step, one result at a time.

    Parameters
    ----------
    width : bits of the radicand, 2 to 128
    cycles : clock cycles of a digit, 1 to 8. With one, a result takes the least time; with more, the clock may be
        faster: the addend gets a register, and the carry chain is cut into ``cycles - 1`` segments.

    Members
    -------
    i : radicands, unsigned
    o : roots, unsigned, ``ceil(width / 2)`` bits

    Latency: ``latency``, bits of the root times ``cycles``, and 1. One result in ``interval`` cycles, as many.
    ``i.ready`` follows ``o.ready`` combinationally.
    """

    def __init__(self, width: int, cycles: int = 1):
        check_width(width)
        require_whole("cycles", cycles, 1, 8)
        self.width, self.cycles = width, cycles
        self.root_width = (width + 1) // 2
        self.latency = self.root_width * cycles + 1
        self.interval = self.latency
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self.root_width
        complement = Signal(2 * bits, reset_less=True)  # of the radicand's bits to come
        rest = Signal(bits, reset_less=True)
        root = Signal(bits, reset_less=True)
        run = digits(m, self.i, self.o, bits, self.cycles)
        # The subtrahend's complement, with the 1 that this needs beside it: the bits of the pair are complemented
        # where they are loaded, those of s where they are chosen. There are fewer digits than bits before each step.
        added: Value = Cat(Const(1, 2), ~signed_root(root, bits))
        if self.cycles > 1:
            chosen = Signal(bits + 2, reset_less=True)
            m.d.sync += chosen.eq(added)
            added = chosen
        total = settling_sum(m, Cat(complement[-2:], rest), added, bits + 2, segments=max(1, self.cycles - 1))
        with m.If(~run.busy):
            m.d.sync += [complement.eq(~Cat(self.i.payload, Const(0, 2 * bits - self.width))), rest.eq(0)]
        with m.Elif(run.step):
            m.d.sync += [complement.eq(complement << 2), rest.eq(total)]
        with m.If(run.free):
            with m.If(~run.busy):
                m.d.sync += root.eq(0)
            with m.Elif(run.step):
                m.d.sync += root.eq(Cat(total[-1], root))
        m.d.comb += self.o.payload.eq(root)
        return m


@computes("l1bn_golden.channel.integer_sqrt")
class PipelinedSquareRoot(wiring.Component):
    """``floor(sqrt(i))``, one radicand a cycle: a stage for the first two digits, and one for each further digit.

    Parameters
    ----------
    width : bits of the radicand, 2 to 128

    Members
    -------
    i : radicands, unsigned
    o : roots, unsigned, ``ceil(width / 2)`` bits

    Latency: ``latency``, bits of the root - 1, at least 1. ``ready`` passes through combinationally, as in a register.
    """

    interval = 1

    def __init__(self, width: int):
        check_width(width)
        self.width = width
        self.root_width = (width + 1) // 2
        self.latency = max(1, self.root_width - 1)
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        radicand: Value = Cat(self.i.payload, Const(0, 2 * self.root_width - self.width))
        valid: Value = self.i.valid
        rest: Value
        root: Value

        def stage(next_rest: Value, next_root: Value, last: bool) -> None:
            """A register for everything that later stages need."""
            nonlocal radicand, valid, rest, root
            found = len(next_root)
            rest = Signal(found + 1, name="rest", reset_less=True)
            root = Signal(found, name="root", reset_less=True)
            to_come = Signal(2 * (self.root_width - found), name="radicand", reset_less=True)
            stage_valid = self.o.valid if last else Signal(name="valid")
            with m.If(advance):
                m.d.sync += [
                    rest.eq(next_rest),
                    root.eq(next_root),
                    to_come.eq(radicand),
                    stage_valid.eq(valid),
                ]
            radicand, valid = to_come, stage_valid

        found = min(2, self.root_width)
        roots = [isqrt(value) for value in range(4**found)]
        rests = [(value | 1) ** 2 - 1 - index for index, value in enumerate(roots)]
        first = radicand[-2 * found :]
        stage(lookup(rests, first), lookup(roots, first), found == self.root_width)
        while found < self.root_width:
            found += 1
            total = Signal(found + 2, name="total")
            m.d.comb += total.eq(Cat(Const(0, 2), rest) - Cat(radicand[-2:], signed_root(root, found)))
            stage(total, Cat(total[-1], root), found == self.root_width)
        m.d.comb += self.o.payload.eq(root)
        return m
