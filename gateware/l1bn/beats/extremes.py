"""The largest and the smallest sample of a channel: comparators, and no multiplier."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring

from ..errors import require_packets
from ..logic.operator import computes
from ..streams.layouts import inlet, outlet, packet
from .gate import PacketGate
from .sums import gate_channels
from .total import delayed_flag, tree_latency

__all__ = ["ExtremesAccumulator"]


@computes("builtins.max")
class ExtremesAccumulator(wiring.Component):
    """max x and min x over a channel: a tree of comparators over the lanes, and two that run over the beats.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel

    Members
    -------
    i : packets
    o : ``{maximum, minimum}``, signed, ``width`` bits

    Latency: ``latency`` cycles from the final beat. One beat a cycle across channels, if the extremes are taken
    before the next channel's final beat.
    """

    interval = 1

    def __init__(self, width: int, lanes: int, count: int):
        require_packets(width, lanes, [count])
        self.width, self.lanes = width, lanes
        # A register in front of the running comparators, behind them, and that of what leaves.
        self.latency = PacketGate.latency + tree_latency(lanes) + 4
        sample = signed(width)
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "o": outlet(data.StructLayout({"maximum": sample, "minimum": sample})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        done = Signal()
        gate = gate_channels(m, self.i, self.o, done)
        samples = [self._held(m, gate.beat.data[lane]) for lane in range(self.lanes)]
        highest, lowest = self._of_lanes(m, samples)
        entered = 1 + tree_latency(self.lanes)
        valid = delayed_flag(m, gate.passes, entered)
        last = delayed_flag(m, gate.passes & gate.beat.last, entered)

        maximum = Signal(signed(self.width), reset_less=True)
        minimum = Signal(signed(self.width), reset_less=True)
        starts = Signal(init=1)  # the next beat is the first one of its channel
        with m.If(valid):
            m.d.sync += starts.eq(last)
            with m.If(starts | (highest > maximum)):
                m.d.sync += maximum.eq(highest)
            with m.If(starts | (lowest < minimum)):
                m.d.sync += minimum.eq(lowest)
        # The next channel may begin at once, so what leaves has registers of its own.
        ended = delayed_flag(m, last, 1)
        with m.If(ended):
            m.d.sync += [self.o.payload.maximum.eq(maximum), self.o.payload.minimum.eq(minimum)]
        m.d.comb += done.eq(delayed_flag(m, ended, 1))
        return m

    def _held(self, m: Module, value: Value) -> Signal:
        held = Signal(signed(self.width), reset_less=True)
        m.d.sync += held.eq(value)
        return held

    def _of_lanes(self, m: Module, samples: list[Signal]) -> tuple[Signal, Signal]:
        """The extremes of one beat, a register after each level; the comparators of the first level serve both."""
        highest, lowest = samples, samples
        while len(highest) > 1:
            greater = [a > b for a, b in zip(highest[::2], highest[1::2], strict=True)]
            less = (
                greater
                if highest is lowest
                else [a > b for a, b in zip(lowest[::2], lowest[1::2], strict=True)]
            )
            highest = [
                self._held(m, Mux(found, a, b))
                for found, a, b in zip(greater, highest[::2], highest[1::2], strict=True)
            ]
            lowest = [
                self._held(m, Mux(found, b, a))
                for found, a, b in zip(less, lowest[::2], lowest[1::2], strict=True)
            ]
        return highest[0], lowest[0]
