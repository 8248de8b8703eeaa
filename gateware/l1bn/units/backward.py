"""Backward batch normalisation: one template, of which the gradient is the only part that differs between norms.

::

    i_x --+                i_stats
          +--> pairs --> sides --pass 1--> sum dy, sum dy*x --> project --> o_gradients
    i_dy -+                |                                       |
                           |                            i_gamma -> slope
                           |                                       v
                           +--> storage --pass 2-------------> gradient --> o

Data flows one way, as in :mod:`l1bn.units.forward`. The statistics are there before the first pass, so that pass
already finds the side that each x is on: the second one of L1 needs no more of x than that.

An element waits for the second pass as ``formats.stored_width`` bits: those of dy and 2 for its side, or those of dy
and of x where r is a root.
"""

from __future__ import annotations

from functools import cached_property

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import data, stream, wiring

from ..beats.gradient_sums import GradientSums
from ..channels.divide import DivideByCount, Undivided
from ..channels.projection import Centre, Projection, Uncentred
from ..channels.scale import Scale
from ..channels.turns import Turns, consult_in_turns, in_turns, pace_of, registered_in_turns
from ..config import Configuration
from ..logic.saturate import saturated
from ..logic.settle import settling_cycles, settling_sum
from ..numbers.backward_formats import BackwardFormats
from ..streams.backward_layouts import (
    channel_record,
    gamma_parameter,
    gradients,
    projected_record,
    received_statistics,
    scaled_record,
)
from ..streams.layouts import copied, extended, inlet, outlet, packet
from ..streams.paired_packets import PairedPackets, StatisticsGuard
from ..streams.registers import ChannelRegister, SampleBuffer, fork, join

__all__ = ["BackwardBatchNorm"]


class ProjectStage(wiring.Component):
    """From the sums of a channel to sum dy * xhat, and the gradients of gamma and beta.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : :func:`l1bn.streams.backward_layouts.channel_record`
    o : :func:`l1bn.streams.backward_layouts.projected_record`
    o_gradients : :func:`l1bn.streams.backward_layouts.gradients`

    Latency: ``latency``. One channel in ``interval`` cycles.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        interval = formats.config.interval
        self.settling = settling_cycles(formats.gradient_width + 2)
        self.centre: Centre | Uncentred | Turns
        if formats.traits.centred:
            self.centre = registered_in_turns(lambda: Centre(formats), interval)
        else:
            self.centre = Uncentred(formats)
        self.projection = in_turns(lambda: Projection(formats), interval, self.settling)
        self.latency = (
            self.centre.latency + self.projection.latency + self.settling + 2 * ChannelRegister.latency
        )
        self.interval = max(pace_of(self.centre), pace_of(self.projection, self.settling))
        super().__init__(
            {
                "i": inlet(channel_record(formats)),
                "o": outlet(projected_record(formats)),
                "o_gradients": outlet(gradients(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats = self.formats
        m.submodules.centre = centre = self.centre
        m.submodules.projection = projection = self.projection
        centred_shape = extended(projected_record(formats), centred=centre.o.payload.shape())
        m.submodules.centred = centred = ChannelRegister(without(centred_shape, "projection"))
        m.submodules.projected = projected = ChannelRegister(self.o.payload.shape())
        m.submodules.summed = summed = ChannelRegister(self.o_gradients.payload.shape())
        found = stream.Signature(self.o.payload.shape()).create()
        centring = consult_in_turns(m, self.i, centre, centred.i, "centring")
        projecting = consult_in_turns(m, centred.o, projection, found, "projecting", self.settling)
        fork(m, found, projected.i, summed.i)

        fraction, width = formats.projection_fraction, formats.gradient_width
        half = projection.o.payload[fraction - 1]
        rounded = settling_sum(m, projection.o.payload >> fraction, Value.cast(0), width + 2, carry=half)
        m.d.comb += [
            *copied(self.i.payload, centre.i.payload),
            *copied(centring.payload, centred.i.payload),
            centred.i.payload.centred.eq(centre.o.payload),
            *copied(centred.o.payload, projection.i.payload),
            *copied(projecting.payload, projected.i.payload),
            projected.i.payload.projection.eq(projection.o.payload),
            summed.i.payload.dgamma.eq(saturated(rounded.as_signed(), width)),
            summed.i.payload.dbeta.eq(projecting.payload.gradient_sum),
            summed.i.payload.error.eq(projecting.payload.error),
        ]
        wiring.connect(m, projected.o, wiring.flipped(self.o))
        wiring.connect(m, summed.o, wiring.flipped(self.o_gradients))
        return m


class SlopeStage(wiring.Component):
    """a, the mean of dy * xhat or their sum, and the scale from dy to dx, which is 0 for a channel that does not vary.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : :func:`l1bn.streams.backward_layouts.projected_record`
    i_gamma : :func:`l1bn.streams.backward_layouts.gamma_parameter`
    o : :func:`l1bn.streams.backward_layouts.scaled_record`

    Latency: ``latency``. One channel in ``interval`` cycles.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        fraction = formats.mean_fraction - formats.projection_fraction
        interval = formats.config.interval
        self.divide: DivideByCount | Undivided | Turns
        if formats.gradient.averaged:
            self.divide = in_turns(
                lambda: DivideByCount(formats.projection_width, fraction, formats.config.counts), interval
            )
        else:
            self.divide = Undivided(formats.projection_width, formats.select_width)
        self.scale = in_turns(lambda: Scale(formats.apply), interval)
        self.latency = self.divide.latency + self.scale.latency + 2 * ChannelRegister.latency
        self.interval = max(pace_of(self.divide), pace_of(self.scale))
        super().__init__(
            {
                "i": inlet(projected_record(formats)),
                "i_gamma": inlet(gamma_parameter(formats)),
                "o": outlet(scaled_record(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.divide = divide = self.divide
        m.submodules.scale = scale = self.scale
        averaged_shape = without(self.o.payload.shape(), "scale", "shift", "negative")
        m.submodules.averaged = averaged = ChannelRegister(averaged_shape)
        m.submodules.parameters = parameters = ChannelRegister(self.i_gamma.payload.shape())
        m.submodules.scaled = scaled = ChannelRegister(self.o.payload.shape())
        wiring.connect(m, wiring.flipped(self.i_gamma), parameters.i)
        wiring.connect(m, scaled.o, wiring.flipped(self.o))
        channel = stream.Signature(averaged_shape).create()
        dividing = consult_in_turns(m, self.i, divide, averaged.i, "dividing")
        join(m, channel, averaged.o, parameters.o)
        scaling = consult_in_turns(m, channel, scale, scaled.i, "scaling")
        mean = saturated(divide.o.payload.quotient, self.formats.projection_mean_width)
        m.d.comb += [
            divide.i.payload.dividend.eq(self.i.payload.projection),
            *copied(self.i.payload, divide.i.payload),
            *copied(dividing.payload, averaged.i.payload),
            averaged.i.payload.projection_mean.eq(mean),
            *copied(averaged.o.payload, channel.payload),
            *copied(averaged.o.payload, scale.i.payload),
            *copied(parameters.o.payload, scale.i.payload),
            *copied(scaling.payload, scaled.i.payload),
            *copied(scale.o.payload, scaled.i.payload),
            scaled.i.payload.scale.eq(Mux(scaling.payload.varies, scale.o.payload.scale, 0)),
        ]
        return m


class BackwardBatchNorm(wiring.Component):
    """Backward batch normalisation of one channel after the other.

    Parameters
    ----------
    config : the configuration

    Members
    -------
    i_x : packets of x, :func:`l1bn.streams.layouts.packet`
    i_dy : packets of dy, of the same length
    i_stats : the statistics of the channel that the forward unit gave, which the first beat of a channel waits for
    i_gamma : gamma, one item per channel
    o : packets of dx with ``error``
    o_gradients : dgamma and dbeta with ``error``, one item per channel; they hold the unit up like any stream that is
        not read

    The packets of a channel have count / lanes beats. Where one is too short or too long, or r is one that no channel
    has, the packet of dx ends with ``error``, and so do the gradients (which leave before the last pass, and do not
    know of a wrong length there); the next channel is right.
    """

    def __init__(self, config: Configuration):
        self.config = config
        self.formats = formats = BackwardFormats(config)
        self.sendings = config.backward_sendings
        self.pairs = PairedPackets(formats, self.sendings)
        self.stats = StatisticsGuard(formats)
        self.sides = formats.gradient.sides(formats, self.sendings)
        self.sums = GradientSums(
            config.width, config.dy_width, config.lanes, formats.count_max, config.target
        )
        self.project, self.slope = ProjectStage(formats), SlopeStage(formats)
        self.gradient = formats.gradient.build(formats)
        super().__init__(
            {
                "i_x": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_dy": inlet(packet(config.dy_width, config.lanes)),
                "i_stats": inlet(received_statistics(formats)),
                "i_gamma": inlet(gamma_parameter(formats)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
                "o_gradients": outlet(gradients(formats)),
            }
        )

    @cached_property
    def wait(self) -> int:
        """Cycles from the final beat of the first pass until the second one can begin."""
        stages = (self.sums, self.project, self.slope, self.gradient)
        return sum(stage.latency for stage in stages) + ChannelRegister.latency

    @cached_property
    def buffer(self) -> SampleBuffer:
        """Where a channel waits for the second pass, with storage inside."""
        beats = max(self.formats.beats) + self.wait
        return SampleBuffer(self.formats.gradient.stored(self.formats), beats, self.config.target)

    def latency(self, count: int) -> int:
        """Cycles from a channel's first beat that is taken to its first beat of dx, nothing else under way.

        The statistics and gamma wait already.
        """
        beats = count // self.config.lanes
        before = self.pairs.latency + self.sides.latency
        return before + beats - 1 + self.wait + self.gradient.apply_latency

    def cycles_per_channel(self, count: int) -> int:
        """Cycles from channel to channel with producers and sinks that never wait."""
        beats = count // self.config.lanes
        if self.config.storage == "outside":
            return beats + beats - 1 + self.wait
        steps = (self.project.interval, self.slope.interval, self.gradient.interval)
        return max(beats, self.sums.latency + 2, *steps)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.pairs = pairs = self.pairs
        m.submodules.stats = stats = self.stats
        m.submodules.sides = sides = self.sides
        m.submodules.sums = sums = self.sums
        m.submodules.project = project = self.project
        m.submodules.slope = slope = self.slope
        m.submodules.gradient = gradient = self.gradient
        wiring.connect(m, wiring.flipped(self.i_x), pairs.i_x)
        wiring.connect(m, wiring.flipped(self.i_dy), pairs.i_dy)
        wiring.connect(m, wiring.flipped(self.i_stats), stats.i)
        wiring.connect(m, wiring.flipped(self.i_gamma), slope.i_gamma)
        wiring.connect(m, pairs.o, sides.i)
        wiring.connect(m, stats.o, sides.i_stats)

        m.d.comb += [
            *copied(sides.o.payload, sums.i.payload),
            sums.i.payload.varies.eq(~Cat(side.level for side in sides.o.payload.side).all()),
        ]
        if self.config.storage == "outside":
            self._replay(m)
        else:
            self._buffer(m)

        m.submodules.summed = summed = ChannelRegister(channel_record(self.formats))
        join(m, summed.i, sums.o, sides.o_stats)
        m.d.comb += [
            *copied(sides.o_stats.payload, summed.i.payload),
            *copied(sums.o.payload, summed.i.payload),
        ]
        wiring.connect(m, summed.o, project.i)
        wiring.connect(m, project.o, slope.i)
        wiring.connect(m, slope.o, gradient.i)
        wiring.connect(m, project.o_gradients, wiring.flipped(self.o_gradients))
        wiring.connect(m, gradient.o, wiring.flipped(self.o))
        return m

    def _buffer(self, m: Module) -> None:
        """What the second pass needs of a beat waits in block RAM."""
        m.submodules.buffer = buffer = self.buffer
        source, sums, second = self.sides.o, self.sums.i, self.gradient.i_beats
        fork(m, source, sums, buffer.i)
        m.d.comb += [
            *copied(source.payload, buffer.i.payload),
            buffer.i.payload.data.eq(source.payload.dy),
            second.valid.eq(buffer.o.valid),
            buffer.o.ready.eq(second.ready),
            *copied(buffer.o.payload, second.payload),
        ]

    def _replay(self, m: Module) -> None:
        """The producer sends every packet a second time."""
        source, sums, second = self.sides.o, self.sums.i, self.gradient.i_beats
        m.d.comb += [*copied(source.payload, second.payload), second.payload.data.eq(source.payload.dy)]
        for number, sink in enumerate([sums, second]):
            with m.If(source.payload.number == number):
                m.d.comb += [sink.valid.eq(source.valid), source.ready.eq(sink.ready)]


def without(layout: data.StructLayout, *names: str) -> data.StructLayout:
    """A layout less some of its fields."""
    return data.StructLayout({name: field.shape for name, field in layout if name not in names})
