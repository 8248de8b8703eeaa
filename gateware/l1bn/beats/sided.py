"""dx of L1: the affine operator with one of three offsets, chosen for each element by its side of the mean."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring

from ..numbers.backward_formats import BackwardFormats
from ..streams.backward_layouts import sided_beat, sided_constants
from ..streams.layouts import extended, inlet, outlet, packet
from ..streams.registers import SkidRegister
from .affine import AffineLane
from .apply import ApplyPipeline

__all__ = ["SidedAffine"]


class SidedAffine(wiring.Component):
    """dx = (dy * k - offset[s] - 1) >> shift, rounded and saturated: one multiplier a lane.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : packets of dy and sides, with ``error``
    i_constants : :func:`l1bn.streams.backward_layouts.sided_constants`, one a packet, taken with its first beat
    o : packets of dx with ``error``: that of the beat or that of the constants

    Latency: ``latency``. One beat a cycle, across packets of three beats or more if the next constants wait.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        self.lanes = [AffineLane(formats.apply, config.target) for _ in range(config.lanes)]
        self.latency = ApplyPipeline.ENTRY + self.lanes[0].depth + SkidRegister.latency
        super().__init__(
            {
                "i": inlet(extended(sided_beat(formats), error=1)),
                "i_constants": inlet(sided_constants(formats)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.skid = skid = SkidRegister(self.o.payload.shape())
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        lane = self.lanes[0]
        pipeline = ApplyPipeline(m, self.i, self.i_constants, skid.i, lane.depth, min(self.formats.beats))
        constants = self.i_constants.payload
        below, level, above = (lane.ports(constants, constants[side]) for side in ("below", "level", "above"))
        offset_ports = [name for name in lane.depths if name.startswith("offset_")]
        sides = [
            pipeline.along(Value.cast(side), pipeline.ENTRY + lane.depth) for side in self.i.payload.side
        ]

        def chosen(name: str, index: int, offsets: dict[str, Value]) -> Value:
            """The part of an offset that an element needs, chosen a step before it is."""
            depth = lane.depths[name] - 1
            side = data.View(self.i.payload.side.shape().elem_shape, sides[index][pipeline.ENTRY + depth])
            value = Signal(offsets["level"].shape(), reset_less=True)
            with m.If(pipeline.advance):
                m.d.sync += value.eq(
                    Mux(side.above, offsets["above"], Mux(side.level, offsets["level"], offsets["below"]))
                )
            return value

        shared = {
            name: pipeline.in_step(value, lane.depths[name])
            for name, value in level.items()
            if name not in offset_ports
        }
        sided = {
            name: {
                side: pipeline.in_step(ports[name], lane.depths[name] - 1)
                for side, ports in (("below", below), ("level", level), ("above", above))
            }
            for name in offset_ports
        }
        for index, lane in enumerate(self.lanes):
            m.submodules[f"lane_{index}"] = lane
            m.d.comb += [lane.enable.eq(pipeline.advance), lane.x.eq(pipeline.data[index])]
            m.d.comb += [getattr(lane, name).eq(value) for name, value in shared.items()]
            m.d.comb += [getattr(lane, name).eq(chosen(name, index, sided[name])) for name in sided]
            m.d.comb += skid.i.payload.data[index].eq(lane.y)
        return m
