"""The sums of the backward pass: of dy and of dy * x over a channel, one multiplier a lane, both exact."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring

from ..errors import require_packets, require_whole
from ..logic.operator import computes
from ..numbers.formats import clog2
from ..primitives import primitives
from ..streams.layouts import inlet, outlet
from .gate import PacketGate
from .sums import gate_channels
from .total import ChannelTotal, add_lanes, delayed, delayed_flag, tree_latency

__all__ = ["GradientSums"]


@computes("l1bn_golden.samples.product_sum")
class GradientSums(wiring.Component):
    """sum dy and sum dy * x over a channel.

    Parameters
    ----------
    width : bits of x
    gradient_width : bits of dy
    lanes : elements in a beat
    count : the most elements in a channel
    target : whose multipliers to use, see :func:`l1bn.primitives.primitives`

    Members
    -------
    i : packets ``{x, dy, varies, last}``
    o : ``{gradient_sum, product_sum, varies}``: the sums, signed and exact, ``gradient_width + clog2(count)`` and
        ``width`` more bits; ``varies`` if it was 1 in any beat

    Latency: ``latency`` cycles from the final beat.
    """

    interval = 1

    def __init__(self, width: int, gradient_width: int, lanes: int, count: int, target: str = "portable"):
        require_packets(width, lanes, [count])
        require_whole("gradient_width", gradient_width, 1, 128)
        self.lanes = lanes
        x, dy = signed(width), signed(gradient_width)
        self.products = [primitives(target).multiplier(x, dy) for _ in range(lanes)]
        tree = tree_latency(lanes)
        self.entered = self.products[0].latency + tree
        sum_width = gradient_width + clog2(count)
        self.gradient_sum = ChannelTotal(signed(gradient_width + tree), sum_width)
        self.product_sum = ChannelTotal(signed(width + gradient_width + tree), width + sum_width)
        self.latency = PacketGate.latency + self.entered + self.product_sum.latency + 1
        beat = {
            "x": data.ArrayLayout(x, lanes),
            "dy": data.ArrayLayout(dy, lanes),
            "varies": 1,
            "last": 1,
        }
        sums = {"gradient_sum": signed(sum_width), "product_sum": signed(width + sum_width), "varies": 1}
        super().__init__({"i": inlet(data.StructLayout(beat)), "o": outlet(data.StructLayout(sums))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gradient_sum = gradient_sum = self.gradient_sum
        m.submodules.product_sum = product_sum = self.product_sum
        gate = gate_channels(m, self.i, self.o, product_sum.done)
        beat, taken = gate.beat, gate.passes
        addends = []
        for lane, product in enumerate(self.products):
            m.submodules[f"product_{lane}"] = product
            m.d.comb += [product.a.eq(beat.x[lane]), product.b.eq(beat.dy[lane]), product.enable.eq(1)]
            addends.append(product.product)
        direct = 1 + tree_latency(self.lanes)
        m.d.comb += [
            product_sum.valid.eq(delayed_flag(m, taken, self.entered)),
            product_sum.last.eq(delayed_flag(m, beat.last, self.entered)),
            product_sum.addend.eq(add_lanes(m, addends)),
            gradient_sum.valid.eq(delayed_flag(m, taken, direct)),
            gradient_sum.last.eq(delayed_flag(m, beat.last, direct)),
            gradient_sum.addend.eq(
                add_lanes(m, [delayed(m, beat.dy[lane], 1) for lane in range(self.lanes)])
            ),
        ]
        so_far = Signal()
        varies = Signal(reset_less=True)
        with m.If(taken):
            m.d.sync += so_far.eq((so_far | beat.varies) & ~beat.last)
            with m.If(beat.last):
                m.d.sync += varies.eq(so_far | beat.varies)
        m.d.comb += [
            self.o.payload.gradient_sum.eq(gradient_sum.total),
            self.o.payload.product_sum.eq(product_sum.total),
            self.o.payload.varies.eq(varies),
        ]
        return m
