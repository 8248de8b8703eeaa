"""Integer square root, floor, exact for every radicand, in two forms behind one contract."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from ..layouts import inlet, outlet
from ..streams import SkidRegister
from .sequence import sequence

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
    """``floor(sqrt(i))``, one digit a cycle, one result at a time.

    Radicand and root share one register: it gives two bits of the one and takes one bit of the other a step.

    Parameters
    ----------
    width : bits of the radicand, 2 to 128

    Members
    -------
    i : radicands, unsigned
    o : roots, unsigned, ``ceil(width / 2)`` bits

    Latency: ``latency``, bits of the root + 1. One result in ``interval`` cycles, one more.
    """

    def __init__(self, width: int):
        if not 2 <= width <= 128:
            raise ValueError(f"width = {width} is not possible; allowed: 2 to 128")
        self.width = width
        self.root_width = (width + 1) // 2
        self.latency = self.root_width + 1
        self.interval = self.root_width + 2
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        radicand = Signal(2 * self.root_width, reset_less=True)
        remainder = Signal(self.root_width + 1, reset_less=True)
        root = Signal(self.root_width, reset_less=True)
        run = sequence(m, self.i, self.o, self.root_width)
        rest, bit = digit(m, remainder, radicand[-2:], root)
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

    Latency: ``latency``, bits of the root + 1.
    """

    def __init__(self, width: int):
        if not 2 <= width <= 128:
            raise ValueError(f"width = {width} is not possible; allowed: 2 to 128")
        self.width = width
        self.root_width = (width + 1) // 2
        self.latency = self.root_width + SkidRegister.latency
        super().__init__({"i": inlet(width), "o": outlet(self.root_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.skid = skid = SkidRegister(self.o.payload.shape())
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        valid: Value = self.i.valid
        radicand: Value = Signal(2 * self.root_width)
        m.d.comb += radicand.eq(self.i.payload)
        remainder: Value = Const(0, 1)
        root: Value = Const(0, 0)
        for _ in range(self.root_width):
            rest, bit = digit(m, remainder, radicand[-2:], root)
            stage_radicand = Signal(len(radicand) - 2, reset_less=True)
            stage_remainder = Signal(len(root) + 2, reset_less=True)
            stage_root = Signal(len(root) + 1, reset_less=True)
            stage_valid = Signal()
            with m.If(skid.i.ready):
                m.d.sync += [
                    stage_radicand.eq(radicand[:-2]),
                    stage_remainder.eq(rest),
                    stage_root.eq(Cat(bit, root)),
                    stage_valid.eq(valid),
                ]
            radicand, remainder, root, valid = stage_radicand, stage_remainder, stage_root, stage_valid
        m.d.comb += [
            self.i.ready.eq(skid.i.ready),
            skid.i.valid.eq(valid),
            skid.i.payload.eq(root),
        ]
        return m
