"""Sequential multiply-add: per channel, one adder instead of a multiplier array."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, signed
from amaranth.lib import data, wiring

from ..layouts import inlet, outlet
from .sequence import sequence

__all__ = ["SequentialMultiplier"]


class SequentialMultiplier(wiring.Component):
    """``a * b + c``, one bit of b a cycle from the least significant one up.

    The partial sum moves right under the adder, so that the adder is only one bit wider than a, and the
    bits that leave it take the places of the used bits of b.

    Parameters
    ----------
    a_shape : shape of a
    b_shape : shape of b; each of its bits is a step
    c_shape : shape of c, whose values a could take, too

    Members
    -------
    i : ``{a, b, c}``
    o : ``a * b + c``, signed, exact: bits of a (as a signed number) plus bits of b

    Latency: ``latency``, bits of b + 2. One result in ``interval`` cycles, one more.
    """

    def __init__(self, a_shape: Shape | int, b_shape: Shape | int, c_shape: Shape | int):
        self.a_shape, self.b_shape = Shape.cast(a_shape), Shape.cast(b_shape)
        self.c_shape = Shape.cast(c_shape)
        self.a_width = self.a_shape.width + (not self.a_shape.signed)
        if self.c_shape.width + (not self.c_shape.signed) > self.a_width:
            raise ValueError(
                f"c_shape = {self.c_shape} is not possible; allowed: no wider than {self.a_shape}"
            )
        self.bits = self.b_shape.width
        self.latency = self.bits + 2
        self.interval = self.bits + 3
        operands = {"a": self.a_shape, "b": self.b_shape, "c": self.c_shape}
        super().__init__(
            {
                "i": inlet(data.StructLayout(operands)),
                "o": outlet(signed(self.a_width + self.bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = Signal(signed(self.a_width), reset_less=True)
        # The bits of b still to come, and above them the finished bits of the sum.
        low = Signal(self.bits, reset_less=True)
        high = Signal(signed(self.a_width + 1), reset_less=True)
        addend = Signal(signed(self.a_width), reset_less=True)  # chosen one step before it is added
        negate = Signal(reset_less=True)
        total = Signal(signed(self.a_width + 2))

        # One step more than b has bits: the first only chooses an addend, and c starts one place too high.
        run = sequence(m, self.i, self.o, self.bits + 1)
        is_sign = (run.left == 2) & low[0] if self.b_shape.signed else 0
        m.d.comb += [total.eq(high + addend + negate), self.o.payload.eq(Cat(low, high))]
        with m.If(run.load):
            m.d.sync += [
                a.eq(self.i.payload.a),
                low.eq(self.i.payload.b),
                high.eq(self.i.payload.c << 1),
                addend.eq(0),
                negate.eq(0),
            ]
        with m.Elif(run.step):
            m.d.sync += [
                addend.eq(Mux(low[0], Mux(is_sign, ~a, a), 0)),
                negate.eq(is_sign),
                high.eq(total >> 1),
                low.eq(Cat(low[1:], total[0])),
            ]
        return m
