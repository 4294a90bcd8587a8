"""Which labels there are."""

import numpy as np
import pytest

from napari_s3net.labels.ids import ids_in


@pytest.mark.parametrize(
    "labels",
    [
        np.repeat(np.arange(5), 40).reshape(10, 20),  # long runs
        np.random.default_rng(0).integers(0, 9, (30, 30)),  # next to no runs
        np.full((4, 4), 7),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4), np.int32),
        np.array([[3]]),
        np.repeat(np.array([-1, 2**31 - 1]), 50).reshape(4, 5, 5),
        np.asfortranarray(np.repeat([1, 0, 4], 30).reshape(10, 9)).T,
        np.repeat([False, True], 30).reshape(6, 10),
    ],
)
def test_all_labels_above_0_in_order(labels):
    assert ids_in(labels) == sorted({int(i) for i in labels.ravel()} - {0, -1})
