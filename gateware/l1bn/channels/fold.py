"""What the layer before a normaliser can take over: the scale and the bias of a channel as one multiply-add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value, signed
from amaranth.lib import wiring

from ..logic.sequence import sequence
from ..logic.settle import settling_cycles, settling_sum
from ..numbers.running_formats import folded_width
from ..numbers.scale_format import ScaleFormat
from ..streams.layouts import extended, inlet, outlet, scale_constants
from ..streams.running_layouts import folded

__all__ = ["Fold"]


class Fold(wiring.Component):
    """The fold of a channel: y = saturate((c * x * 2^(f - shift) + b + 2^(f-1)) >> f) with f = max(shift, 1).

    The affine operator's offset loses its bits below the fold's fraction, beta moves up to it, a place a step.

    Parameters
    ----------
    format : of the scale

    Members
    -------
    i : :func:`l1bn.streams.layouts.scale_constants` with ``error``
    o : :func:`l1bn.streams.running_layouts.folded`

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, format: ScaleFormat):
        self.format = format
        self.width = folded_width(format)
        self.places = max(1, format.shift_range[-1])
        self.latency = self.places + settling_cycles(self.width) + 2
        self.interval = self.latency + 1
        super().__init__(
            {
                "i": inlet(extended(scale_constants(format), error=1)),
                "o": outlet(folded(format)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        format = self.format
        arriving = self.i.payload
        run = sequence(m, self.i, self.o, self.latency - 1)
        scale = Signal(format.scale_width, reset_less=True)
        negative = Signal(reset_less=True)
        shift = Signal(folded(format)["shift"].shape, reset_less=True)
        # -offset - 1 for a gamma that is not negative, else the offset, are floor(-c * mean * 2^F / 2^G).
        # Without a mean they are 0.
        bias: Value = Const(0, signed(1))
        if format.subtracts:
            bias = Signal(signed(format.offset_width), reset_less=True)

        def set_bias(value: Callable[[], Value]) -> list[Any]:
            return [bias.eq(value())] if format.subtracts else []

        beta = Signal(signed(self.width), reset_less=True)
        left = Signal(range(self.places + 1), reset_less=True)  # places of t that are still to come
        below = Signal(range(format.scale_fraction + 1), reset_less=True)  # of which these are bias's own
        with m.If(run.load):
            m.d.sync += [
                scale.eq(arriving.scale),
                negative.eq(arriving.negative),
                shift.eq(arriving.shift - (format.scale_fraction - 1)),
                *set_bias(lambda: arriving.offset ^ (~arriving.negative).replicate(len(bias)).as_signed()),
                # Twice beta', because the fold has one fraction bit at least.
                beta.eq(arriving.beta << (format.beta_shift + 1)),
                left.eq(arriving.shift),
                below.eq(format.scale_fraction),
            ]
        with m.Elif(run.step & (left != 0)):
            m.d.sync += left.eq(left - 1)
            with m.If(below != 0):
                m.d.sync += [*set_bias(lambda: bias >> 1), below.eq(below - 1)]
            with m.Else():
                m.d.sync += beta.eq(beta << 1)
        total = settling_sum(m, bias, beta, self.width)
        m.d.comb += [
            self.o.payload.scale.eq(scale),
            self.o.payload.negative.eq(negative),
            self.o.payload.shift.eq(shift),
            self.o.payload.b.eq(total),
        ]
        return m
