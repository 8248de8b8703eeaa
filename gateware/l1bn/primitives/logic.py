"""Multiplication without multiplier blocks: partial products and a tree of short, registered adders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Cat, Const, Fragment, Module, Shape, Signal, Value
from amaranth.lib.wiring import In, Out

from ..logic.rtlil import Shared
from .blocks import multiplier_kind, product_shape
from .portable import SampleMemory

__all__ = ["Multiplier", "SampleMemory"]

CARRY = 12
"""Longest carry chain of a stage; longer additions take a stage for each such part."""


@dataclass
class Term:
    """``value * 2**offset``, ready after ``stage`` registers."""

    value: Value
    offset: int
    stage: int


class Pipeline:
    """Registers that all hold while ``enable`` is 0."""

    def __init__(self, m: Module, enable: Value):
        self.m, self.enable = m, enable

    def register(self, value: Value) -> Signal:
        held = Signal(value.shape(), reset_less=True)
        with self.m.If(self.enable):
            self.m.d.sync += held.eq(value)
        return held

    def delay(self, value: Value, stages: int) -> Value:
        for _ in range(stages):
            value = self.register(value)
        return value

    def add(self, low: Term, high: Term) -> Term:
        """The sum of two terms, ``high`` with the larger offset, in parts of at most ``CARRY`` bits a stage.

        The bits of ``low`` below ``high`` pass by the adder.
        """
        stage = max(low.stage, high.stage)
        x, y = self.delay(low.value, stage - low.stage), self.delay(high.value, stage - high.stage)
        skipped = high.offset - low.offset
        shape = (x + y.shift_left(skipped)).shape()
        width = shape.width - skipped
        upper_x = Signal(Shape(width, x.shape().signed))
        upper_y = Signal(Shape(width, y.shape().signed))
        self.m.d.comb += [upper_x.eq(x >> skipped), upper_y.eq(y)]
        done: list[Value] = [Value.cast(x)[:skipped]] if skipped else []
        carry: Value = Const(0, 1)
        parts = [(start, min(start + CARRY, width)) for start in range(0, width, CARRY)]
        for index, (start, stop) in enumerate(parts):
            total = Signal(stop - start + 1)
            left = self.delay(upper_x[start:stop], index)
            right = self.delay(upper_y[start:stop], index)
            self.m.d.comb += total.eq(left + right + carry)
            done = [self.register(part) for part in done]
            total = self.register(total)
            done.append(total[:-1])
            carry = total[-1]
        result = Cat(done)
        return Term(result.as_signed() if shape.signed else result, low.offset, stage + len(parts))


class Multiplier(Shared):
    """:class:`l1bn.primitives.portable.Multiplier` out of look-up tables.

    Members are those of the portable form; ``latency`` follows from the widths.
    """

    def __init__(self, a_shape: Shape, b_shape: Shape):
        self.a_shape, self.b_shape = Shape.cast(a_shape), Shape.cast(b_shape)
        self.product_shape = product_shape(self.a_shape, self.b_shape)
        super().__init__(
            {
                "a": In(self.a_shape),
                "b": In(self.b_shape),
                "enable": In(1),
                "product": Out(self.product_shape),
            }
        )
        self.latency = latency(self.a_shape, self.b_shape)

    @property
    def kind(self) -> str:
        return multiplier_kind(self.a_shape, self.b_shape)

    @property
    def parameters(self) -> tuple[Shape, Shape]:
        return self.a_shape, self.b_shape

    def body(self) -> Module:
        m = Module()
        product = total(Pipeline(m, self.enable), self.a, self.b)
        m.d.comb += self.product.eq(product.value)
        return m


@cache
def latency(a_shape: Shape, b_shape: Shape) -> int:
    """Stages of a product, which follow from its adders."""
    m = Module()
    stages = total(Pipeline(m, Const(1)), Signal(a_shape), Signal(b_shape)).stage
    Fragment.get(m, None)  # Amaranth warns of what is built and never used
    return stages


def total(pipeline: Pipeline, a_factor: Value, b_factor: Value) -> Term:
    """The sum of the partial products."""
    a, b = pipeline.register(a_factor), pipeline.register(b_factor)
    terms = []
    for index in range(len(b)):
        row: Value = a.as_unsigned() & b[index].replicate(len(a))
        if a.shape().signed:
            row = row.as_signed()
        if b.shape().signed and index == len(b) - 1:
            row = -row
        terms.append(Term(pipeline.register(row), index, 2))
    while len(terms) > 1:
        sums = [pipeline.add(low, high) for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = sums + terms[2 * len(sums) :]
    return terms[0]
