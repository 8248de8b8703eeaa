"""The data sheet's example: one channel computed by hand, each step an integer of the contract.

The steps are the formulas of the contract once more, in rational numbers, and the golden model has to agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from l1bn_golden import Contract
from l1bn_golden import forward as golden_forward

from ..config import Configuration
from ..numbers.formats import Formats, half_up

__all__ = ["Example", "example"]


@dataclass(frozen=True)
class Example:
    """What the channel is, the steps as ``(formula, value)``, and y of its two kinds of samples."""

    setting: list[tuple[str, str]]
    steps: list[tuple[str, str]]
    results: list[tuple[str, str]]


def example(config: Configuration) -> Example:
    """A channel of which one half is one value and the other half another."""
    formats = Formats(config)
    count = config.counts[0]
    low, high = -(1 << (config.width - 4)), 1 << (config.width - 3)
    lows = count // 2
    x = np.array([low] * lows + [high] * (count - lows))
    gamma = min(1 << config.gamma_fraction, (1 << (config.gamma_width - 1)) - 1)
    beta = (1 << config.beta_fraction) >> 1
    golden = golden_forward(Contract.from_parameters(config.to_mapping()), x[None, :], gamma, beta, count)

    total = int(x.sum())
    guard = formats.guard_bits
    mean, less_mean, steps = 0, "", []
    if config.traits.centred:
        mean, less_mean = half_up(Fraction(total << guard, count)), f" - mu / 2^{guard}"
        steps += [
            ("S = sum x", f"{lows} * {low} + {count - lows} * {high} = {total}"),
            (
                f"mu = round(S * 2^{guard} / {count})",
                f"{mean}, which is {float(Fraction(mean, 1 << guard)):.6g} units of x",
            ),
        ]
    steps += config.traits.example(formats, x.tolist(), mean)
    mantissa, exponent = int(golden.r_mantissa[0]), int(golden.r_exponent[0])
    exact = Fraction(gamma) * Fraction(2) ** (config.y_fraction - config.gamma_fraction + exponent) / mantissa
    shift = min(formats.scale.shift_max, config.scale_width - 1 - _floor_log2(exact))
    scale = half_up(exact * Fraction(2) ** shift)
    if scale == 1 << config.scale_width:
        scale, shift = scale // 2, shift - 1
    steps += [
        (f"r, floored to {formats.mantissa_width} bits", f"{mantissa} * 2^{-exponent}"),
        ("K = gamma * 2^(fy - fgamma) / r", f"{float(exact):.6g}"),
        (f"k = round(K * 2^{shift}), {config.scale_width} bits", f"{scale}"),
    ]
    raised = beta << (config.y_fraction - config.beta_fraction)
    results = []
    for value, expected in ((low, int(golden.y[0, 0])), (high, int(golden.y[0, -1]))):
        rounded = half_up(scale * (value - Fraction(mean, 1 << guard)) / Fraction(2) ** shift)
        y = max(-(1 << (config.y_width - 1)), min((1 << (config.y_width - 1)) - 1, rounded + raised))
        if (y, scale) != (expected, int(golden.scale[0])):
            raise AssertionError(f"the example gives {y}, the golden model {expected}")
        results.append(
            (f"x = {value}", f"round({scale} * ({value}{less_mean}) / 2^{shift}) + {raised} = {y}")
        )
    setting = [
        ("n", f"{count}, of which {lows} samples are {low} and {count - lows} are {high}"),
        (
            "x",
            f"{low} stands for {_real(low, config.x_fraction)}, {high} for {_real(high, config.x_fraction)}",
        ),
        ("gamma", f"{gamma}, which stands for {_real(gamma, config.gamma_fraction)}"),
        ("beta", f"{beta}, which stands for {_real(beta, config.beta_fraction)}"),
        (
            "E",
            f"{formats.epsilons[0]}, which is epsilon in the units of {config.traits.symbol}",
        ),
    ]
    return Example(setting, steps, results)


def _floor_log2(value: Fraction) -> int:
    """The largest whole b with 2^b <= value."""
    bits = value.numerator.bit_length() - value.denominator.bit_length()
    return bits if value >= Fraction(2) ** bits else bits - 1


def _real(value: int, fraction: int) -> str:
    return f"{value / 2**fraction:.6g}"
