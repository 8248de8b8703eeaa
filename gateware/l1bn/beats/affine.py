"""y = (x * k - offset - 1) >> shift + beta, rounded once and saturated: one multiplier a lane."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..logic.operator import computes
from ..logic.rtlil import Shared
from ..logic.subtract import resize, subtraction
from ..numbers.formats import Formats
from ..numbers.scale_format import ScaleFormat
from ..primitives import primitives
from ..streams.layouts import extended, inlet, offset_of, outlet, packet, scale_constants
from ..streams.registers import SkidRegister
from .apply import ApplyPipeline

__all__ = ["Affine", "AffineLane", "shift_bits"]


class AffineLane(Shared):
    """The datapath of one lane; the constants come in step with the samples.

    ::

        x ---> * ---> - ---> >> t ---> ~ ---> + ---> saturate ---> y
               ^      ^       ^        ^      ^
               k   offset   shift  negative  2 beta + 1, then >> 1

    The product is exact, the shift keeps half an LSB of y, and the last adder rounds half up and adds beta at
    once. The wide subtraction takes two stages, the shifter one for every bit of the shift, so that a choice
    between two is all that lies between two registers; what leaves its range on the way down is remembered and
    saturates at the end.

    Parameters
    ----------
    format : of the scale
    target : whose primitives to use, see :data:`l1bn.primitives.TARGETS`

    Members
    -------
    enable : every register holds while 0
    x : the sample
    constant ports : ``depths`` has their names and after how many enabled cycles each is needed
    y : the output, ``depth`` enabled cycles later
    """

    def __init__(self, format: ScaleFormat, target: str):
        self.format, self.target = format, target
        multiplier = primitives(target).multiplier
        self.multiplier = multiplier(signed(format.width), unsigned(format.scale_width))
        self.subtraction = subtraction(format)
        self.shift_bits = shift_bits(format)
        # Twice y, and twice beta added to it: what does not fit saturates whatever beta is.
        aligned_beta = format.beta_width + format.beta_shift
        self.doubled_width = max(format.y_width, aligned_beta) + 2

        subtracted = self.multiplier.latency + self.subtraction.stages
        shifted = subtracted + len(self.shift_bits)
        self.depth = shifted + 3
        self.depths = {
            "scale": 0,
            **self.subtraction.depths(self.multiplier.latency),
            **{f"shift_{bit}": subtracted + index for index, bit in enumerate(self.shift_bits)},
            "negative": shifted - 1,
            "beta": shifted,
        }
        super().__init__(
            {
                "enable": In(1),
                "x": In(signed(format.width)),
                "scale": In(format.scale_width),
                **self.subtraction.members,
                **{f"shift_{bit}": In(1) for bit in self.shift_bits},
                "negative": In(1),
                "beta": In(signed(format.beta_width)),
                "y": Out(signed(format.y_width)),
            }
        )

    def ports(self, constants: data.View, offset: Value) -> dict[str, Value]:
        """The constant ports, and what of a channel's constants belongs there."""
        steps = constants.shift - self.format.shift_range.start
        return {
            "scale": constants.scale,
            **self.subtraction.ports(constants.negative, offset),
            **{f"shift_{bit}": steps[bit] for bit in self.shift_bits},
            "negative": constants.negative,
            "beta": constants.beta,
        }

    kind = "affine_lane"

    @property
    def parameters(self) -> tuple[ScaleFormat, str]:
        return self.format, self.target

    def body(self) -> Module:
        m = Module()
        format = self.format

        def stage(value: Value) -> Signal:
            held = Signal(value.shape(), reset_less=True)
            with m.If(self.enable):
                m.d.sync += held.eq(value)
            return held

        def shift_right(value: Value) -> tuple[Value, Value]:
            """The shifted value, complemented for a negative gamma, and a stage later whether it does not fit."""
            overflow: Value = Const(0, 1)
            for bit in self.shift_bits:
                way = 1 << bit
                keep = self.doubled_width + way - 1  # later stages shift by up to that much more
                shifts = getattr(self, f"shift_{bit}")
                kept = Mux(shifts, resize(value >> way, keep), resize(value, keep))
                if bit == 0:
                    kept = kept ^ self.negative.replicate(keep)
                # What is above that is looked at one stage later; its lowest bits are lost only where they stay.
                above, sign = value[min(keep, len(value)) - 1 : -1], value[-1]
                stays, leaves = (differ_from(part, sign) for part in (above[:way], above[way:]))
                overflow = stage(overflow | stage(leaves) | (stage(stays) & ~stage(shifts)))
                value = stage(kept).as_signed()
            return value, overflow

        def round_and_saturate(doubled: Value, overflow: Value, sign: Value) -> Value:
            """With the overflow that comes one stage after the value, and the sign that comes with it."""
            aligned = Cat(Const(1, 1), Const(0, format.beta_shift), self.beta)
            total = stage(doubled + aligned.as_signed()) >> 1
            sign = stage(sign)
            width = format.y_width
            outside = stage(overflow | differ(total[width - 1 :]))
            low_end = stage(Mux(overflow, sign, total[-1]))
            kept = stage(total[:width])
            return stage(Mux(outside, Cat((~low_end).replicate(width - 1), low_end), kept))

        m.submodules.multiplier = multiplier = self.multiplier
        m.d.comb += [
            multiplier.enable.eq(self.enable),
            multiplier.a.eq(self.x),
            multiplier.b.eq(self.scale),
        ]
        total = self.subtraction.subtract(stage, self, multiplier.product)
        sign: Value = total[-1]
        for _ in self.shift_bits[1:]:
            sign = stage(sign)
        sign = stage(sign ^ self.negative)
        doubled, overflow = shift_right(total >> format.shift_range.start)
        m.d.comb += self.y.eq(round_and_saturate(doubled, overflow, sign))
        return m


@computes("l1bn_golden.samples.affine")
class Affine(wiring.Component):
    """Apply the scale and the offset of a channel to its samples.

    Parameters
    ----------
    format : of the scale
    lanes : samples in a beat
    shortest : beats of the shortest packet
    target : whose primitives to use, see :data:`l1bn.primitives.TARGETS`

    Members
    -------
    i : packets of x with ``error``
    i_scale : constants of the channel with ``error``; one per packet, taken with its first beat
    o : packets of y with ``error``: that of the beat or that of the constants

    Latency: ``latency``. One beat a cycle, across packets of three beats or more if the next constants wait.
    """

    interval = 1

    def __init__(self, format: ScaleFormat, lanes: int, shortest: int, target: str):
        self.shortest = shortest
        self.lanes = [AffineLane(format, target) for _ in range(lanes)]
        self.latency = ApplyPipeline.ENTRY + self.lanes[0].depth + SkidRegister.latency
        super().__init__(
            {
                "i": inlet(packet(format.width, lanes, error=True)),
                "i_scale": inlet(extended(scale_constants(format), error=1)),
                "o": outlet(packet(format.y_width, lanes, error=True)),
            }
        )

    @classmethod
    def of_formats(cls, formats: Formats) -> Affine:
        """That of a unit of these formats, on its target."""
        return cls(formats.scale, formats.config.lanes, min(formats.beats), formats.config.target)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.skid = skid = SkidRegister(self.o.payload.shape())
        wiring.connect(m, skid.o, wiring.flipped(self.o))
        depth = self.lanes[0].depth
        pipeline = ApplyPipeline(m, self.i, self.i_scale, skid.i, depth, self.shortest)
        ports = self.lanes[0].ports(self.i_scale.payload, offset_of(self.i_scale.payload))
        shared = {name: pipeline.in_step(value, self.lanes[0].depths[name]) for name, value in ports.items()}
        for index, lane in enumerate(self.lanes):
            m.submodules[f"lane_{index}"] = lane
            m.d.comb += [lane.enable.eq(pipeline.advance), lane.x.eq(pipeline.data[index])]
            m.d.comb += [getattr(lane, name).eq(value) for name, value in shared.items()]
            m.d.comb += skid.i.payload.data[index].eq(lane.y)
        return m


def shift_bits(format: ScaleFormat) -> list[int]:
    """The places of a shift, less the smallest one, that take a stage each, the highest first."""
    return list(reversed(range(max(1, (len(format.shift_range) - 1).bit_length()))))


def differ_from(bits: Value, sign: Value) -> Value:
    """Whether any bit is not as the sign."""
    return (bits ^ sign.replicate(len(bits))).any()


def differ(bits: Value) -> Value:
    """Whether the bits are not all the same."""
    return bits.any() & ~bits.all()
