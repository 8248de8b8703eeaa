"""The pictures that come with the golden model."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from l1bn_golden.pictures import digits


def test_the_digits_are_those_of_scikit_learn() -> None:
    pictures, labels = digits()
    stored = load_digits()
    np.testing.assert_array_equal(pictures, stored.images)
    np.testing.assert_array_equal(labels, stored.target)
    assert (pictures.dtype, labels.dtype) == (stored.images.dtype, stored.target.dtype)


def test_nobody_changes_them_for_others() -> None:
    for array in digits():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
