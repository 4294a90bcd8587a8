"""Shapes between two slices."""

import numpy as np
import pytest

from napari_s3net.correction.slice_interpolation import fill_between
from napari_s3net.errors import InvalidImageError

SIDE = 64


def disc(row, column, radius):
    y, x = np.ogrid[:SIDE, :SIDE]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def stack():
    """A disc that grows from 6 to 14 between slices 1 and 5; the slices between hold nothing of it."""
    labels = np.full((7, SIDE, SIDE), 2, np.int32)
    labels[1][disc(32, 32, 6)] = 1
    labels[5][disc(32, 32, 14)] = 1
    return labels


def test_a_disc_grows_evenly():
    found = fill_between(stack(), 5, 1, [1])
    assert list(found) == [2, 3, 4]
    radii = [np.sqrt((plane == 1).sum() / np.pi) for plane in found.values()]
    assert radii == pytest.approx([8, 10, 12], abs=0.4)
    assert all(set(np.unique(plane)) == {1, 2} for plane in found.values())


def test_what_lies_too_far_out_goes_to_the_label_beside_it():
    labels = stack()
    labels[3][disc(32, 32, 25)] = 1
    labels[3][:, :20][labels[3][:, :20] == 2] = 3
    plane = fill_between(labels, 1, 5, [1])[3]
    assert np.sqrt((plane == 1).sum() / np.pi) == pytest.approx(10, abs=0.4)
    assert plane[32, 12] == 3
    assert plane[32, 55] == 2


def test_other_labels_of_the_region_come_from_the_nearer_slice():
    labels = stack()
    labels[1][disc(32, 32, 6) & (np.arange(SIDE) < 32)] = 4
    plane = fill_between(labels, 1, 5, [1, 4])[2]
    assert plane[32, 29] == 4
    assert plane[32, 35] == 1


def test_the_labels_stay_as_they_are():
    labels = stack()
    kept = labels.copy()
    fill_between(labels, 1, 5, [1])
    assert np.array_equal(labels, kept)


def test_shapes_beside_each_other_vanish_between():
    labels = np.full((3, SIDE, SIDE), 2, np.int32)
    labels[0][disc(10, 10, 5)] = 1
    labels[2][disc(50, 50, 5)] = 1
    assert not (fill_between(labels, 0, 2, [1])[1] == 1).any()


def test_what_cannot_be_filled():
    with pytest.raises(InvalidImageError, match="no slice between 1 and 2"):
        fill_between(stack(), 1, 2, [1])
    with pytest.raises(InvalidImageError, match="Slice 3 has nothing of the region"):
        fill_between(stack(), 1, 3, [1])
