"""RMS: dx = k * (dy - xhat * M[dy * xhat]), two products an element and nothing subtracted from their factors."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, unsigned
from amaranth.lib import data, wiring

from ...beats.pair_affine import PairAffine
from ...channels.magnitude import Magnitude
from ...channels.multiply import SequentialMultiplier
from ...channels.scale import Scale
from ...channels.turns import consult_in_turns, in_turns, pace_of, registered_in_turns
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
        config, interval = formats.config, formats.config.interval
        scale = unsigned(config.scale_width)
        numerator = unsigned(formats.projection_mean_width - 1)
        self.numerator = in_turns(lambda: SequentialMultiplier(scale, numerator, scale), interval)
        self.magnitude = registered_in_turns(
            lambda: Magnitude(formats.numerator_width, formats.mantissa_width, data.StructLayout({})), interval
        )
        self.scale = in_turns(lambda: Scale(formats.slope), interval)
        self.apply = PairAffine(formats)
        steps = (self.numerator, self.magnitude, self.scale)
        self.latency = sum(step.latency + ChannelRegister.latency for step in steps) + ADMISSION
        self.interval = max(map(pace_of, steps))
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
        multiplying = consult_in_turns(m, self.i, numerator, multiplied.i, "multiplying").payload
        normalising = consult_in_turns(m, multiplied.o, magnitude, normalised.i, "normalising").payload
        scaling = consult_in_turns(m, normalised.o, scale, current.i, "scaling").payload

        a, k = self.i.payload.projection_mean, self.i.payload.scale
        sign = a[-1]
        shift = normalising.dy.shift
        exponent = normalising.r_exponent - shift - magnitude.o.payload.zeros + formats.slope_exponent
        m.d.comb += [
            # u = k * |a|, where a negative a is its complement and one more
            numerator.i.payload.a.eq(k),
            numerator.i.payload.b.eq(a[:-1] ^ sign.replicate(len(a) - 1)),
            numerator.i.payload.c.eq(Mux(sign, k, 0)),
            *copied(multiplying, multiplied.i.payload),
            *copied(multiplying, multiplied.i.payload.dy),
            multiplied.i.payload.value.eq(numerator.o.payload),
            multiplied.i.payload.opposite.eq(multiplying.projection_mean[-1] ^ multiplying.negative),
            # num / r
            magnitude.i.payload.value.eq(multiplied.o.payload.value),
            *copied(normalising, normalised.i.payload, but=("r_exponent",)),
            normalised.i.payload.gamma.eq(magnitude.o.payload.mantissa),
            normalised.i.payload.r_exponent.eq(exponent),
            *copied(normalised.o.payload, scale.i.payload),
            scale.i.payload.r_mantissa.eq(normalised.o.payload.r_mantissa << 1),
            *copied(scaling, current.i.payload),
            *copied(scale.o.payload, current.i.payload.x),
            current.i.payload.x.negative.eq(scaling.opposite),
        ]
        wiring.connect(m, current.o, self.apply.i_constants)
        wiring.connect(m, self.apply.o, wiring.flipped(self.o))
        m.d.comb += [
            self.apply.i.valid.eq(self.i_beats.valid),
            self.i_beats.ready.eq(self.apply.i.ready),
            *copied(self.i_beats.payload, self.apply.i.payload),
        ]
        return m
