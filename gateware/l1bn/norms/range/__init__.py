"""Range: r = max x - min x + epsilon; Banner et al., "Scalable Methods for 8-bit Training of Neural Networks"
(NeurIPS 2018). Their constant factor, which makes r estimate a standard deviation, is left to gamma."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from amaranth.hdl import signed

from ...streams.backward_layouts import sided_beat
from ..norm import ErrorTerms, GradientFacts, Norm, Statistic, Width
from .gradient import ExtremeSides, RangeGradient
from .spread import RangeSpread

if TYPE_CHECKING:
    from ...numbers.formats import Formats

__all__ = ["Range"]


class Range(Norm):
    """The range. Its spread is R = max x - min x, in units of x whatever the count."""

    name = "range"
    title = "Range"
    about = "range of the samples (range)"
    epsilon_about = "the range (range)"
    formula = "max x - min x"
    colour = "#2ca02c"
    symbol = "v"

    centred = True
    forms = MappingProxyType({"one-pass": RangeSpread})
    # m0 is no larger than any dy, and a, saturated, no larger than the sum of twice the largest ones.
    gradient = GradientFacts(
        RangeGradient,
        sided_beat,
        ExtremeSides,
        averaged=False,
        subtracts=True,
        mean_spare=0,
        subtracted_spare=2,
        offset_spare=1,
        kept=1,
    )
    power = 1

    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        sample = signed(formats.config.width)
        return {
            "maximum": Statistic(sample, "largest sample"),
            "minimum": Statistic(sample, "smallest sample"),
        }

    def spread_width(self, formats: Formats) -> int:
        # The range fills width bits, and an epsilon of 1 is 2^(width - 1) units at most.
        return formats.config.width + 1

    def epsilon_unit(self, formats: Formats, count: int) -> int:
        return 1 << formats.config.x_fraction

    def least_spread(self, formats: Formats, count: int) -> int:
        return 1

    def reciprocal_bits(self, formats: Formats) -> int:
        return 0

    def odd_fraction(self, formats: Formats) -> int:
        return 0  # nothing is divided by the count

    def r_exponents(self, formats: Formats) -> range:
        return range(formats.mantissa_width - formats.spread_width, formats.mantissa_width)

    def error_terms(self, formats: Formats) -> ErrorTerms:
        return ErrorTerms(2, Fraction(0 if formats.only_powers_of_two else 1, 512))

    def widths(self, formats: Formats) -> dict[str, Width]:
        return {}

    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        epsilon, fraction = formats.epsilons[0], formats.epsilon_fraction
        lifted = f" * 2^{fraction}" if fraction else ""
        most, least = max(x), min(x)
        spread = ((most - least) << fraction) + epsilon
        return [
            (f"v = (max x - min x){lifted} + E", f"({most} - {least}){lifted} + {epsilon} = {spread}"),
            (f"r = v / 2^{fraction}" if fraction else "r = v", f"{spread / 2**fraction:.6g} units of x"),
        ]
