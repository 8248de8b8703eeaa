"""The operators that the paper compares at equal width, and the ones that peers publish, as small stream components.

They are what a report needs beside the operators of the library: one result a cycle, one register behind each.
"""

from __future__ import annotations

from collections.abc import Callable

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from l1bn.channels.root import PipelinedSquareRoot
from l1bn.primitives import primitives
from l1bn.streams.registers import Register, SkidRegister

__all__ = ["Absolute", "AbsoluteAndSign", "Sign", "Square", "SquareAndRoot"]


class _Registered(wiring.Component):
    """A function of one number, computed in a cycle, with a register behind it."""

    latency = Register.latency
    interval = 1

    def __init__(self, width: int, result: Shape, function: Callable[[Value], Value]):
        self.function = function
        super().__init__({"i": In(stream.Signature(signed(width))), "o": Out(stream.Signature(result))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.register = register = Register(self.o.payload.shape())
        m.d.comb += [
            register.i.payload.eq(self.function(self.i.payload)),
            register.i.valid.eq(self.i.valid),
            self.i.ready.eq(register.i.ready),
        ]
        wiring.connect(m, register.o, wiring.flipped(self.o))
        return m


class Absolute(_Registered):
    """``|i|``, unsigned, one bit of it enough for the smallest number. Latency: 1, one result a cycle."""

    def __init__(self, width: int):
        # -x as ~(x - 1): the carries of x - 1 are those of x alone, so the choice fits behind them in one LUT.
        super().__init__(width, unsigned(width), lambda x: Mux(x[-1], ~(x - 1)[:width], x.as_unsigned()))


class Sign(_Registered):
    """``sgn(i)``: -1, 0 or 1. Latency: 1, one result a cycle."""

    def __init__(self, width: int):
        super().__init__(width, signed(2), lambda x: Cat(x.any(), x[-1]).as_signed())


class Square(wiring.Component):
    """``i ** 2``, unsigned, on a registered multiplier. Latency: ``latency``, one result a cycle."""

    interval = 1

    def __init__(self, width: int, target: str = "portable"):
        self.multiplier = primitives(target).multiplier(signed(width), signed(width))
        self.latency = self.multiplier.latency + SkidRegister.latency
        super().__init__(
            {
                "i": In(stream.Signature(signed(width))),
                "o": Out(stream.Signature(unsigned(2 * width - 1))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiplier = multiplier = self.multiplier
        m.submodules.skid = skid = SkidRegister(self.o.payload.shape())
        valid = Signal(multiplier.latency)
        with m.If(skid.i.ready):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += [
            multiplier.a.eq(self.i.payload),
            multiplier.b.eq(self.i.payload),
            multiplier.enable.eq(skid.i.ready),
            self.i.ready.eq(skid.i.ready),
            skid.i.valid.eq(valid[-1]),
            skid.i.payload.eq(multiplier.product),
        ]
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        return m


class _SideBySide(wiring.Component):
    """Independent operators with a common clock; the streams of operator ``name`` are ``i_name`` and ``o_name``."""

    interval = 1

    def __init__(self, **operators: wiring.Component):
        self.operators = operators
        self.latency = max(operator.latency for operator in operators.values())
        members = {}
        for name, operator in operators.items():
            for port in ("i", "o"):
                members[f"{port}_{name}"] = operator.signature.members[port]
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, operator in self.operators.items():
            m.submodules[name] = operator
            wiring.connect(m, wiring.flipped(getattr(self, f"i_{name}")), operator.i)
            wiring.connect(m, operator.o, wiring.flipped(getattr(self, f"o_{name}")))
        return m


class AbsoluteAndSign(_SideBySide):
    """What L1 asks of a number of ``width`` bits: absolute value and sign, one of each a cycle."""

    def __init__(self, width: int):
        super().__init__(absolute=Absolute(width), sign=Sign(width))


class SquareAndRoot(_SideBySide):
    """What L2 asks of numbers of the same width: square and square root, one of each a cycle."""

    def __init__(self, width: int, target: str = "portable"):
        super().__init__(square=Square(width, target), root=PipelinedSquareRoot(width))
