"""What the norms share whose r is a root, and whose gradient is made of dy and of x: q = xhat."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..channel import integer_sqrt, over_r, per_sample, rounded_scale, with_epsilon
from ..rounding import clog2, odd_part, power_of_two, shift_floor
from ..samples import Integers, floored_product, saturate
from .about_centre import AboutCentre
from .base import ChannelGradient, Norm, Reals

if TYPE_CHECKING:
    from ..contract import Contract

__all__ = ["Root", "RootGradient"]


class Root(Norm):
    """The integer spread is n^2 * s."""

    power = 2

    def units(self, contract: Contract, count: int) -> int:
        return count**2

    def spread_width(self, contract: Contract) -> int:
        """The w2 of the page."""
        return 2 * (contract.width + contract.L)

    def odd_fraction(self, contract: Contract) -> int:
        return clog2(max(odd_part(count)[0] for count in contract.counts)) + 1

    def theta(self, contract: Contract) -> Fraction:
        """The floor of the root counts where a division comes between it and that of the mantissa."""
        whole = power_of_two(-(contract.T - 2))
        return whole if contract.powers_of_two else whole * 3 / 2

    def r_exponents(self, contract: Contract) -> range:
        c = contract
        powers = [odd_part(count)[1] for count in c.counts]
        return range(min(powers) + c.T - c.w // 2, max(powers) + c.T + c.f)

    def r(self, contract: Contract, spread: int, count: int) -> tuple[int, int, int]:
        """v is the root of V, T bits of it."""
        square = with_epsilon(contract, spread, count)
        width = contract.w + contract.h
        zero_pairs = (width - square.bit_length()) // 2
        root = integer_sqrt(shift_floor(square, 2 * zero_pairs + 2 * contract.T - width))
        return root, *per_sample(contract, root, zero_pairs + contract.T - contract.w // 2, count)


class RootGradient(AboutCentre):
    """Two products an element: of dy, and of x, which xhat is made of."""

    scales_x = True

    def real_q(self, centred: Reals, xhat: Reals) -> Reals:
        return xhat

    def exact_unit(self, count: int, R: Fraction) -> Fraction:
        return R

    def x_scale(
        self, contract: Contract, k: int, sh: int, a: int, r_mantissa: int, r_exponent: int
    ) -> tuple[int, int]:
        """``k * 2**-sh * |a| * 2**-Gm / r``, the product floored to T bits before it is divided."""
        c = contract
        raised = c.T - (k * a).bit_length()
        num = shift_floor(k * a, raised)
        return rounded_scale(
            *over_r(num, -raised - sh - c.Gm, r_mantissa, r_exponent), c.scale_width, c.SHIFTx_MIN, c.SHIFTx_MAX
        )

    def apply(
        self,
        contract: Contract,
        x: Integers,
        dy: Integers,
        sides: Integers,
        channels: Sequence[ChannelGradient],
    ) -> Integers:
        """Both products are floored to Q fraction bits, their difference is rounded."""
        c = contract
        of_dy = floored_product(
            dy,
            c.dy_width,
            [channel.c for channel in channels],
            [[channel.m0] for channel in channels],
            c.Gm,
            [channel.sh - c.Q for channel in channels],
        )
        of_x = floored_product(
            x,
            c.width,
            [channel.cx for channel in channels],
            [[channel.mu] for channel in channels],
            c.G,
            [channel.shx - c.Q for channel in channels],
        )
        return saturate((of_dy - of_x + (1 << (c.Q - 1))) >> c.Q, c.dx_width)

    def bound_terms(
        self,
        contract: Contract,
        A: Reals | float,
        K: Reals | float,
        a: Reals | float,
        distance: Reals | float,
        rho: Reals | float,
    ) -> tuple[Reals | float, ...]:
        """The floors of the two products; r and num in kx; the rounding of kx; the mean in x - mu."""
        c = contract
        of_kx = np.maximum(A * 2.0**-c.scale_width, distance * 2.0 ** -(c.SHIFTx_MAX + 1))
        return 2.0**-c.Q, 2 * A * float(c.theta), of_kx, K * a * rho
