"""Planes moved to where they lie."""

import numpy as np
import pytest

from napari_s3net.io.dicom.boxes import Box, resample

RAMP = np.arange(5 * 6 * 7).reshape(5, 6, 7).astype(np.int16)


def test_even_planes_that_lie_straight_stay_as_they_are():
    array, offset = resample(RAMP, Box([], step=2.0))
    assert array is RAMP
    assert not offset.any()


def test_uneven_distances_become_even_by_interpolation():
    planes = np.array([0, 10, 30, 40], np.int16).reshape(-1, 1, 1) + np.zeros((1, 2, 3), np.int16)
    array, _ = resample(planes, Box([], step=1.0, heights=np.array([0.0, 1.0, 3.0, 4.0])))
    assert array.dtype == np.int16
    assert array[:, 0, 0].tolist() == [0, 10, 20, 30, 40]


class Plane:
    """Of a plane only its spacing counts here."""

    spacing = (2.0, 1.0)


@pytest.mark.parametrize("back", [False, True])
def test_shifted_planes_are_moved_and_what_none_covers_gets_the_least_value(back):
    planes = np.full((3, 4, 5), 7, np.int16)
    planes[:, 0, 0] = 3
    shifts = np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 2.0]])  # mm: one row and one column more from plane to plane
    shifts = shifts[::-1] if back else shifts
    array, offset = resample(planes, Box([Plane()] * 3, step=1.0, shifts=shifts))
    assert array.shape == (3, 6, 7)
    np.testing.assert_array_equal(offset, [0, 0])
    for index, moved in enumerate((2, 1, 0) if back else (0, 1, 2)):
        np.testing.assert_array_equal(array[index, moved : moved + 4, moved : moved + 5], planes[0])
        assert (array[index] == 3).sum() == 1 + 6 * 7 - 4 * 5
