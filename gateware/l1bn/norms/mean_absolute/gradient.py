"""Mean absolute: dx = k * (dy - s * M[dy * xhat]), s = sgn(x): one product an element and one of three offsets."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import wiring

from ...beats.sided import SidedAffine
from ...channels.offsets import SidedOffsets
from ...channels.turns import pace_of, registered_in_turns
from ...numbers.backward_formats import BackwardFormats
from ...streams.backward_layouts import scaled_record, sided_beat
from ...streams.layouts import extended, inlet, outlet, packet
from ...streams.registers import ADMISSION, ChannelRegister
from ..sided import apply_sides, find_offsets

__all__ = ["MeanAbsoluteGradient"]


class MeanAbsoluteGradient(wiring.Component):
    """The gradient of mean absolute normalisation. A beat waits for the second pass as dy and the sign of each x.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.GradientFacts`.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        self.offsets = registered_in_turns(lambda: SidedOffsets(formats), config.interval)
        self.apply = SidedAffine(formats)
        self.latency = self.offsets.latency + ChannelRegister.latency + ADMISSION
        self.interval = pace_of(self.offsets)
        self.apply_latency = self.apply.latency
        super().__init__(
            {
                "i": inlet(scaled_record(formats)),
                "i_beats": inlet(extended(sided_beat(formats), error=1)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.offsets = self.offsets
        m.submodules.apply = self.apply
        apply_sides(m, self, find_offsets(m, self, self.i))
        return m
