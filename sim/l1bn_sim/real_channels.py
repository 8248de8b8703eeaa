"""What a unit of a direction is measured on: real feature maps, or the gradients of a real training step."""

from __future__ import annotations

import numpy as np

from l1bn.config import Configuration
from l1bn_golden import Contract
from l1bn_golden.data import quantize

from .digits import feature_maps
from .training_step import quantized, training_step, training_steps

__all__ = ["real_channels"]


def real_channels(config: Configuration, number: int, seed: int, count: int) -> dict[str, np.ndarray]:
    """``number`` channels of ``count`` samples as integers.

    They are x, gamma and beta for a forward unit, x, dy and gamma for a backward one.
    """
    contract = Contract.from_parameters(config.to_mapping())
    if config.direction == "backward":
        x, dy, gamma = quantized(contract, training_step(contract.norm, count, number, seed))
        return {"x": x, "dy": dy, "gamma": gamma}
    if contract.guesses:
        # A layer's channels come step after step, as in training.
        steps = training_steps(contract.norm, count, config.channels, seed, -(-number // config.channels))
        maps = np.concatenate([step.x for step in steps])[:number]
        x = quantize(maps, contract.width, contract.x_fraction).astype(np.int64)
    else:
        x = feature_maps(contract.width, contract.x_fraction, count, number)
    # gamma around 1 of either sign and beta around 0, one pair a channel.
    draw = np.random.default_rng(seed)
    gamma = draw.normal(1, 0.3, number) * draw.choice([-1, 1], number) * (1 << contract.gamma_fraction)
    beta = draw.normal(0, 0.5, number) * (1 << contract.beta_fraction)
    return {
        "x": x,
        "gamma": _within(gamma, contract.gamma_width),
        "beta": _within(beta, contract.beta_width),
    }


def _within(values: np.ndarray, width: int) -> np.ndarray:
    limit = 1 << (width - 1)
    return np.clip(np.rint(values), -limit, limit - 1).astype(np.int64)
