"""Real pictures that come with this package: handwritten digits."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

__all__ = ["digits"]


@cache
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """1,797 digits: pictures of shape (1797, 8, 8), whole numbers from 0 to 16, and labels from 0 to 9.

    They are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI Machine
    Learning Repository, CC BY 4.0), the same as scikit-learn's ``load_digits``, and read-only.
    """
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file) as stored:
        pictures, labels = stored["images"].astype(np.float64), stored["labels"].astype(np.int64)
    pictures.flags.writeable = labels.flags.writeable = False
    return pictures, labels
