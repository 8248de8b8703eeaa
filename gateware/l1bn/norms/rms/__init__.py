"""RMS: r = sqrt(M[x^2] + epsilon), without a mean; as Zhang and Sennrich, "Root Mean Square Layer Normalization"
(NeurIPS 2019), but of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...numbers.backward_formats import PRODUCT_FRACTION
from ...streams.backward_layouts import pair_beat
from ...streams.paired_packets import sides_of_zero
from ..norm import ErrorTerms, GradientFacts, Statistic, Width
from ..root import RootNorm
from .gradient import RMSGradient
from .spread import RMSSpread, square_sum_width

if TYPE_CHECKING:
    from ...numbers.formats import Formats

__all__ = ["RMS"]


class RMS(RootNorm):
    """The root of the mean square. Its spread is V = n * sum x^2, which is n^2 times the mean square."""

    name = "rms"
    title = "RMS"
    about = "root of the mean square (rms)"
    epsilon_about = "the mean square (rms)"
    formula = "root of the mean of x^2"
    colour = "#9467bd"
    symbol = "V"

    centred = False
    forms = MappingProxyType({"one-pass": RMSSpread})
    gradient = GradientFacts(
        RMSGradient,
        pair_beat,
        sides_of_zero,
        averaged=True,
        subtracts=False,
        mean_spare=0,
        subtracted_spare=0,
        offset_spare=0,
        kept=PRODUCT_FRACTION,
    )

    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        return {}

    def least_spread(self, formats: Formats, count: int) -> int:
        # One sample of one unit of x.
        return count

    def reciprocal_bits(self, formats: Formats) -> int:
        # 1 / r is sqrt(n) at most.
        return (formats.count_bits + 1) // 2

    def error_terms(self, formats: Formats) -> ErrorTerms:
        # The root is floored before it is divided by the odd part.
        return ErrorTerms(2 if formats.only_powers_of_two else 3, Fraction(0))

    def widths(self, formats: Formats) -> dict[str, Width]:
        return {"square_sum_width": Width(square_sum_width(formats), "sum x^2", "sum of the squares")}

    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        count, squares = len(x), sum(value * value for value in x)
        epsilon, fraction = formats.epsilons[0], formats.epsilon_fraction
        lifted = f" * 2^{fraction}" if fraction else ""
        square = (count * squares << fraction) + epsilon
        root = isqrt(square << 40) / 2 ** (20 + fraction // 2) / count
        return [
            (f"V = n * sum x^2{lifted} + E", f"{count} * {squares}{lifted} + {epsilon} = {square}"),
            (f"r = sqrt(V{f' / 2^{fraction}' if fraction else ''}) / n", f"{root:.6g} units of x"),
        ]
