"""scale * (x - mean) with some fraction bits, floored and as wide as it gets: half of dx of L2."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ..primitives import primitives
from ..rtlil import Shared
from ..scale_format import ScaleFormat
from .affine import resize, shift_bits
from .subtract import difference

__all__ = ["ProductLane"]


class ProductLane(Shared):
    """The first half of :class:`l1bn.operators.affine.AffineLane`, from which no bit is lost.

    ::

        x ---> * ---> - ---> >> (t - dropped) ---> ~ ---> product
               ^      ^          ^                 ^
             scale  offset     shift           negative

    Parameters
    ----------
    format : of the scale, whose ``kept`` are the fraction bits of the product
    target : whose primitives to use, see :data:`l1bn.primitives.TARGETS`

    Members
    -------
    enable : every register holds while 0
    x : the sample
    constant ports : ``depths`` has their names and after how many enabled cycles each is needed
    product : signed, ``product_width`` bits, ``depth`` enabled cycles later
    """

    def __init__(self, format: ScaleFormat, target: str):
        self.format, self.target = format, target
        multiplier = primitives(target).multiplier
        self.multiplier = multiplier(signed(format.width), unsigned(format.scale_width))
        # The offset has scale_fraction more bits than the product: 0 - offset - 1 is their complement.
        self.sum_width = format.offset_width - format.scale_fraction
        self.low_width = self.sum_width // 2
        self.dropped = format.shift_range.start - (format.kept - 1)
        self.product_width = format.offset_width - self.dropped
        self.shift_bits = shift_bits(format)
        subtracted = self.multiplier.latency + 2
        self.depth = subtracted + len(self.shift_bits)
        self.depths = {
            "scale": 0,
            "offset_low": subtracted - 2,
            "offset_high": subtracted - 1,
            **{f"shift_{bit}": subtracted + index for index, bit in enumerate(self.shift_bits)},
            "negative": self.depth - 1,
        }
        super().__init__(
            {
                "enable": In(1),
                "x": In(signed(format.width)),
                "scale": In(format.scale_width),
                "offset_low": In(self.low_width + format.scale_fraction),
                "offset_high": In(self.sum_width - self.low_width),
                **{f"shift_{bit}": In(1) for bit in self.shift_bits},
                "negative": In(1),
                "product": Out(signed(self.product_width)),
            }
        )

    def ports(self, constants: data.View) -> dict[str, Value]:
        """The constant ports, and what of a channel's constants belongs there."""
        split = self.low_width + self.format.scale_fraction
        steps = constants.shift - self.format.shift_range.start
        return {
            "scale": constants.scale,
            "offset_low": constants.offset[:split],
            "offset_high": constants.offset[split:],
            **{f"shift_{bit}": steps[bit] for bit in self.shift_bits},
            "negative": constants.negative,
        }

    kind = "product_lane"

    @property
    def parameters(self) -> tuple[ScaleFormat, str]:
        return self.format, self.target

    def body(self) -> Module:
        m = Module()
        fraction, split = self.format.scale_fraction, self.low_width

        def stage(value: Value) -> Signal:
            held = Signal(value.shape(), reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(value)
            return held

        m.submodules.multiplier = multiplier = self.multiplier
        m.d.comb += [
            multiplier.enable.eq(self.enable),
            multiplier.a.eq(self.x),
            multiplier.b.eq(self.scale),
        ]
        product = multiplier.product
        below = stage(stage(~self.offset_low[:fraction]))
        low = stage(difference(product[:split], self.offset_low[fraction:], 1))
        high = stage(product[split:].as_signed())
        rest = difference(resize(high, self.sum_width - split), self.offset_high, low[split])[:-1]
        total = Cat(below, stage(low[:split]), stage(rest))

        value: Value = total[self.dropped :].as_signed()
        for bit in self.shift_bits:
            shifts = getattr(self, f"shift_{bit}")
            moved = Mux(
                shifts, resize(value >> (1 << bit), self.product_width), resize(value, self.product_width)
            )
            if bit == 0:
                moved = moved ^ self.negative.replicate(self.product_width)
            value = stage(moved).as_signed()
        m.d.comb += self.product.eq(value)
        return m
