"""scale * (x - mean) with some fraction bits, floored and as wide as it gets: half of dx of L2."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ..logic.rtlil import Shared
from ..logic.subtract import resize, subtraction
from ..numbers.scale_format import ScaleFormat
from ..primitives import primitives
from ..streams.layouts import offset_of
from .affine import shift_bits

__all__ = ["ProductLane"]


class ProductLane(Shared):
    """The first half of :class:`l1bn.beats.affine.AffineLane`, from which no bit is lost.

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
        self.subtraction = subtraction(format)
        self.dropped = format.shift_range.start - (format.kept - 1)
        self.product_width = format.offset_width - self.dropped
        self.shift_bits = shift_bits(format)
        subtracted = self.multiplier.latency + self.subtraction.stages
        self.depth = subtracted + len(self.shift_bits)
        self.depths = {
            "scale": 0,
            **self.subtraction.depths(self.multiplier.latency),
            **{f"shift_{bit}": subtracted + index for index, bit in enumerate(self.shift_bits)},
            "negative": self.depth - 1,
        }
        super().__init__(
            {
                "enable": In(1),
                "x": In(signed(format.width)),
                "scale": In(format.scale_width),
                **self.subtraction.members,
                **{f"shift_{bit}": In(1) for bit in self.shift_bits},
                "negative": In(1),
                "product": Out(signed(self.product_width)),
            }
        )

    def ports(self, constants: data.View) -> dict[str, Value]:
        """The constant ports, and what of a channel's constants belongs there."""
        steps = constants.shift - self.format.shift_range.start
        return {
            "scale": constants.scale,
            **self.subtraction.ports(constants.negative, offset_of(constants)),
            **{f"shift_{bit}": steps[bit] for bit in self.shift_bits},
            "negative": constants.negative,
        }

    kind = "product_lane"

    @property
    def parameters(self) -> tuple[ScaleFormat, str]:
        return self.format, self.target

    def body(self) -> Module:
        m = Module()

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
        total = self.subtraction.subtract(stage, self, multiplier.product)
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
