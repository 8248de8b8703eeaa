"""The training step whose gradients backward units are measured on."""

from __future__ import annotations

import numpy as np
import pytest

from l1bn_golden import Contract, reference
from l1bn_golden.norms import NORMS
from l1bn_sim.training_step import quantized, training_step


@pytest.mark.parametrize("norm", NORMS)
def test_the_network_learns_and_its_gradients_are_real(norm, seed):
    step = training_step(norm, 1024, 16, seed)
    assert step.x.shape == step.dy.shape == (16, 1024)
    assert step.losses[-1] < step.losses[0]
    # ReLU lets a part of the gradients through, and the convolution's output is skewed and not centred.
    assert 0.2 < (step.dy == 0).mean() < 0.9
    assert np.abs(step.x.mean(axis=1)).max() > 0.1
    assert set(np.sign(step.gamma)) == {-1, 1}


def test_the_same_seed_gives_the_same_step(seed):
    training_step.cache_clear()
    first = training_step("l1", 100, 8, seed)
    training_step.cache_clear()
    second = training_step("l1", 100, 8, seed)
    assert first is not second
    assert (first.dy == second.dy).all() and first.x.shape == (8, 100)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("width", [8, 16])
def test_integers_fill_their_formats_and_do_not_saturate(norm, width, seed):
    step = training_step(norm, 256, 16, seed)
    contract = Contract(norm=norm, width=width, counts=(256,))
    x, dy, gamma = quantized(contract, step)
    end = 1 << (width - 1)
    assert x.min() > -end and x.max() < end - 1
    scale = dy.sum() / step.dy.sum()
    dx = reference.backward(norm, step.x, step.gamma, step.dy, contract.epsilon).dx * scale
    largest = max(np.abs(dy).max(), np.abs(dx).max())
    assert end / 2.5 < largest < end
    assert np.abs(gamma / 2.0**contract.gamma_fraction - step.gamma).max() <= 2.0 ** -(
        contract.gamma_fraction + 1
    )
