"""Mean absolute: r = M[abs x] + epsilon, without a mean: neither multiplier nor root nor a second pass."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING

from ...streams.backward_layouts import sided_beat
from ...streams.paired_packets import sides_of_zero
from ..absolute import AbsoluteNorm
from ..norm import ErrorTerms, GradientFacts, Statistic, Width
from .gradient import MeanAbsoluteGradient
from .spread import MeanAbsoluteSpread

if TYPE_CHECKING:
    from ...numbers.formats import Formats

__all__ = ["MeanAbsolute"]


class MeanAbsolute(AbsoluteNorm):
    """The mean of the absolute values. Its spread is D = sum abs x."""

    name = "mean-absolute"
    title = "MeanAbsolute"
    about = "mean of the absolute values (mean-absolute)"
    epsilon_about = "the mean absolute value (mean-absolute)"
    formula = "mean of abs x"
    colour = "#ff7f0e"
    symbol = "v"

    centred = False
    forms = MappingProxyType({"one-pass": MeanAbsoluteSpread})
    # a, saturated, is no larger than twice the largest dy, and is subtracted with either sign.
    gradient = GradientFacts(
        MeanAbsoluteGradient,
        sided_beat,
        sides_of_zero,
        averaged=True,
        subtracts=True,
        mean_spare=0,
        subtracted_spare=2,
        offset_spare=1,
        kept=1,
    )

    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        return {}

    def spread_width(self, formats: Formats) -> int:
        # The largest abs x is one more than the largest x.
        config, epsilon = formats.config, Fraction(formats.config.epsilon)
        return max(
            (count << (config.width - 1)) + ceil(epsilon * self.epsilon_unit(formats, count))
            for count in config.counts
        ).bit_length()

    def error_terms(self, formats: Formats) -> ErrorTerms:
        return ErrorTerms(2, Fraction(0))

    def widths(self, formats: Formats) -> dict[str, Width]:
        return {}

    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        count, total = len(x), sum(abs(value) for value in x)
        epsilon, fraction = formats.epsilons[0], formats.epsilon_fraction
        lifted = f" * 2^{fraction}" if fraction else ""
        spread = (total << fraction) + epsilon
        divisor = f"({count} * 2^{fraction})" if fraction else f"{count}"
        return [
            (f"v = sum abs(x){lifted} + E", f"{total}{lifted} + {epsilon} = {spread}"),
            (f"r = v / {divisor}", f"{float(Fraction(spread, count << fraction)):.6g} units of x"),
        ]
