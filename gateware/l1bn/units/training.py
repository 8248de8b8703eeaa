"""Training: a forward and a backward unit with the statistics of a whole layer between them.

::

    i --------> forward --> o
    i_affine ------^  |
                      +--> running --> o_averages
                      v
                    queue: statistics and gamma of each channel
                      v
    i_x, i_dy -> backward --> o_dx, o_gradients

A step passes all channels of a layer forward, and later, in the same order, all of them backward.

What backward needs of an element is x, ``width`` bits, which whoever computes the layer keeps in any case or computes
again, and sends once more: neither y nor xhat nor the signs of L1 have to be stored, because the signs follow from x
and the mean. Of a channel it needs ``kept_width`` bits, and these are kept here.
"""

from __future__ import annotations

from functools import cached_property

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import wiring

from ..config import Configuration
from ..numbers.backward_formats import BackwardFormats
from ..numbers.running_formats import RunningFormats
from ..streams.backward_layouts import gamma_parameter, gradients, received_statistics
from ..streams.layouts import affine_parameters, copied, inlet, outlet, packet
from ..streams.registers import SampleBuffer, fork
from ..streams.running_layouts import averages
from .backward import BackwardBatchNorm
from .forward import BatchNorm
from .running import RunningStatistics

__all__ = ["TrainingBatchNorm"]


class TrainingBatchNorm(wiring.Component):
    """Forward and backward batch normalisation of a layer, and its running statistics.

    Parameters
    ----------
    config : the configuration; up to ``channels`` channels wait for their backward pass

    Members
    -------
    i, i_affine, o : as of :class:`l1bn.units.forward.BatchNorm`
    i_x, i_dy, o_gradients : as of :class:`l1bn.units.backward.BackwardBatchNorm`, which finds gamma and the statistics
        here
    o_dx : its packets of dx
    o_averages : the running statistics of each channel after its forward pass, which takes them along; channel 0
        follows the last one

    A packet of wrong length on ``i`` marks its channel forward and backward, and the running statistics leave it out.
    A stream that is not read holds up its side, and the queue in the end the other one.
    """

    def __init__(self, config: Configuration):
        self.config = config
        self.formats = formats = BackwardFormats(config)
        self.forward = BatchNorm(config)
        self.backward = BackwardBatchNorm(config)
        self.running = RunningStatistics(config, config.channels)
        self.statistics = SampleBuffer(received_statistics(formats), config.channels, config.target)
        self.gammas = SampleBuffer(gamma_parameter(formats), config.channels, config.target)
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_affine": inlet(affine_parameters(formats)),
                "o": outlet(packet(config.y_width, config.lanes, error=True)),
                "o_averages": outlet(averages(RunningFormats(config))),
                "i_x": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_dy": inlet(packet(config.dy_width, config.lanes)),
                "o_dx": outlet(packet(config.dx_width, config.lanes, error=True)),
                "o_gradients": outlet(gradients(formats)),
            }
        )

    @cached_property
    def kept_width(self) -> int:
        """Bits that a channel keeps from its forward pass to its backward pass."""
        layouts = (received_statistics(self.formats), gamma_parameter(self.formats))
        return sum(Shape.cast(layout).width for layout in layouts)

    def latency(self, count: int) -> int:
        """Of the forward pass; ``backward.latency`` is that of the other one."""
        return self.forward.latency(count)

    def cycles_per_channel(self, count: int) -> int:
        """Of the slowest of the two passes and the running statistics, which come along with the forward pass."""
        passes = (self.forward, self.backward)
        return max(self.running.interval, *(unit.cycles_per_channel(count) for unit in passes))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.forward = forward = self.forward
        m.submodules.backward = backward = self.backward
        m.submodules.running = running = self.running
        m.submodules.statistics = statistics = self.statistics
        m.submodules.gammas = gammas = self.gammas
        wiring.connect(m, wiring.flipped(self.i), forward.i)
        wiring.connect(m, forward.o, wiring.flipped(self.o))
        wiring.connect(m, running.o, wiring.flipped(self.o_averages))
        wiring.connect(m, wiring.flipped(self.i_x), backward.i_x)
        wiring.connect(m, wiring.flipped(self.i_dy), backward.i_dy)
        wiring.connect(m, backward.o, wiring.flipped(self.o_dx))
        wiring.connect(m, backward.o_gradients, wiring.flipped(self.o_gradients))
        wiring.connect(m, statistics.o, backward.i_stats)
        wiring.connect(m, gammas.o, backward.i_gamma)

        fork(m, self.i_affine, forward.i_affine, gammas.i)
        fork(m, forward.o_stats, statistics.i, running.i)
        channel = Signal(range(max(2, self.config.channels)))
        with m.If(running.i.valid & running.i.ready):
            final = channel == self.config.channels - 1
            m.d.sync += channel.eq(0)
            with m.If(~final):
                m.d.sync += channel.eq(channel + 1)
        m.d.comb += [
            *copied(self.i_affine.payload, forward.i_affine.payload),
            *copied(self.i_affine.payload, gammas.i.payload),
            *copied(forward.o_stats.payload, statistics.i.payload),
            *copied(forward.o_stats.payload, running.i.payload),
            running.i.payload.channel.eq(channel),
            running.i.payload.update.eq(1),
        ]
        return m
