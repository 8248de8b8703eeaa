"""L1: r = M[|x - mean|] + epsilon; Wu et al., "L1-Norm Batch Normalization for Efficient Training of Deep Neural
Networks" (TNNLS 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from amaranth.hdl import signed

from ...streams.backward_layouts import sided_beat
from ...streams.paired_packets import sides_of_the_mean
from ..absolute import AbsoluteNorm
from ..norm import ErrorTerms, GradientFacts, Statistic, Width
from .gradient import L1Gradient
from .one_pass import L1OnePassSpread
from .spread import L1Spread

if TYPE_CHECKING:
    from ...numbers.formats import Formats

__all__ = ["L1", "sign_count_width"]


class L1(AbsoluteNorm):
    """The mean absolute deviation. Its spread is D = sum |x * 2^G - mu|."""

    name = "l1"
    title = "L1"
    about = "mean absolute deviation (l1)"
    epsilon_about = "the mean absolute deviation (l1)"
    formula = "mean of abs(x - mu)"
    colour = "#1f77b4"
    symbol = "v"

    centred = True
    forms = MappingProxyType({"two-pass": L1Spread, "one-pass": L1OnePassSpread})
    # m0 = M[dy] - M[s] * a may be 3 times as large as any dy, m0 + s * a 5 times.
    gradient = GradientFacts(
        L1Gradient,
        sided_beat,
        sides_of_the_mean,
        averaged=True,
        subtracts=True,
        mean_spare=2,
        subtracted_spare=3,
        offset_spare=2,
        kept=1,
    )

    def statistics(self, formats: Formats) -> dict[str, Statistic]:
        return {"sign_count": Statistic(signed(sign_count_width(formats)), "sum of sgn(x - mu)")}

    def spread_width(self, formats: Formats) -> int:
        return formats.config.width + formats.count_bits + formats.guard_bits

    def error_terms(self, formats: Formats) -> ErrorTerms:
        return ErrorTerms(2, Fraction(0 if formats.only_powers_of_two else 1, 256))

    def widths(self, formats: Formats) -> dict[str, Width]:
        return {"sign_count_width": Width(sign_count_width(formats), "sum s", "sum of the signs, signed")}

    def example(self, formats: Formats, x: Sequence[int], mean: int) -> list[tuple[str, str]]:
        count, guard = len(x), formats.guard_bits
        epsilon, fraction = formats.epsilons[0], formats.epsilon_fraction
        lifted = f" * 2^{fraction}" if fraction else ""
        deviation = sum(abs((value << guard) - mean) for value in x)
        spread = (deviation << fraction) + epsilon
        r = Fraction(spread, count << (guard + fraction))
        return [
            (f"D = sum abs(x * 2^{guard} - mu)", f"{deviation}"),
            (f"v = D{lifted} + E", f"{deviation}{lifted} + {epsilon} = {spread}"),
            (f"r = v / ({count} * 2^{guard + fraction})", f"{float(r):.6g} units of x"),
        ]


def sign_count_width(formats: Formats) -> int:
    """Signed width of sum sgn(x - mu), -n to n."""
    return formats.tally_width + 1
