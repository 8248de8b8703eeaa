"""Integer square root, floor, exact for every radicand, in two forms behind one contract."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from ..layouts import inlet, outlet
from .sequence import sequence
from .settle import settling_cycles, settling_difference

__all__ = ["IterativeSquareRoot", "PipelinedSquareRoot"]


def digit(m: Module, remainder: Value, pair: Value, root: Value) -> tuple[Value, Value]:
    """One digit of the root by restoring division: the new remainder and the digit.

    ``remainder`` < 2 * ``root`` + 1 holds before and after, with the root grown by the digit.
    """
    extended = Cat(pair, remainder)
    trial = Signal(len(extended) + 1)
    m.d.comb += trial.eq(extended - Cat(Const(1, 2), root))
    fits = ~trial[-1]
    return Mux(fits, trial, extended)[: len(root) + 2], fits


class IterativeSquareRoot(wiring.Component):
    """``floor(sqrt(i))`` by restoring division, a digit a step, one result at a time.

    Parameters
    ----------
    width : bits of the radicand, 2 to 128

    Members
    -------
    i : radicands, unsigned
    o : roots, unsigned, ``ceil(width / 2)`` bits

    Latency: ``latency``, bits of the root + 1, or a multiple of it where the subtractor is cut into segments. One
    result in ``interval`` cycles, one more.
    """

    def __init__(self, width: int):
        if not 2 <= width <= 128:
            raise ValueError(f"width = {width} is not possible; allowed: 2 to 128")
        self.width = width
        self.root_width = (width + 1) // 2
        self.cycles = settling_cycles(self.root_width + 3) + 1
        self.latency = self.root_width * self.cycles + 1
        self.interval = self.latency + 1
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        radicand = Signal(2 * self.root_width, reset_less=True)
        remainder = Signal(self.root_width + 1, reset_less=True)
        root = Signal(self.root_width, reset_less=True)
        run = sequence(m, self.i, self.o, self.root_width, self.cycles)
        extended = Cat(radicand[-2:], remainder)
        trial = settling_difference(m, extended, Cat(Const(1, 2), root), self.root_width + 3)
        bit = ~trial[-1]
        rest = Mux(bit, trial, extended)[: self.root_width + 1]
        with m.If(run.load):
            m.d.sync += [radicand.eq(self.i.payload), remainder.eq(0), root.eq(0)]
        with m.Elif(run.step):
            m.d.sync += [radicand.eq(radicand << 2), remainder.eq(rest), root.eq(Cat(bit, root))]
        m.d.comb += self.o.payload.eq(root)
        return m


class PipelinedSquareRoot(wiring.Component):
    """``floor(sqrt(i))``, one radicand a cycle: a stage per digit of the root.

    Parameters
    ----------
    width : bits of the radicand, 2 to 128

    Members
    -------
    i : radicands, unsigned
    o : roots, unsigned, ``ceil(width / 2)`` bits

    Latency: ``latency``, bits of the root. ``ready`` passes through combinationally, as in a register.
    """

    def __init__(self, width: int):
        if not 2 <= width <= 128:
            raise ValueError(f"width = {width} is not possible; allowed: 2 to 128")
        self.width = width
        self.root_width = (width + 1) // 2
        self.latency = self.root_width
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        valid: Value = self.i.valid
        radicand: Value = Signal(2 * self.root_width)
        m.d.comb += radicand.eq(self.i.payload)
        remainder: Value = Const(0, 1)
        root: Value = Const(0, 0)
        for index in range(self.root_width):
            rest, bit = digit(m, remainder, radicand[-2:], root)
            stage_radicand = Signal(len(radicand) - 2, reset_less=True)
            stage_remainder = Signal(len(root) + 2, reset_less=True)
            stage_root = Signal(len(root) + 1, reset_less=True)
            stage_valid = self.o.valid if index == self.root_width - 1 else Signal()
            with m.If(advance):
                m.d.sync += [
                    stage_radicand.eq(radicand[:-2]),
                    stage_remainder.eq(rest),
                    stage_root.eq(Cat(bit, root)),
                    stage_valid.eq(valid),
                ]
            radicand, remainder, root, valid = stage_radicand, stage_remainder, stage_root, stage_valid
        m.d.comb += self.o.payload.eq(root)
        return m
