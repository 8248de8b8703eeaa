"""Inference: y = k * x + b from running statistics, with the operators of the forward pass."""

from __future__ import annotations

from amaranth.hdl import Module, Mux
from amaranth.lib import data, wiring

from ..beats.affine import Affine
from ..channels.fold import Fold
from ..channels.magnitude import Magnitude
from ..channels.turns import in_turns, pace_of, registered_in_turns
from ..config import Configuration
from ..numbers.running_formats import InferenceFormats
from ..streams.guard import PacketGuard
from ..streams.layouts import affine_parameters, copied, inlet, mean_field, outlet, packet
from ..streams.registers import ADMISSION, ChannelRegister, fork
from ..streams.running_layouts import averages, folded
from .forward import ScaleStage

__all__ = ["InferenceBatchNorm"]


class InferenceBatchNorm(wiring.Component):
    """Batch normalisation with given averages of one channel after the other; nothing is stored.

    Parameters
    ----------
    config : the configuration

    Members
    -------
    i : packets of x, :func:`l1bn.streams.layouts.packet`
    i_averages : the averages of a channel, as :class:`l1bn.units.running.RunningStatistics` gives them
    i_affine : gamma and beta, one item per channel
    o : packets of y with ``error``
    o_fold : the multiply-add that the channel amounts to, :func:`l1bn.streams.running_layouts.folded`; it holds the
        unit up like any stream that is not read

    A packet that is too short or too long gives a full packet of y that ends with ``error``; the next one is right.
    """

    def __init__(self, config: Configuration):
        self.config = config
        self.formats = formats = InferenceFormats(config)
        self.guard = PacketGuard(config.width, config.lanes, formats.beats)
        tag = data.StructLayout(mean_field(formats.mean_width))
        self.magnitude = registered_in_turns(
            lambda: Magnitude(formats.running_spread_width, formats.mantissa_width, tag), config.interval
        )
        self.scale = ScaleStage(formats)
        self.affine = Affine(formats.scale, config.lanes, min(formats.beats), config.target)
        self.fold = in_turns(lambda: Fold(formats.scale), config.interval)
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_averages": inlet(averages(formats)),
                "i_affine": inlet(affine_parameters(formats)),
                "o": outlet(packet(config.y_width, config.lanes, error=True)),
                "o_fold": outlet(folded(formats.scale)),
            }
        )

    @property
    def wait(self) -> int:
        """Cycles from the averages of a channel until its first beat can be taken out of the guard."""
        return ChannelRegister.latency + self.magnitude.latency + self.scale.latency + ADMISSION

    def latency(self, count: int) -> int:
        """Cycles from a channel's first beat that is taken to its first beat of y, its averages known for long."""
        return self.guard.latency + self.affine.latency

    def cycles_per_channel(self, count: int) -> int:
        """Cycles from channel to channel with producers and sinks that never wait."""
        steps = (pace_of(self.magnitude), self.scale.interval, pace_of(self.fold))
        return max(count // self.config.lanes, *steps)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.guard = guard = self.guard
        m.submodules.arrived = arrived = ChannelRegister(averages(formats))
        m.submodules.magnitude = magnitude = self.magnitude
        m.submodules.scale = scale = self.scale
        m.submodules.affine = affine = self.affine
        m.submodules.fold = fold = self.fold
        m.submodules.folding = folding = ChannelRegister(fold.i.payload.shape())
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        wiring.connect(m, wiring.flipped(self.i_averages), arrived.i)
        wiring.connect(m, wiring.flipped(self.i_affine), scale.i_affine)
        wiring.connect(m, affine.o, wiring.flipped(self.o))
        wiring.connect(m, fold.o, wiring.flipped(self.o_fold))
        wiring.connect(m, folding.o, fold.i)
        spread, found = arrived.o.payload.spread, magnitude.o.payload
        m.d.comb += [
            magnitude.i.valid.eq(arrived.o.valid),
            arrived.o.ready.eq(magnitude.i.ready),
            # A spread of 0 counts as 1.
            magnitude.i.payload.value.eq(Mux(spread.any(), spread, 1)),
            *copied(arrived.o.payload, magnitude.i.payload.tag),
            scale.i.valid.eq(magnitude.o.valid),
            magnitude.o.ready.eq(scale.i.ready),
            *copied(found.tag, scale.i.payload),
            scale.i.payload.r_mantissa.eq(found.mantissa),
            scale.i.payload.r_exponent.eq(found.zeros + formats.r_exponents[0]),
            scale.o_stats.ready.eq(1),
            affine.i.valid.eq(guard.o.valid),
            guard.o.ready.eq(affine.i.ready),
            *copied(guard.o.payload, affine.i.payload),
            *copied(scale.o.payload, affine.i_scale.payload),
            *copied(scale.o.payload, folding.i.payload),
        ]
        fork(m, scale.o, affine.i_scale, folding.i)
        return m
