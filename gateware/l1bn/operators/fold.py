"""What the layer before a normaliser can take over: the scale and the bias of a channel as one multiply-add."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring

from ..layouts import extended, inlet, outlet, scale_constants
from ..running_formats import InferenceFormats, folded
from .sequence import sequence
from .settle import settling_cycles, settling_sum

__all__ = ["Fold"]


class Fold(wiring.Component):
    """The fold of a channel: y = saturate((c * x * 2^(f - shift) + b + 2^(f-1)) >> f) with f = max(shift, 1).

    The affine operator's offset loses its bits below the fold's fraction, beta moves up to it, a place a step.

    Parameters
    ----------
    formats : derived formats of the unit

    Members
    -------
    i : :func:`l1bn.layouts.scale_constants` with ``error``
    o : :func:`l1bn.running_formats.folded`

    Latency: ``latency``. One result in ``interval`` cycles, one more.
    """

    def __init__(self, formats: InferenceFormats):
        self.formats = formats
        self.width = formats.folded_width
        self.places = max(1, formats.shift_range[-1])
        self.latency = self.places + settling_cycles(self.width) + 2
        self.interval = self.latency + 1
        super().__init__(
            {
                "i": inlet(extended(scale_constants(formats), error=1)),
                "o": outlet(folded(formats)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, config = self.formats, self.formats.config
        arriving = self.i.payload
        run = sequence(m, self.i, self.o, self.latency - 1)
        scale = Signal(config.scale_width, reset_less=True)
        negative = Signal(reset_less=True)
        shift = Signal(folded(formats)["shift"].shape, reset_less=True)
        # -offset - 1 for a gamma that is not negative, else the offset, are floor(-c * mean * 2^F / 2^G).
        bias = Signal(signed(formats.offset_width), reset_less=True)
        beta = Signal(signed(self.width), reset_less=True)
        left = Signal(range(self.places + 1), reset_less=True)  # places of t that are still to come
        below = Signal(range(formats.scale_fraction + 1), reset_less=True)  # of which these are bias's own
        with m.If(run.load):
            m.d.sync += [
                scale.eq(arriving.scale),
                negative.eq(arriving.negative),
                shift.eq(arriving.shift - (formats.scale_fraction - 1)),
                bias.eq(arriving.offset ^ (~arriving.negative).replicate(len(bias)).as_signed()),
                # Twice beta', because the fold has one fraction bit at least.
                beta.eq(arriving.beta << (config.y_fraction - config.beta_fraction + 1)),
                left.eq(arriving.shift),
                below.eq(formats.scale_fraction),
            ]
        with m.Elif(run.step & (left != 0)):
            m.d.sync += left.eq(left - 1)
            with m.If(below != 0):
                m.d.sync += [bias.eq(bias >> 1), below.eq(below - 1)]
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
