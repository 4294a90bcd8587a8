"""Planes of labels, compressed."""

import numpy as np
import pytest

from napari_s3net.plugin.layers.packed import PackedPlane, check_sum


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64])
def test_a_plane_comes_back_and_numpy_takes_it_for_an_array(dtype):
    plane = np.arange(60, dtype=dtype).reshape(6, 10)[:, ::2]
    packed = PackedPlane.of(plane)
    kept = plane.copy()
    plane[...] = 0
    assert np.array_equal(packed.labels, kept)
    assert packed.labels.dtype == dtype
    volume = np.zeros((2, 6, 5), dtype)
    volume[1, :, :] = packed
    assert np.array_equal(volume[1], kept)
    assert packed.check_sum == check_sum(kept) != check_sum(plane)


def test_labels_take_little_memory():
    labels = np.zeros((512, 512), np.int32)
    labels[100:300, 100:300] = 1
    assert len(PackedPlane.of(labels).packed) < labels.nbytes / 100
