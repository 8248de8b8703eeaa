"""Real feature maps without a download: handwritten digits behind a small fixed convolution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from l1bn_golden.pictures import digits

__all__ = ["FILTERS", "feature_maps"]

FILTERS = np.array(
    [
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],  # vertical edges
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],  # horizontal edges
        [[0, 1, 2], [-1, 0, 1], [-2, -1, 0]],  # diagonal edges
        [[2, 1, 0], [1, 0, -1], [0, -1, -2]],
        [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],  # spots
        [[1, 2, 1], [2, 4, 2], [1, 2, 1]],  # brightness
        [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],  # vertical strokes
        [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],  # horizontal strokes
    ]
)
"""One 3x3 filter an output channel."""

GAIN = 1 / 32
"""Real value of one unit of a filter's sum: pixels run from 0 to 16, so maps run from 0 to 8."""


def feature_maps(width: int, fraction: int, count: int, channels: int) -> NDArray[np.int64]:
    """Maps after convolution and ReLU, integers of ``width`` bits, ``fraction`` of them a fraction.

    The shape is (channels, count). A row is what batch normalisation takes for a channel: one filter's map of
    as many images, one after the other, as make ``count`` samples. Rows run through the filters, then on to
    the next images; after the last of the 1,797 the first one follows. Rounding is half up, then saturation.
    """
    images = digits()[0].astype(np.int64)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    maps = np.einsum("nhwij,cij->cnhw", windows, FILTERS).reshape(len(FILTERS), -1)
    activated = np.maximum(maps, 0) * GAIN
    limit = (1 << (width - 1)) - 1
    quantised = np.minimum(np.floor(activated * (1 << fraction) + 0.5), limit).astype(np.int64)
    batches = -(-channels // len(FILTERS))
    positions = np.arange(batches * count) % quantised.shape[1]
    rows = quantised[:, positions].reshape(len(FILTERS), batches, count)
    return rows.swapaxes(0, 1).reshape(-1, count)[:channels]
