"""L2: r = sqrt(M[(x - mean)^2] + epsilon), the baseline; Ioffe and Szegedy, "Batch Normalization" (ICML 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...numbers.backward_formats import PRODUCT_FRACTION
from ...streams.backward_layouts import pair_beat
from ...streams.paired_packets import sides_of_the_mean
from ..norm import ErrorTerms, GradientFacts, Statistic, Width
from ..root import RootNorm
from .gradient import L2Gradient
from .spread import L2OnePassSpread, L2TwoPassSpread, square_sum_width

if TYPE_CHECKING:
    from ...numbers.formats import Formats

__all__ = ["L2", "square_sum_width"]


class L2(RootNorm):
    """The standard deviation. Its spread is V = n * sum x^2 - S^2, which is n^2 times the variance."""

    name = "l2"
    title = "L2"
    about = "standard deviation (l2)"
    epsilon_about = "the variance (l2)"
    formula = "root of the variance"
    colour = "#d62728"
    symbol = "V"

    centred = True
    forms = MappingProxyType({"one-pass": L2OnePassSpread, "two-pass": L2TwoPassSpread})
    gradient = GradientFacts(
        L2Gradient,
        pair_beat,
        sides_of_the_mean,
        averaged=True,
        subtracts=True,
        mean_spare=0,
        subtracted_spare=0,
        offset_spare=0,
        kept=PRODUCT_FRACTION,
    )

    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        return {}

    def least_spread(self, formats: Formats, count: int) -> int:
        # One sample that is off by one unit of x.
        return count - 1

    def reciprocal_bits(self, formats: Formats) -> int:
        return formats.count_bits

    def error_terms(self, formats: Formats) -> ErrorTerms:
        # The root is floored before it is divided by the odd part.
        return ErrorTerms(2, Fraction(0)) if formats.only_powers_of_two else ErrorTerms(3, Fraction(1, 512))

    def widths(self, formats: Formats) -> dict[str, Width]:
        return {"square_sum_width": Width(square_sum_width(formats), "sum x^2", "sum of the squares")}

    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        count, total, squares = len(x), sum(x), sum(value * value for value in x)
        epsilon, fraction = formats.epsilons[0], formats.epsilon_fraction
        lifted = f" * 2^{fraction}" if fraction else ""
        variance = count * squares - total * total
        square = (variance << fraction) + epsilon
        root = isqrt(square << 40) / 2 ** (20 + fraction // 2) / count
        return [
            (
                f"V = (n * sum x^2 - S^2){lifted} + E",
                f"({count} * {squares} - {total * total}){lifted} + {epsilon} = {square}",
            ),
            (f"r = sqrt(V{f' / 2^{fraction}' if fraction else ''}) / n", f"{root:.6g} units of x"),
        ]
