"""Sequential multiply-add: per channel, one adder instead of a multiplier array."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, signed
from amaranth.lib import data, wiring

from ..logic.operator import computes
from ..logic.sequence import sequence
from ..logic.settle import settling_cycles, settling_sum
from ..streams.layouts import inlet, outlet

__all__ = ["SequentialMultiplier"]


def step_cycles(a_width: int) -> int:
    """Cycles of a step, in which a signed a is added."""
    return settling_cycles(a_width + 2) + 1


@computes("operator.mul")
class SequentialMultiplier(wiring.Component):
    """``a * b + c``, one bit of b a cycle from the least significant one up.

    The partial sum moves right under the adder, so that the adder is only one bit wider than a, and the
    bits that leave it take the places of the used bits of b.

    Parameters
    ----------
    a_shape : shape of a
    b_shape : shape of b; each of its bits is a step
    c_shape : shape of c, whose values a could take, too
    subtract : compute ``c - a * b`` instead

    Members
    -------
    i : ``{a, b, c}``
    o : ``a * b + c``, signed, exact: bits of a (as a signed number) plus bits of b

    Latency: ``latency``, bits of b + 2, or a multiple of it where the adder is cut into segments. One result
    in ``interval`` cycles, one more.
    """

    def __init__(
        self,
        a_shape: Shape | int,
        b_shape: Shape | int,
        c_shape: Shape | int,
        *,
        subtract: bool = False,
    ):
        self.a_shape, self.b_shape = Shape.cast(a_shape), Shape.cast(b_shape)
        self.c_shape = Shape.cast(c_shape)
        self.subtract = subtract
        self.a_width = self.a_shape.width + (not self.a_shape.signed)
        if self.c_shape.width + (not self.c_shape.signed) > self.a_width:
            raise ValueError(
                f"c_shape = {self.c_shape} is not possible; allowed: no wider than {self.a_shape}"
            )
        self.bits = self.b_shape.width
        self.cycles = step_cycles(self.a_width)
        self.latency = self.latency_of(self.a_shape, self.b_shape)
        self.interval = self.latency + 1
        operands = {"a": self.a_shape, "b": self.b_shape, "c": self.c_shape}
        super().__init__(
            {
                "i": inlet(data.StructLayout(operands)),
                "o": outlet(signed(self.a_width + self.bits)),
            }
        )

    @staticmethod
    def latency_of(a_shape: Shape, b_shape: Shape) -> int:
        """Of a multiplier of these shapes, without one."""
        # One step more than b has bits: the first only chooses an addend.
        return (b_shape.width + 1) * step_cycles(a_shape.width + (not a_shape.signed)) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = Signal(signed(self.a_width), reset_less=True)
        # The bits of b still to come, and above them the finished bits of the sum.
        low = Signal(self.bits, reset_less=True)
        high = Signal(signed(self.a_width + 1), reset_less=True)
        addend = Signal(signed(self.a_width + 1), reset_less=True)  # chosen one step before it is added
        negate = Signal(reset_less=True)

        run = sequence(m, self.i, self.o, self.bits + 1, self.cycles)
        # Where the product counts negative ~a + 1 is added; the top bit of a signed b counts the other way round.
        negative = Const(self.subtract, 1)
        if self.b_shape.signed:
            negative = run.before_final ^ negative
        total = settling_sum(m, high, addend, len(high) + 1, carry=negate).as_signed()
        m.d.comb += self.o.payload.eq(Cat(low, high))
        with m.If(run.load):
            m.d.sync += a.eq(self.i.payload.a)
        with m.If(run.move):
            # The c is one place too high for the first step.
            m.d.sync += [
                low.eq(Mux(run.load, self.i.payload.b, Cat(low[1:], total[0]))),
                high.eq(Mux(run.load, 0, total >> 1)),
                addend.eq(Mux(run.load, self.i.payload.c << 1, Mux(low[0], Mux(negative, ~a, a), 0))),
                negate.eq(Mux(run.load, 0, negative & low[0])),
            ]
        return m
