"""Sums of squares, the per-element half of the L2 baseline: one multiplier a lane."""

from __future__ import annotations

from amaranth.hdl import Module, Shape, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..errors import require_packets
from ..logic.operator import computes
from ..numbers.formats import clog2
from ..primitives import primitives
from ..streams.layouts import inlet, outlet, packet
from .gate import PacketGate
from .sums import begin_with, gate_channels
from .total import ChannelTotal, add_lanes, delayed, delayed_flag, tree_latency

__all__ = ["CentredSquareAccumulator", "SquareAccumulator"]


class SquareTotal(wiring.Component):
    """Sum of the squares of what enters between two ends: :class:`ChannelTotal` behind multipliers.

    Parameters
    ----------
    operand : signed shape of an operand
    lanes : operands a cycle
    width : bits of the unsigned sum
    target : whose multipliers to use

    Members
    -------
    valid, operands, last, done, total : as :class:`ChannelTotal`, with ``lanes`` operands for the addend
    """

    def __init__(self, operand: Shape, lanes: int, width: int, target: str):
        self.lanes = lanes
        self.squares = [primitives(target).multiplier(operand, operand) for _ in range(lanes)]
        self.entered = self.squares[0].latency + tree_latency(lanes)
        self.square_width = 2 * operand.width - 1  # the square of the smallest operand just fits
        self.sum = ChannelTotal(unsigned(self.square_width + tree_latency(lanes)), width)
        self.latency = self.entered + self.sum.latency
        super().__init__(
            {
                "valid": In(1),
                "operands": In(data.ArrayLayout(operand, lanes)),
                "last": In(1),
                "done": Out(1),
                "total": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sum = total = self.sum
        squares = []
        for lane, square in enumerate(self.squares):
            m.submodules[f"square_{lane}"] = square
            m.d.comb += [
                square.a.eq(self.operands[lane]),
                square.b.eq(self.operands[lane]),
                square.enable.eq(1),
            ]
            squares.append(square.product[: self.square_width])
        m.d.comb += [
            total.valid.eq(delayed_flag(m, self.valid, self.entered)),
            total.last.eq(delayed_flag(m, self.last, self.entered)),
            total.addend.eq(add_lanes(m, squares)),
            self.done.eq(total.done),
            self.total.eq(total.total),
        ]
        return m


@computes("l1bn_golden.samples.square_sum")
class SquareAccumulator(wiring.Component):
    """Sum of x^2 over a channel, in the same pass as the sum of x (identity 2 of the one-pass L2 form).

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel
    target : whose multipliers to use, see :func:`l1bn.primitives.primitives`

    Members
    -------
    i : packets
    o : ``{square_sum}``, unsigned, ``2 * width - 1 + clog2(count)`` bits, exact

    Latency: ``latency`` cycles from the final beat.
    """

    interval = 1

    def __init__(self, width: int, lanes: int, count: int, target: str = "portable"):
        require_packets(width, lanes, [count])
        self.lanes = lanes
        self.total = SquareTotal(signed(width), lanes, 2 * width - 1 + clog2(count), target)
        self.latency = PacketGate.latency + self.total.latency + 1
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "o": outlet(data.StructLayout({"square_sum": 2 * width - 1 + clog2(count)})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.total = total = self.total
        gate = gate_channels(m, self.i, self.o, total.done)
        m.d.comb += [
            total.valid.eq(gate.passes),
            total.last.eq(gate.beat.last),
            total.operands.eq(gate.beat.data),
            self.o.payload.square_sum.eq(total.total),
        ]
        return m


@computes("l1bn_golden.samples.centred_square_sum")
class CentredSquareAccumulator(wiring.Component):
    """Sum of (x - m)^2 over a channel with m = floor(mean): the second pass of the two-pass L2 form.

    Any integer m gives the exact variance, ``n^2 var = n * sum (x-m)^2 - (sum (x-m))^2``; with the floor of
    the mean the operands stay one bit wider than the samples, however many bits the mean has.

    Parameters
    ----------
    width : bits of a sample
    lanes : samples in a beat
    count : the most samples in a channel
    target : whose multipliers to use, see :func:`l1bn.primitives.primitives`

    Members
    -------
    i : packets
    i_floor : ``floor(mean)``, signed, ``width`` bits; one per packet, taken with its first beat
    o : ``{square_sum, centred_sum}``: unsigned, ``2 * width + clog2(count)`` bits, and sum (x - m), signed,
        for which ``clog2(count) + 2`` bits are enough because m is within 1 of the mean; both exact

    Attributes
    ----------
    closes : as in :class:`l1bn.beats.sums.SumAccumulator`

    Latency: ``latency`` cycles from the final beat.
    """

    interval = 1

    def __init__(self, width: int, lanes: int, count: int, target: str = "portable"):
        require_packets(width, lanes, [count])
        self.width, self.lanes = width, lanes
        self.total = SquareTotal(signed(width + 1), lanes, 2 * width + clog2(count), target)
        self.closes = Signal()
        self.centred = ChannelTotal(signed(width + 1 + tree_latency(lanes)), clog2(count) + 2)
        self.latency = PacketGate.latency + 3 + self.total.latency + 1
        sums = {"square_sum": 2 * width + clog2(count), "centred_sum": signed(self.centred.width)}
        super().__init__(
            {
                "i": inlet(packet(width, lanes)),
                "i_floor": inlet(signed(width)),
                "o": outlet(data.StructLayout(sums)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.total = total = self.total
        m.submodules.centred = centred_sum = self.centred
        gate = gate_channels(m, self.i, self.o, total.done)
        begin_with(m, gate, self.i_floor)
        floor = Signal(signed(self.width), reset_less=True)
        with m.If(self.i_floor.ready):
            m.d.sync += floor.eq(self.i_floor.payload)
        operands = []
        for lane in range(self.lanes):
            sample = delayed(m, gate.beat.data[lane], 2)
            centred = Signal(signed(self.width + 1), reset_less=True)
            m.d.sync += centred.eq(sample - floor)
            m.d.comb += total.operands[lane].eq(centred)
            operands.append(centred)
        valid, last = delayed_flag(m, gate.passes, 3), delayed_flag(m, gate.beat.last, 3)
        entered = tree_latency(self.lanes)
        m.d.comb += [
            self.closes.eq(gate.passes & gate.beat.last),
            total.valid.eq(valid),
            total.last.eq(last),
            centred_sum.valid.eq(delayed_flag(m, valid, entered)),
            centred_sum.last.eq(delayed_flag(m, last, entered)),
            centred_sum.addend.eq(add_lanes(m, operands)),
            self.o.payload.square_sum.eq(total.total),
            self.o.payload.centred_sum.eq(centred_sum.total),
        ]
        return m
