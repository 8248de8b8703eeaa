"""Forward batch normalisation: one template, of which the spread is the only part that differs between norms.

::

    i --> storage --pass 0--> sum --> divide --> mean ----+
             |                                            v
             +--------pass 1---------------------------> spread --> r --> scale --> offset o_stats
             |                                                              ^        |
             |                                                         gamma, beta   v
             +--------pass 2------------------------------------------------------> affine --> o

Data flows one way. A spread that needs the mean reads the samples in a pass of their own; one that does not
(one-pass L2) reads them beside the sum, and the unit needs one pass and one buffer less. Where no mean is subtracted
(RMS), there are no sum, no division and no offset.
"""

from __future__ import annotations

from functools import cached_property

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, stream, wiring

from ..beats.affine import Affine
from ..beats.sums import SumAccumulator
from ..channels.divide import DivideByConstant, DivideByCount
from ..channels.scale import Offset, Scale
from ..channels.turns import Turns, consult_in_turns, in_turns, pace_behind, pace_of
from ..config import Configuration
from ..norms import GuessingSpread
from ..numbers.formats import Formats
from ..streams.layouts import (
    affine_parameters,
    channel_mean,
    channel_spread,
    copied,
    extended,
    fields,
    inlet,
    next_pass,
    outlet,
    packet,
    scale_constants,
    select_field,
    statistics,
)
from ..streams.pivots import Pivots
from ..streams.registers import ADMISSION, ChannelRegister, fork, join, register_chain
from ..streams.repeated import AnsweredChannels, RepeatedChannels
from ..streams.storage import ChannelBuffers, ReplayedChannels

__all__ = ["BatchNorm"]


class MeanStage(wiring.Component):
    """The first pass: sum of the samples, divided by the count.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : packets with ``select`` and ``error``
    o : :func:`l1bn.streams.layouts.channel_mean` with ``error``

    Latency: ``latency`` cycles from the final beat.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        config = formats.config
        self.sums = SumAccumulator(config.width, config.lanes, formats.count_max)
        self.divide: DivideByConstant | DivideByCount | Turns
        if len(config.counts) == 1 and formats.only_powers_of_two:
            self.divide = DivideByConstant(formats.sum_width, formats.guard_bits, config.counts[0])
        else:
            self.divide = in_turns(
                lambda: DivideByCount(formats.sum_width, formats.guard_bits, config.counts),
                config.interval,
                before=self.sums.latency - 1,
            )
        self.latency = self.sums.latency + self.divide.latency + ChannelRegister.latency
        self.interval = pace_behind(self.sums.latency, self.divide)
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes, formats.select_width, error=True)),
                "o": outlet(extended(channel_mean(formats), error=1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sums = sums = self.sums
        m.submodules.divide = divide = self.divide
        tag = {**select_field(self.formats.select_width), "error": 1}
        m.submodules.means = means = ChannelRegister(self.o.payload.shape())
        channel = stream.Signature(extended(sums.o.payload.shape(), **tag)).create()
        # The tag of the beat that came in last, and of the channel whose sum is on its way.
        arrived = Signal(data.StructLayout(tag), reset_less=True)
        closing = Signal(data.StructLayout(tag), reset_less=True)
        with m.If(self.i.ready):
            m.d.sync += copied(self.i.payload, arrived)
        with m.If(sums.closes):
            m.d.sync += copied(arrived, closing)
        m.d.comb += [
            sums.i.valid.eq(self.i.valid),
            self.i.ready.eq(sums.i.ready),
            *copied(self.i.payload, sums.i.payload),
            channel.valid.eq(sums.o.valid),
            sums.o.ready.eq(channel.ready),
            *copied(sums.o.payload, channel.payload),
            *copied(closing, channel.payload),
        ]
        kept = consult_in_turns(m, channel, divide, means.i, "dividing")
        m.d.comb += copied(kept.payload, means.i.payload)
        if isinstance(divide, DivideByConstant):
            m.d.comb += [
                divide.i.payload.eq(channel.payload.sum),
                means.i.payload.mean.eq(divide.o.payload),
            ]
        else:
            m.d.comb += [
                divide.i.payload.dividend.eq(channel.payload.sum),
                *copied(channel.payload, divide.i.payload),
                means.i.payload.mean.eq(divide.o.payload.quotient),
            ]
        wiring.connect(m, means.o, wiring.flipped(self.o))
        return m


class LengthStage(wiring.Component):
    """The first pass where no mean is subtracted: the count of a channel, and whether its packet had that length.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and latency: as of :class:`MeanStage`.
    """

    latency, interval = ChannelRegister.latency, 2 * ChannelRegister.latency

    def __init__(self, formats: Formats):
        config = formats.config
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes, formats.select_width, error=True)),
                "o": outlet(extended(channel_mean(formats), error=1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.channels = channels = ChannelRegister(self.o.payload.shape())
        last = self.i.payload.last
        m.d.comb += [
            channels.i.valid.eq(self.i.valid & last),
            self.i.ready.eq(channels.i.ready | ~last),
            *copied(self.i.payload, channels.i.payload),
        ]
        wiring.connect(m, channels.o, wiring.flipped(self.o))
        return m


class ScaleStage(wiring.Component):
    """From the spread of a channel to what the affine operator needs, and the channel's statistics.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : :func:`l1bn.streams.layouts.spread_result` with ``mean`` where one is subtracted, ``select`` and ``error``
    i_affine : gamma and beta
    o : :func:`l1bn.streams.layouts.scale_constants` with ``error``
    o_stats : :func:`l1bn.streams.layouts.statistics`

    Latency: ``latency``. One channel in ``interval`` cycles.
    """

    def __init__(self, formats: Formats):
        self.formats = formats
        interval = formats.config.interval
        self.scale = in_turns(lambda: Scale(formats.scale), interval)
        self.offset = in_turns(lambda: Offset(formats.scale), interval) if formats.scale.subtracts else None
        steps = [step for step in (self.scale, self.offset) if step is not None]
        self.latency = 3 * ChannelRegister.latency + sum(step.latency for step in steps)
        self.interval = max(map(pace_of, steps))
        self.spread = channel_spread(formats)
        constants = fields(scale_constants(formats.scale))
        constants.pop("offset", None)
        self.scaled = extended(self.spread, **constants)
        super().__init__(
            {
                "i": inlet(self.spread),
                "i_affine": inlet(affine_parameters(formats)),
                "o": outlet(extended(scale_constants(formats.scale), error=1)),
                "o_stats": outlet(statistics(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scale = scale = self.scale
        if self.offset is not None:
            m.submodules.offset = self.offset
        m.submodules.spreads = spreads = ChannelRegister(self.spread)
        m.submodules.parameters = parameters = ChannelRegister(self.i_affine.payload.shape())
        m.submodules.scaled = scaled = ChannelRegister(self.scaled)
        m.submodules.constants = constants = ChannelRegister(self.o.payload.shape())
        m.submodules.statistics = stats = ChannelRegister(self.o_stats.payload.shape())

        wiring.connect(m, wiring.flipped(self.i), spreads.i)
        wiring.connect(m, wiring.flipped(self.i_affine), parameters.i)
        affine = fields(self.i_affine.payload.shape())
        channel = stream.Signature(extended(self.spread, **affine)).create()
        join(m, channel, spreads.o, parameters.o)
        scaling = consult_in_turns(m, channel, scale, scaled.i, "scaling")
        finished = kept = scaled.o
        if self.offset is not None:
            finished = stream.Signature(self.offset.o.payload.shape()).create()
            kept = consult_in_turns(m, scaled.o, self.offset, finished, "offsetting")
        fork(m, finished, constants.i, stats.i)
        m.d.comb += [
            *copied(spreads.o.payload, channel.payload),
            *copied(parameters.o.payload, channel.payload),
            *copied(channel.payload, scale.i.payload),
            *copied(scaling.payload, scaled.i.payload),
            *copied(scale.o.payload, scaled.i.payload),
        ]
        if self.offset is not None:
            m.d.comb += copied(scaled.o.payload, self.offset.i.payload)
        m.d.comb += copied(kept.payload, constants.i.payload)
        if self.offset is not None:
            m.d.comb += constants.i.payload.offset.eq(self.offset.o.payload)
        m.d.comb += copied(kept.payload, stats.i.payload)
        wiring.connect(m, constants.o, wiring.flipped(self.o))
        wiring.connect(m, stats.o, wiring.flipped(self.o_stats))
        return m


class BatchNorm(wiring.Component):
    """Forward batch normalisation of one channel after the other.

    Parameters
    ----------
    config : the configuration

    Members
    -------
    i : packets of x, :func:`l1bn.streams.layouts.packet`
    i_affine : gamma and beta, one item per channel
    o : packets of y with ``error``
    o_next : :func:`l1bn.streams.layouts.next_pass`, where means are guessed and the producer holds the samples: after
        each pass for the statistics, what to send next
    o_stats : the statistics, one item per channel; they hold the unit up like any stream that is not read. They
        leave before the last pass, so their ``error`` does not know of a wrong length there; that of ``o`` does

    The packet of one channel has count / lanes beats. One that is too short or too long gives a full packet
    of y that ends with ``error``; the next one is right.
    """

    def __init__(self, config: Configuration):
        self.config = config
        self.formats = formats = Formats(config)
        self.mean = MeanStage(formats) if config.traits.centred else LengthStage(formats)
        self.spread = config.traits.forms[str(config.form)](formats)
        self.scale = ScaleStage(formats)
        self.affine = Affine(formats.scale, config.lanes, min(formats.beats), config.target)
        self.pivots = Pivots(formats) if config.guesses else None
        self.storage: ChannelBuffers | ReplayedChannels | RepeatedChannels | AnsweredChannels
        if config.guesses and config.storage == "inside":
            self.storage = RepeatedChannels(formats, self.waits[0] + config.suspects)
        elif config.guesses:
            self.storage = AnsweredChannels(formats)
        elif config.storage == "inside":
            self.storage = ChannelBuffers(formats, self.waits)
        else:
            self.storage = ReplayedChannels(formats, len(self.waits) + 1)
        super().__init__(
            {
                "i": inlet(packet(config.width, config.lanes, formats.select_width)),
                "i_affine": inlet(affine_parameters(formats)),
                "o": outlet(packet(config.y_width, config.lanes, error=True)),
                "o_stats": outlet(statistics(formats)),
                **({"o_next": outlet(next_pass())} if isinstance(self.storage, AnsweredChannels) else {}),
            }
        )

    @cached_property
    def waits(self) -> list[int]:
        """Cycles from the final beat of each pass but the last until the next pass can begin."""
        return self._waits(0)

    def _waits(self, listed: int) -> list[int]:
        scaled = self._judged(listed) + self.scale.latency
        if self.spread.after_mean:
            return [self.mean.latency, scaled + ADMISSION]
        return [scaled + ADMISSION]

    def _judged(self, listed: int) -> int:
        """Cycles from the final beat until the spread is found and, where the mean was guessed, judged."""
        mean = self.mean.latency
        if self.pivots is None:
            return self.spread.latency(mean)
        return self.spread.latency(mean, listed) + self.pivots.latency

    def latency(self, count: int, listed: int = 0) -> int:
        """Cycles from a channel's first beat that is taken to its first beat of y, nothing else under way.

        Where the mean is guessed, it was guessed well, and the longest list of suspects has ``listed`` entries.
        """
        beats = count // self.config.lanes
        before = sum(beats - 1 + wait for wait in self._waits(listed))
        return self.storage.guard.latency + before + self.affine.latency

    def missed_latency(self, count: int, listed: int) -> int:
        """As :meth:`latency`, of a channel whose mean was guessed badly, with so many entries in its longest list."""
        beats = count // self.config.lanes
        return self.latency(count) + beats - 1 + self._judged(listed) + self.storage.turnaround

    def cycles_per_channel(self, count: int) -> int:
        """Cycles from channel to channel with a producer and sinks that never wait."""
        beats = count // self.config.lanes
        if self.config.storage == "outside":
            return beats + sum(beats - 1 + wait for wait in self.waits)
        return max(beats, self.mean.interval, self.spread.interval(self.mean.latency), self.scale.interval)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.storage = storage = self.storage
        m.submodules.mean = mean = self.mean
        m.submodules.spread = spread = self.spread
        m.submodules.scale = scale = self.scale
        m.submodules.affine = affine = self.affine
        passes = [getattr(storage, f"o_{index}") for index in range(len(self.waits) + 1)]
        wiring.connect(m, wiring.flipped(self.i), storage.i)
        wiring.connect(m, wiring.flipped(self.i_affine), scale.i_affine)
        wiring.connect(m, scale.o_stats, wiring.flipped(self.o_stats))
        wiring.connect(m, affine.o, wiring.flipped(self.o))
        if isinstance(storage, AnsweredChannels):
            wiring.connect(m, storage.o_next, wiring.flipped(self.o_next))

        readers = [[mean.i], [spread.i]] if spread.after_mean else [[mean.i, spread.i]]
        for source, sinks in zip(passes, [*readers, [affine.i]], strict=True):
            fork(m, source, *sinks)
            for sink in sinks:
                m.d.comb += copied(source.payload, sink.payload)

        # What the spread does not need of a channel waits beside it, in one register more than the spread holds
        # channels, so that the next one finds a place.
        beside = fields(mean.o.payload.shape())
        beside.pop("sum", None)
        first, last = register_chain(m, "waiting", data.StructLayout(beside), spread.held + 1)
        fork(m, mean.o, spread.i_mean, first)
        sources = [spread.o, last]
        error: Value = last.payload.error
        if spread.after_mean and self.config.storage == "outside":
            # Whether the packet of the second pass had the right length is known at its end.
            final = passes[1].valid & passes[1].ready & passes[1].payload.last
            first_late, last_late = register_chain(m, "late", data.StructLayout({"error": 1}), spread.held)
            m.d.comb += [first_late.valid.eq(final), first_late.payload.error.eq(passes[1].payload.error)]
            sources.append(last_late)
            error = error | last_late.payload.error
        found = scale.i
        if self.pivots is not None:
            m.submodules.pivots = self.pivots
            found = connect_pivots(m, self.pivots, spread, storage, scale)
        join(m, found, *sources)
        m.d.comb += [
            *copied(mean.o.payload, spread.i_mean.payload),
            *copied(mean.o.payload, first.payload),
            *copied(spread.o.payload, found.payload),
            *copied(last.payload, found.payload),
            found.payload.error.eq(error),
        ]

        m.d.comb += [
            affine.i_scale.valid.eq(scale.o.valid),
            scale.o.ready.eq(affine.i_scale.ready),
            *copied(scale.o.payload, affine.i_scale.payload),
            affine.i.payload.error.eq(passes[-1].payload.error),
        ]
        return m


def connect_pivots(
    m: Module, pivots: Pivots, spread: GuessingSpread, storage: RepeatedChannels | AnsweredChannels, scale: ScaleStage
) -> stream.Interface:
    """Let the pivots judge what passes found before it is scaled: where it goes in."""
    wiring.connect(m, pivots.o_guess, spread.i_guess)
    wiring.connect(m, pivots.o, scale.i)
    m.d.comb += [
        storage.judged.eq(pivots.judged),
        storage.again.eq(pivots.again),
        pivots.flushing.eq(storage.flushing),
        pivots.restart.eq(storage.restart),
    ]
    return pivots.i
