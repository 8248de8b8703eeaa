"""dx of L2: a multiple of dy less a multiple of x, two multipliers a lane."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring

from ..logic.saturate import saturated
from ..logic.subtract import ROUNDED_STAGES, rounded_difference
from ..numbers.backward_formats import PRODUCT_FRACTION, BackwardFormats
from ..streams.backward_layouts import pair_beat, pair_constants
from ..streams.layouts import extended, inlet, outlet, packet
from ..streams.registers import SkidRegister
from .apply import ApplyPipeline
from .scaled_product import ProductLane

__all__ = ["PairAffine"]


class PairAffine(wiring.Component):
    """dx = round(k * (dy - m0) - e * (x - mean)), saturated; both products with Q fraction bits.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : packets of dy and x, with ``error``
    i_constants : :func:`l1bn.streams.backward_layouts.pair_constants`, one a packet, taken with its first beat
    o : packets of dx with ``error``: that of the beat or that of the constants

    Latency: ``latency``. One beat a cycle, across packets of three beats or more if the next constants wait.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        self.dy_lanes = [ProductLane(formats.apply, config.target) for _ in range(config.lanes)]
        self.x_lanes = [ProductLane(formats.slope, config.target) for _ in range(config.lanes)]
        # The products meet; then they are subtracted and rounded, and in one more stage saturated.
        self.product_depth = max(self.dy_lanes[0].depth, self.x_lanes[0].depth)
        self.depth = self.product_depth + ROUNDED_STAGES + 1
        self.latency = ApplyPipeline.ENTRY + self.depth + SkidRegister.latency
        super().__init__(
            {
                "i": inlet(extended(pair_beat(formats), error=1)),
                "i_constants": inlet(pair_constants(formats)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.skid = skid = SkidRegister(self.o.payload.shape())
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        pipeline = ApplyPipeline(m, self.i, self.i_constants, skid.i, self.depth, min(self.formats.beats))
        constants, beat = self.i_constants.payload, self.i.payload

        def stage(value: Value) -> Signal:
            held = Signal(value.shape(), reset_less=True)
            with m.If(pipeline.advance):
                m.d.sync += held.eq(value)
            return held

        def products(
            name: str, lanes: list[ProductLane], samples: list[Value], constants: Value
        ) -> list[Value]:
            # The pipeline of fewer stages begins later.
            late = self.product_depth - lanes[0].depth
            ports = lanes[0].ports(constants)
            shared = {
                key: pipeline.in_step(value, late + lanes[0].depths[key]) for key, value in ports.items()
            }
            for index, (lane, sample) in enumerate(zip(lanes, samples, strict=True)):
                m.submodules[f"{name}_{index}"] = lane
                m.d.comb += [
                    lane.enable.eq(pipeline.advance),
                    lane.x.eq(pipeline.along(sample, pipeline.ENTRY + late)[-1]),
                    *(getattr(lane, key).eq(value) for key, value in shared.items()),
                ]
            return [lane.product for lane in lanes]

        of_dy = products("dy_lane", self.dy_lanes, list(beat.data), constants.dy)
        of_x = products("x_lane", self.x_lanes, list(beat.x), constants.x)
        for index, (left, right) in enumerate(zip(of_dy, of_x, strict=True)):
            rounded = rounded_difference(stage, left, right, PRODUCT_FRACTION)
            m.d.comb += skid.i.payload.data[index].eq(stage(saturated(rounded, self.formats.config.dx_width)))
        return m
