"""Real gradients without a download: what one training step of a small network does to its normaliser.

The network reads handwritten digits: a 3x3 convolution, batch normalisation with one of the norms,
ReLU, a dense layer, softmax and cross-entropy, in float64 with the gradients written out. It learns for some
steps; of the next one the normaliser's input x, the gradient dy of its output and its gamma are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from l1bn_golden import Contract, reference
from l1bn_golden.data import quantize
from l1bn_golden.pictures import digits

__all__ = ["TrainingStep", "quantized", "training_step", "training_steps"]

STEPS = 10
"""Steps before the one that is kept: the loss has fallen by then, and gradients are no longer those of chance."""

RATE = 0.01
PIXELS = 64

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class TrainingStep:
    """x and dy of the normaliser, (channels, count), its gamma, (channels,), and the loss of every step."""

    x: Reals
    dy: Reals
    gamma: Reals
    losses: tuple[float, ...]


@dataclass
class _Network:
    """Weights; gamma starts around 1 of either sign."""

    filters: Reals
    gamma: Reals
    beta: Reals
    dense: Reals

    @classmethod
    def start(cls, channels: int, draw: np.random.Generator) -> _Network:
        return cls(
            filters=draw.normal(0, 1 / 3, (channels, 9)),
            gamma=draw.normal(1, 0.2, channels) * draw.choice([-1, 1], channels),
            beta=draw.normal(0, 0.2, channels),
            dense=draw.normal(0, 1 / np.sqrt(channels * PIXELS), (channels * PIXELS, 10)),
        )


@cache
def training_step(norm: str, count: int, channels: int, seed: int) -> TrainingStep:
    """The step after :data:`STEPS` others, with as many images as make ``count`` samples a channel.

    Rows are cut to ``count`` where that is no multiple of an image's 64 pixels.
    """
    return training_steps(norm, count, channels, seed, STEPS + 1)[-1]


def training_steps(norm: str, count: int, channels: int, seed: int, number: int) -> tuple[TrainingStep, ...]:
    """The first ``number`` steps of such a network; ``losses`` of each are those up to it."""
    draw = np.random.default_rng(seed)
    pictures, labels = digits()
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(pictures / 16, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2)
    ).reshape(len(pictures), PIXELS, 9)
    network = _Network.start(channels, draw)
    batch = -(-count // PIXELS)
    losses: list[float] = []
    steps = []
    for _ in range(number):
        chosen = draw.integers(0, len(windows), batch)
        loss, x, dy, gamma = _learn(norm, network, windows[chosen], labels[chosen])
        losses.append(loss)
        steps.append(TrainingStep(x[:, :count], dy[:, :count], gamma, tuple(losses)))
    return tuple(steps)


def _learn(
    norm: str, network: _Network, windows: Reals, labels: NDArray[np.int64]
) -> tuple[float, Reals, Reals, Reals]:
    """One step of gradient descent; returns the loss before it and (x, dy, gamma) of the normaliser."""
    batch, channels = len(windows), len(network.filters)
    columns = windows.reshape(-1, 9)
    x = network.filters @ columns.T
    gamma = network.gamma.copy()
    y = reference.forward(norm, x, gamma, network.beta).y
    features = np.maximum(y, 0).reshape(channels, batch, PIXELS).swapaxes(0, 1).reshape(batch, -1)
    scores = features @ network.dense
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    rows = np.arange(batch)
    loss = float(-np.log(shares[rows, labels]).mean())

    shares[rows, labels] -= 1
    d_scores = shares / batch
    d_features = d_scores @ network.dense.T
    dy = d_features.reshape(batch, channels, PIXELS).swapaxes(0, 1).reshape(channels, -1) * (y > 0)
    gradients = reference.backward(norm, x, gamma, dy)
    network.dense -= RATE * features.T @ d_scores
    network.gamma -= RATE * gradients.dgamma
    network.beta -= RATE * gradients.dbeta
    network.filters -= RATE * gradients.dx @ columns
    return loss, x, dy, gamma


def quantized(contract: Contract, step: TrainingStep) -> tuple[Integers, Integers, Integers]:
    """x, dy and gamma as the integers of a unit, half up.

    All gradients are scaled by one power of two, the largest with which neither dy nor dx saturates; a network
    that trains in integers does the same, because a loss has no natural scale.
    """
    x = quantize(step.x, contract.width, contract.x_fraction)
    gamma = quantize(step.gamma, contract.gamma_width, contract.gamma_fraction)
    dx = reference.backward(contract.norm, step.x, step.gamma, step.dy, contract.epsilon).dx
    rooms = [
        _exponent(step.dy, contract.dy_width) - contract.dy_fraction,
        _exponent(dx, contract.dx_width) - contract.dx_fraction,
    ]
    dy = quantize(step.dy, contract.dy_width, contract.dy_fraction + min(rooms))
    return x.astype(np.int64), dy.astype(np.int64), gamma.astype(np.int64)


def _exponent(values: Reals, width: int) -> int:
    """The e with which the largest magnitude times 2**e takes the upper half of ``width`` bits."""
    largest = float(np.abs(values).max())
    return width - 1 - int(np.floor(np.log2(largest))) - 1 if largest else 0
