"""What a lane of the affine operator has to do, in the one wide expression of the contract."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed

from l1bn.beats.affine import AffineLane
from l1bn.config import Configuration
from l1bn.numbers.formats import Formats

from .prover import Claims, Specification

__all__ = ["AffineSpecification", "Configuration"]


class AffineSpecification(Specification):
    """:class:`AffineLane`, for every sample, scale, sign, shift, mean and beta, each of them new in every cycle.

    With the signed scale c, ``y = saturate((((x*c*2^F + b) >> t) + 2*beta' + 1) >> 1)`` and
    ``b = floor(-c * mean * 2^F / 2^G)``.

    Parameters
    ----------
    config : of the unit that the lane belongs to
    """

    def __init__(self, config: Configuration):
        self.format = format = Formats(config).scale
        self.lane = AffineLane(format, config.target)
        super().__init__(self.lane)
        self.free = [self.lane.x]
        self.scale = self.choice("scale", format.scale_width)
        self.negative = self.choice("negative")
        self.mean = self.choice("mean", signed(format.mean_width))
        self.steps = self.choice("steps", len(Const(len(format.shift_range) - 1)))
        self.beta = self.choice("beta", signed(format.beta_width))

    def specify(self, m: Module, claims: Claims) -> None:
        format, lane = self.format, self.lane
        claims.given(self.steps < len(format.shift_range))
        m.d.comb += lane.enable.eq(1)

        c = Mux(self.negative, -self.scale, self.scale)
        product = -c * self.mean
        raised = format.scale_fraction - format.mean_fraction
        b = Signal(signed(format.offset_width))
        m.d.comb += b.eq(product.shift_left(raised) if raised > 0 else product.shift_right(-raised))

        offset = Mux(self.negative, b, ~b)
        split = lane.low_width + format.scale_fraction
        constants = {
            "scale": self.scale,
            "offset_low": offset[:split],
            "offset_high": offset[split:],
            **{f"shift_{bit}": self.steps[bit] for bit in lane.shift_bits},
            "negative": self.negative,
            "beta": self.beta,
        }
        for name, value in constants.items():
            m.d.comb += getattr(lane, name).eq(self.after(m, value, lane.depths[name]))

        t = self.steps + format.shift_range.start
        beta = self.beta.shift_left(format.beta_shift)
        exact = (((self.lane.x * c).shift_left(format.scale_fraction) + b) >> t) + 2 * beta + 1
        low, high = -(1 << (format.y_width - 1)), (1 << (format.y_width - 1)) - 1
        y = exact >> 1
        saturated = Signal(signed(format.y_width))
        m.d.comb += saturated.eq(Mux(y < low, low, Mux(y > high, high, y)))

        entered = self.after(m, Const(1, 1), lane.depth)
        expected = self.after(m, saturated, lane.depth)
        claims.always(lane.y == expected, when=entered)
        for extreme in (low, high, 0):
            claims.possible(entered & (lane.y == extreme))

    @staticmethod
    def after(m: Module, value: Value, cycles: int) -> Value:
        """``value`` of so many cycles ago."""
        for _ in range(cycles):
            later = Signal(value.shape())
            m.d.sync += later.eq(value)
            value = later
        return value
