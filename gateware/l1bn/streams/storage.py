"""Where the samples of a channel wait between the passes over them: in the unit or with the producer."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module
from amaranth.lib import wiring

from ..numbers.formats import Formats
from .guard import PacketGuard
from .layouts import copied, inlet, outlet, packet
from .registers import SampleBuffer, fork

__all__ = ["ChannelBuffers", "ReplayedChannels"]


class ChannelBuffers(wiring.Component):
    """Storage inside: a buffer in block RAM before each pass but the first.

    Parameters
    ----------
    formats : derived formats of the unit
    waits : for each buffer, the cycles from the final beat of a channel until its first beat is wanted; the
        buffer goes on filling meanwhile

    Members
    -------
    i : packets from outside
    o_0, o_1, ... : the passes, packets with ``select`` and ``error``; these two are valid in ``o_0`` and 0 in the
        others
    """

    def __init__(self, formats: Formats, waits: Sequence[int]):
        config = formats.config
        self.guard = PacketGuard(config.width, config.lanes, formats.beats, sendings=1)
        self.shape = packet(config.width, config.lanes, formats.select_width, error=True)
        self.stored = packet(config.width, config.lanes)
        self.buffers = [SampleBuffer(self.stored, max(formats.beats) + wait, config.target) for wait in waits]
        outputs = {f"o_{index}": outlet(self.shape) for index in range(len(waits) + 1)}
        super().__init__({"i": inlet(packet(config.width, config.lanes, formats.select_width)), **outputs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.guard = guard = self.guard
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        m.d.comb += copied(guard.o.payload, self.o_0.payload)
        source = guard.o
        for index, buffer in enumerate(self.buffers):
            m.submodules[f"buffer_{index}"] = buffer
            output, following = getattr(self, f"o_{index}"), getattr(self, f"o_{index + 1}")
            fork(m, source, output, buffer.i)
            m.d.comb += [
                buffer.i.payload.data.eq(source.payload.data),
                buffer.i.payload.last.eq(source.payload.last),
                following.payload.data.eq(buffer.o.payload.data),
                following.payload.last.eq(buffer.o.payload.last),
            ]
            source = buffer.o
        fork(m, source, following)
        return m


class ReplayedChannels(wiring.Component):
    """Storage outside: the producer sends the packet of each channel once for each pass.

    Parameters
    ----------
    formats : derived formats of the unit
    passes : passes over a channel

    Members
    -------
    i : packets from outside, those of one channel after each other
    o_0, o_1, ... : the passes, packets with ``select`` and ``error``
    """

    def __init__(self, formats: Formats, passes: int):
        config = formats.config
        self.guard = PacketGuard(config.width, config.lanes, formats.beats, passes)
        self.passes = passes
        shape = packet(config.width, config.lanes, formats.select_width, error=True)
        outputs = {f"o_{index}": outlet(shape) for index in range(passes)}
        super().__init__({"i": inlet(packet(config.width, config.lanes, formats.select_width)), **outputs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.guard = guard = self.guard
        wiring.connect(m, wiring.flipped(self.i), guard.i)
        outputs = [getattr(self, f"o_{index}") for index in range(self.passes)]
        for index, output in enumerate(outputs):
            m.d.comb += copied(guard.o.payload, output.payload)
            with m.If(guard.o.payload.number == index):
                m.d.comb += [output.valid.eq(guard.o.valid), guard.o.ready.eq(output.ready)]
        return m
