"""L2: dx = k * (dy - M[dy] - xhat * M[dy * xhat]), two products an element."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, signed, unsigned
from amaranth.lib import data, wiring

from ...beats.pair_affine import PairAffine
from ...channels.divide import DivideByCount
from ...channels.magnitude import Magnitude
from ...channels.multiply import SequentialMultiplier
from ...channels.scale import Offset, Scale
from ...channels.turns import consult_in_turns, in_turns, pace_of, registered_in_turns
from ...numbers.backward_formats import BackwardFormats
from ...streams.backward_layouts import pair_beat, pair_constants, product_constants, scaled_record
from ...streams.layouts import copied, extended, fields, inlet, outlet, packet
from ...streams.registers import ADMISSION, ChannelRegister

__all__ = ["L2Gradient"]


class L2Gradient(wiring.Component):
    """The gradient of L2BN. A beat waits for the second pass as dy and x.

    Parameters
    ----------
    formats : derived formats of the unit

    Members and attributes: see :class:`l1bn.norms.GradientFacts`.
    """

    def __init__(self, formats: BackwardFormats):
        self.formats = formats
        config, slope, interval = formats.config, formats.slope, formats.config.interval
        self.divide = in_turns(
            lambda: DivideByCount(formats.gradient_width, formats.mean_fraction, config.counts), interval
        )
        self.dy_offset = in_turns(lambda: Offset(formats.apply), interval)
        scale = unsigned(config.scale_width)
        numerator = unsigned(formats.projection_mean_width - 1)
        self.numerator = in_turns(lambda: SequentialMultiplier(scale, numerator, scale), interval)
        self.magnitude = registered_in_turns(
            lambda: Magnitude(formats.numerator_width, formats.mantissa_width, data.StructLayout({})), interval
        )
        self.scale = in_turns(lambda: Scale(slope), interval)
        self.x_offset = in_turns(lambda: Offset(slope), interval)
        self.apply = PairAffine(formats)
        steps = (self.divide, self.dy_offset, self.numerator, self.magnitude, self.scale, self.x_offset)
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
        for name in ("divide", "dy_offset", "numerator", "magnitude", "scale", "x_offset", "apply"):
            m.submodules[name] = getattr(self, name)
        divide, numerator, magnitude, scale = self.divide, self.numerator, self.magnitude, self.scale
        shapes = fields(scaled_record(formats))
        of_channel = {name: shapes[name] for name in ("mean", "error", "r_mantissa", "r_exponent")}
        of_a = {"projection_mean": shapes["projection_mean"]}
        of_k = {name: shapes[name] for name in ("scale", "shift", "negative")}
        of_dy = {"dy": product_constants(formats.apply)}

        def register(name: str, *parts: dict[str, object], **more: object) -> ChannelRegister:
            layout: dict[str, object] = {}
            for part in (*parts, more):
                layout |= part
            m.submodules[name] = made = ChannelRegister(data.StructLayout(layout))
            return made

        divided = register("divided", of_channel, of_a, of_k, mean_of_dy=signed(formats.gradient_mean_width))
        placed = register("placed", of_channel, of_a, of_dy)
        multiplied = register("multiplied", of_channel, of_dy, value=formats.numerator_width, opposite=1)
        normalised = register(
            "normalised",
            {**of_channel, "r_exponent": slope.r_exponent_shape},
            of_dy,
            gamma=formats.mantissa_width,
            opposite=1,
        )
        sloped = register(
            "sloped",
            {name: of_channel[name] for name in ("mean", "error")},
            of_dy,
            {"scale": unsigned(slope.scale_width), "shift": slope.shift_shape, "negative": 1},
        )
        m.submodules.current = current = ChannelRegister(pair_constants(formats))
        dividing = consult_in_turns(m, self.i, divide, divided.i, "dividing").payload
        placing = consult_in_turns(m, divided.o, self.dy_offset, placed.i, "placing").payload
        multiplying = consult_in_turns(m, placed.o, numerator, multiplied.i, "multiplying").payload
        normalising = consult_in_turns(m, multiplied.o, magnitude, normalised.i, "normalising").payload
        scaling = consult_in_turns(m, normalised.o, scale, sloped.i, "scaling").payload
        offsetting = consult_in_turns(m, sloped.o, self.x_offset, current.i, "offsetting").payload

        a = placed.o.payload.projection_mean
        sign = a[-1]
        k, shift = placed.o.payload.dy.scale, normalising.dy.shift
        exponent = normalising.r_exponent - shift - magnitude.o.payload.zeros + formats.slope_exponent
        m.d.comb += [
            *copied(self.i.payload, divide.i.payload),
            divide.i.payload.dividend.eq(self.i.payload.gradient_sum),
            *copied(dividing, divided.i.payload),
            divided.i.payload.mean_of_dy.eq(divide.o.payload.quotient),
            # dy's offset
            # Of two means the one of dy is meant here.
            *copied(divided.o.payload, self.dy_offset.i.payload, but=("mean",)),
            self.dy_offset.i.payload.mean.eq(divided.o.payload.mean_of_dy),
            *copied(placing, placed.i.payload),
            *copied(placing, placed.i.payload.dy),
            placed.i.payload.dy.offset.eq(self.dy_offset.o.payload),
            # u = k * |a|, where a negative a is its complement and one more
            numerator.i.payload.a.eq(k),
            numerator.i.payload.b.eq(a[:-1] ^ sign.replicate(len(a) - 1)),
            numerator.i.payload.c.eq(Mux(sign, k, 0)),
            *copied(multiplying, multiplied.i.payload),
            multiplied.i.payload.value.eq(numerator.o.payload),
            multiplied.i.payload.opposite.eq(multiplying.projection_mean[-1] ^ multiplying.dy.negative),
            # num / r
            magnitude.i.payload.value.eq(multiplied.o.payload.value),
            *copied(normalising, normalised.i.payload, but=("r_exponent",)),
            normalised.i.payload.gamma.eq(magnitude.o.payload.mantissa),
            normalised.i.payload.r_exponent.eq(exponent),
            *copied(normalised.o.payload, scale.i.payload),
            scale.i.payload.r_mantissa.eq(normalised.o.payload.r_mantissa << 1),
            *copied(scaling, sloped.i.payload),
            *copied(scale.o.payload, sloped.i.payload),
            sloped.i.payload.negative.eq(scaling.opposite),
            # x's offset
            *copied(sloped.o.payload, self.x_offset.i.payload),
            *copied(offsetting, current.i.payload),
            *copied(offsetting, current.i.payload.x),
            current.i.payload.x.offset.eq(self.x_offset.o.payload),
        ]
        wiring.connect(m, current.o, self.apply.i_constants)
        wiring.connect(m, self.apply.o, wiring.flipped(self.o))
        m.d.comb += [
            self.apply.i.valid.eq(self.i_beats.valid),
            self.i_beats.ready.eq(self.apply.i.ready),
            *copied(self.i_beats.payload, self.apply.i.payload),
        ]
        return m
