"""Signed distances to the borders of regions."""

import numpy as np
import pytest
from scipy import ndimage

from napari_s3net.correction.signed_distance import signed_distances, signed_distances_near

SHAPE = (120, 160)


def disc(row, column, radius):
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def plain(region, limit):
    """Over the whole image, without a box."""
    inside, outside = (ndimage.distance_transform_edt(mask) for mask in (region, ~region))
    return np.clip(np.where(region, inside - 0.5, 0.5 - outside), -limit, limit)


def test_they_are_signed_and_limited():
    distances = signed_distances(disc(60, 80, 20).astype(int), 2, 16.0)
    assert distances.shape == (2, *SHAPE)
    assert distances.dtype == np.float32
    assert distances[1, 60, 80] == 16
    assert distances[1, 0, 0] == -16
    assert distances[1, 60, 100:106].tolist() == [0.5, -0.5, -1.5, -2.5, -3.5, -4.5]
    np.testing.assert_array_equal(distances[0], -distances[1])


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("limit", [3.0, 7.5, 100.0])
def test_the_box_changes_nothing(n, limit):
    labels = np.zeros(SHAPE, int)
    labels[disc(30, 40, 12)], labels[disc(0, 150, 20)] = 1, 2
    distances = signed_distances(labels, n, limit)
    for k in range(3):
        np.testing.assert_allclose(distances[k], plain(labels == k, limit), atol=1e-5)
    if n == 4:  # a label without pixels
        assert (distances[3] == -limit).all()


def test_a_label_that_has_all_pixels():
    distances = signed_distances(np.zeros(SHAPE, int), 2, 16.0)
    assert (distances[0] == 16).all()
    assert (distances[1] == -16).all()


def test_near_a_change_they_are_measured_and_elsewhere_they_only_tell_the_label():
    labels, change, limit = np.zeros(SHAPE, int), np.zeros(SHAPE, bool), 5.0
    labels[disc(60, 40, 10)], labels[disc(60, 120, 10)] = 1, 2
    change[60, 50:52] = True
    near, full = signed_distances_near(change, labels, 3, limit), signed_distances(labels, 3, limit)
    around = (slice(None), slice(59, 62), slice(49, 53))
    np.testing.assert_allclose(near[around], full[around])
    np.testing.assert_array_equal(near.argmax(axis=0), labels)
    assert set(np.unique(near[:, :, 90:])) == {-0.5, 0.5}
    assert near.dtype == np.float32


def test_without_a_change_nothing_is_measured():
    labels = disc(60, 40, 10).astype(int)
    near = signed_distances_near(np.zeros(SHAPE, bool), labels, 2, 5.0)
    np.testing.assert_array_equal(near[1], np.where(labels == 1, 0.5, -0.5))
