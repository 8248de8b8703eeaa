"""Wide products from the fixed-size multiplier blocks of a device."""

from __future__ import annotations

from abc import abstractmethod

from amaranth.hdl import Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib.wiring import In, Out

from ..logic.rtlil import Shared

__all__ = ["BlockMultiplier", "add_registered", "multiplier_kind", "product_shape"]


def product_shape(a_shape: Shape, b_shape: Shape) -> Shape:
    """The shape of an exact product."""
    return (Signal(a_shape) * Signal(b_shape)).shape()


def multiplier_kind(a_shape: Shape, b_shape: Shape) -> str:
    """A word for the multiplier of two shapes."""
    factors = (f"{'s' if shape.signed else 'u'}{shape.width}" for shape in (a_shape, b_shape))
    return f"multiplier_{'_'.join(factors)}"


def add_registered(m: Module, terms: list[Value], enable: Value) -> tuple[Value, int]:
    """The sum of several terms by a tree of adders, a register after each level, and the number of levels."""
    levels = 0
    while len(terms) > 1:
        sums = [left + right for left, right in zip(terms[::2], terms[1::2], strict=False)]
        sums += terms[2 * len(sums) :]
        terms = [Signal(total.shape(), name="term", reset_less=True) for total in sums]
        with m.If(enable):
            m.d.sync += [term.eq(total) for term, total in zip(terms, sums, strict=True)]
        levels += 1
    return terms[0], levels


def slices(shape: Shape, size: int) -> list[tuple[int, Shape]]:
    """Cut a factor into ``(offset, shape)`` of what a port of ``size`` bits takes; the sign is in the last one."""
    cut = []
    offset = 0
    while shape.width - offset > size:
        # A signed port takes an unsigned number of one bit less; a port that is either takes all of its bits.
        cut.append((offset, unsigned(size)))
        offset += size
    rest = shape.width - offset
    return [*cut, (offset, signed(rest) if shape.signed else unsigned(rest))]


class BlockMultiplier(Shared):
    """Registered product of two numbers of any width on blocks of one size, with registers inside the blocks.

    Parameters
    ----------
    a_shape, b_shape : shapes of the factors

    Members
    -------
    a, b : the factors
    enable : every register holds while 0
    product : ``a * b``, exact; ``latency`` enabled cycles later: ``block_latency``, and one for each level of the
        adder tree where a factor is wider than a block
    """

    size: int
    """Bits of each factor that a block takes, whether they are signed or not."""
    block_latency = 3

    def __init__(self, a_shape: Shape, b_shape: Shape):
        self.a_shape, self.b_shape = Shape.cast(a_shape), Shape.cast(b_shape)
        self.product_shape = product_shape(self.a_shape, self.b_shape)
        self.parts = [
            (a, b) for a in slices(self.a_shape, self.size) for b in slices(self.b_shape, self.size)
        ]
        self.latency = self.block_latency + (len(self.parts) - 1).bit_length()
        super().__init__(
            {
                "a": In(self.a_shape),
                "b": In(self.b_shape),
                "enable": In(1),
                "product": Out(self.product_shape),
            }
        )

    @abstractmethod
    def block(self, m: Module, a: Value, b: Value, product: Signal) -> None:
        """Add a block to ``m``: ``product = a * b``, at most ``size`` bits each, ``block_latency`` cycles later."""

    @property
    def kind(self) -> str:
        return f"block_{multiplier_kind(self.a_shape, self.b_shape)}"

    @property
    def parameters(self) -> tuple[Shape, Shape]:
        return self.a_shape, self.b_shape

    def body(self) -> Module:
        m = Module()
        terms: list[Value] = []
        for (a_offset, a_shape), (b_offset, b_shape) in self.parts:
            a = Signal(a_shape)
            b = Signal(b_shape)
            product = Signal(product_shape(a_shape, b_shape))
            m.d.comb += [a.eq(self.a >> a_offset), b.eq(self.b >> b_offset)]
            self.block(m, a, b, product)
            terms.append(product.shift_left(a_offset + b_offset))
        total, _ = add_registered(m, terms, self.enable)
        m.d.comb += self.product.eq(total)
        return m
