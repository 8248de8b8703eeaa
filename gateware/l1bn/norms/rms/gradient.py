"""RMS: dx = k * (dy - xhat * M[dy * xhat]), two products an element and nothing subtracted from their factors."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, unsigned
from amaranth.lib import data, wiring

from ...beats.pair_affine import PairAffine
from ...channels.magnitude import Magnitude
from ...channels.multiply import SequentialMultiplier
from ...channels.scale import Scale
from ...logic.sequence import consult
from ...numbers.backward_formats import BackwardFormats
from ...streams.backward_layouts import pair_beat, pair_constants, product_constants, scaled_record
from ...streams.layouts import copied, extended, fields, inlet, outlet, packet
from ...streams.registers import ADMISSION, ChannelRegister

__all__ = ["RMSGradient"]


class RMSGradient(wiring.Component):
    """The gradient of RMS normalisation. A beat waits for the second pass as dy and x.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.GradientFacts`.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config = formats.config
        scale = unsigned(config.scale_width)
        self.numerator = SequentialMultiplier(scale, unsigned(formats.projection_mean_width - 1), scale)
        self.magnitude = Magnitude(formats.numerator_width, formats.mantissa_width, data.StructLayout({}))
        self.scale = Scale(formats.slope)
        self.apply = PairAffine(formats)
        steps = (self.numerator, self.magnitude, self.scale)
        self.latency = sum(step.latency + ChannelRegister.latency for step in steps) + ADMISSION
        self.interval = max(step.latency for step in steps) + 2
        self.apply_latency = self.apply.latency
        super().__init__(
            {
                "i": inlet(scaled_record(formats)),
                "i_beats": inlet(extended(pair_beat(formats), error=1)),
                "o": outlet(packet(config.dx_width, config.lanes, error=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        formats, slope = self.formats, self.formats.slope
        for name in ("numerator", "magnitude", "scale", "apply"):
            m.submodules[name] = getattr(self, name)
        numerator, magnitude, scale = self.numerator, self.magnitude, self.scale
        shapes = fields(scaled_record(formats))
        of_channel = {name: shapes[name] for name in ("error", "r_mantissa", "r_exponent")}
        of_dy = {"dy": product_constants(formats.apply)}
        m.submodules.multiplied = multiplied = ChannelRegister(
            data.StructLayout({**of_channel, **of_dy, "value": formats.numerator_width, "opposite": 1})
        )
        of_fraction = {"gamma": formats.mantissa_width, "opposite": 1, "r_exponent": slope.r_exponent_shape}
        m.submodules.normalised = normalised = ChannelRegister(
            data.StructLayout({**of_channel, **of_dy, **of_fraction})
        )
        m.submodules.current = current = ChannelRegister(pair_constants(formats))
        consult(m, self.i, numerator.i, numerator.o, multiplied.i)
        consult(m, multiplied.o, magnitude.i, magnitude.o, normalised.i)
        consult(m, normalised.o, scale.i, scale.o, current.i)

        a, k = self.i.payload.projection_mean, self.i.payload.scale
        sign = a[-1]
        shift = multiplied.o.payload.dy.shift
        exponent = multiplied.o.payload.r_exponent - shift - magnitude.o.payload.zeros + formats.slope_exponent
        m.d.comb += [
            # u = k * |a|, where a negative a is its complement and one more
            numerator.i.payload.a.eq(k),
            numerator.i.payload.b.eq(a[:-1] ^ sign.replicate(len(a) - 1)),
            numerator.i.payload.c.eq(Mux(sign, k, 0)),
            *copied(self.i.payload, multiplied.i.payload),
            *copied(self.i.payload, multiplied.i.payload.dy),
            multiplied.i.payload.value.eq(numerator.o.payload),
            multiplied.i.payload.opposite.eq(sign ^ self.i.payload.negative),
            # num / r
            magnitude.i.payload.value.eq(multiplied.o.payload.value),
            *copied(multiplied.o.payload, normalised.i.payload, but=("r_exponent",)),
            normalised.i.payload.gamma.eq(magnitude.o.payload.mantissa),
            normalised.i.payload.r_exponent.eq(exponent),
            *copied(normalised.o.payload, scale.i.payload),
            scale.i.payload.r_mantissa.eq(normalised.o.payload.r_mantissa << 1),
            *copied(normalised.o.payload, current.i.payload),
            *copied(scale.o.payload, current.i.payload.x),
            current.i.payload.x.negative.eq(normalised.o.payload.opposite),
        ]
        wiring.connect(m, current.o, self.apply.i_constants)
        wiring.connect(m, self.apply.o, wiring.flipped(self.o))
        m.d.comb += [
            self.apply.i.valid.eq(self.i_beats.valid),
            self.i_beats.ready.eq(self.apply.i.ready),
            *copied(self.i_beats.payload, self.apply.i.payload),
        ]
        return m
