"""The records: what fits and what does not."""

import numpy as np
import pytest

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image, as_image, size_text


def test_alpha_is_dropped_and_shape_leaves_colour_out():
    image = as_image(np.zeros((8, 9, 4), np.uint8))
    assert image.array.shape == (8, 9, 3)
    assert image.shape == (8, 9)


@pytest.mark.parametrize("shape", [(8,), (2, 2, 8, 9)])
def test_wrong_dimensions_say_what_came(shape):
    with pytest.raises(InvalidImageError, match=str(shape[0])):
        as_image(np.zeros(shape))


def test_geometry_has_to_fit():
    with pytest.raises(InvalidImageError, match="2 axes, the image 3"):
        Image(np.zeros((4, 8, 9)), Geometry.identity(2), "grey")


def test_slice_keeps_spacing_and_only_a_stack_has_slices():
    g = Geometry((5.0, 0.5, 0.7), (10.0, 20.0, 30.0), tuple(map(tuple, np.eye(3))))
    volume = Image(np.arange(4 * 8 * 9).reshape(4, 8, 9), g, "grey", "scan")
    plane = volume.slice(2)
    assert plane.geometry.spacing == (0.5, 0.7)
    assert plane.array[0, 0] == 2 * 72
    with pytest.raises(InvalidImageError, match="single plane"):
        plane.slice(0)
    for index in (-1, 4):
        with pytest.raises(InvalidImageError, match=f"no slice {index}: the image has slices 0 to 3"):
            volume.slice(index)


def test_slices_along_another_axis_keep_their_spacing_and_their_place():
    g = Geometry((5.0, 0.5, 0.7), (10.0, 20.0, 30.0), tuple(map(tuple, np.eye(3))))
    volume = Image(np.arange(4 * 8 * 9).reshape(4, 8, 9), g, "grey", "scan")
    side = volume.slices(2, 5, axis=1)
    assert side.geometry.spacing == (0.5, 5.0, 0.7)
    assert side.geometry.unit == "mm"
    assert np.array_equal(side.array, np.moveaxis(volume.array, 1, 0)[2:6])
    plane = volume.slice(3, axis=2)
    assert plane.geometry.spacing == (5.0, 0.5)
    assert np.array_equal(plane.array, volume.array[:, :, 3])
    for geometry, index, voxel in (
        (side.geometry, (1, 2, 4), (2, 3, 4)),
        (plane.geometry.in_space(), (0, 2, 4), (2, 4, 3)),
    ):
        steps = np.array(geometry.direction) * geometry.spacing
        assert (steps @ index + geometry.origin).tolist() == pytest.approx(np.array(voxel) * g.spacing + g.origin)
    assert volume.slices(0, 3).geometry == g
    assert volume.slices(1, 2).geometry.origin == (15.0, 20.0, 30.0)


@pytest.mark.parametrize(("given", "says"), [((2, 1), "none"), ((0, 4), "no slice 4"), ((0, 1, 3), "axis 0, 1 or 2")])
def test_slices_that_are_not_there(given, says):
    volume = Image(np.zeros((4, 8, 9)), Geometry.identity(3), "grey")
    with pytest.raises(InvalidImageError, match=says):
        volume.slices(*given)


def test_a_size_is_told_as_the_docks_tell_it():
    assert size_text((450, 600)) == "600 × 450 pixels"
    assert size_text((79, 450, 600)) == "79 slices of 600 × 450 pixels"
    assert size_text((1, 450, 600)) == "1 slice of 600 × 450 pixels"
