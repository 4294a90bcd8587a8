from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.io.geometry import to_array_order, to_file_order
from tests.io.made_files import phantom, volume

FLIPS = list(product((1, -1), repeat=3))


def rotation(degrees):
    x, y, z = np.deg2rad(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


def place(geometry, index):
    """Where a voxel lies, z, y, x."""
    return np.array(geometry.origin) + np.array(geometry.direction) @ (np.array(index) * geometry.spacing)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("degrees", [(0, 0, 0), (12, -7, 20), (45, 0, 0), (30, 45, 45)])
def test_every_orientation_comes_back_to_its_own_grid(axes, degrees):
    for flips in FLIPS:
        direction = rotation(degrees) @ np.eye(3)[:, axes] * flips
        image = volume(direction=direction)
        array, geometry = to_array_order(image)
        back = to_file_order(array, geometry)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(back), phantom())
        np.testing.assert_allclose(back.GetDirection(), image.GetDirection(), atol=1e-9)
        np.testing.assert_allclose(back.GetOrigin(), image.GetOrigin(), atol=1e-9)
        np.testing.assert_allclose(back.GetSpacing(), image.GetSpacing())


def test_every_voxel_stays_where_it_is_in_the_world():
    direction = rotation((10, 20, 30)) @ np.eye(3)[:, (2, 0, 1)] * (1, -1, -1)
    image = volume(direction=direction)
    array, geometry = to_array_order(image)
    for index in ((0, 0, 0), (1, 2, 3), tuple(n - 1 for n in array.shape)):
        voxel = image.TransformPhysicalPointToIndex(place(geometry, index)[::-1].tolist())
        assert image[voxel] == array[index]


def test_what_is_left_of_an_oblique_direction_is_nearest_to_upright():
    _, geometry = to_array_order(volume(direction=rotation((8, 0, 0)) @ np.diag([-1, -1, 1])))
    assert geometry.orientation == "RAS"
    np.testing.assert_allclose(np.diag(geometry.direction), np.cos(np.deg2rad([8, 8, 0])), atol=1e-9)
    assert abs(geometry.direction[0][1]) == pytest.approx(np.sin(np.deg2rad(8)))


def test_x_y_z_becomes_z_y_x():
    array, geometry = to_array_order(volume())
    np.testing.assert_array_equal(array, phantom())
    assert geometry.spacing == (4.0, 2.0, 1.5)
    assert geometry.origin == (23.0, 11.0, -7.0)
    assert geometry.unit == "mm"
    assert geometry.orientation == "LPS"


@pytest.mark.parametrize("flips", list(product((1, -1), repeat=2)))
@pytest.mark.parametrize("swap", [False, True])
def test_a_plane_of_two_dimensions_comes_back(flips, swap):
    direction = np.eye(2)[:, ::-1] * flips if swap else np.eye(2) * flips
    image = volume(phantom((12, 10)), direction=direction)
    array, geometry = to_array_order(image)
    assert array.ndim == geometry.ndim == 2
    np.testing.assert_allclose(geometry.direction, np.eye(2))
    back = to_file_order(array, geometry)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), phantom((12, 10)))
    np.testing.assert_allclose(back.GetDirection(), image.GetDirection())
    np.testing.assert_allclose(back.GetOrigin(), image.GetOrigin())


@pytest.mark.parametrize("thin", [0, 1, 2])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (5, 10, -15)])
def test_a_volume_of_one_slice_is_a_plane_with_the_head_up_and_comes_back(thin, degrees):
    shape = np.array([12, 10, 8])
    shape[thin] = 1
    image = volume(phantom(tuple(shape)), direction=rotation(degrees))
    array, geometry = to_array_order(image)
    assert array.shape == tuple(np.delete(shape, thin))
    assert geometry.spacing == tuple(np.delete([4.0, 2.0, 1.5], thin))
    assert geometry.volume is not None
    if thin:  # rows of a coronal or sagittal slice run down the body
        assert geometry.volume.direction[0][1] < -0.9
    back = to_file_order(array, geometry)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(back.GetDirection(), image.GetDirection(), atol=1e-9)
    np.testing.assert_allclose(back.GetOrigin(), image.GetOrigin(), atol=1e-9)


@pytest.mark.parametrize("thin", [0, 1, 2])
@pytest.mark.parametrize("degrees", [(45, 0, 0), (0, 45, 0), (0, 0, 45), (45, 45, 0), (-45, 45, 45), (135, 0, 45)])
def test_a_thin_volume_at_exactly_45_degrees_comes_back(thin, degrees):
    shape = np.array([12, 10, 8])
    shape[thin] = 1
    for axes, flips in product(permutations(range(3)), FLIPS):
        image = volume(phantom(tuple(shape)), direction=rotation(degrees) @ np.eye(3)[:, axes] * flips)
        back = to_file_order(*to_array_order(image))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(back), sitk.GetArrayFromImage(image))
        np.testing.assert_allclose(back.GetDirection(), image.GetDirection(), atol=1e-9)
        np.testing.assert_allclose(back.GetOrigin(), image.GetOrigin(), atol=1e-9)


@pytest.mark.parametrize(
    ("axes", "spacing", "shown"),
    [
        ((0, 1, 2), (1, 1, 1), "LPS"),
        ((1, 2, 0), (1, 1, 1), "PIL"),
        ((0, 2, 1), (1, 1, 1), "LIP"),
        ((0, 1, 2), (5, 1, 1), "PIL"),
        ((0, 1, 2), (1, 5, 1), "LIP"),
        ((0, 1, 2), (1.4, 1, 1), "LPS"),
        ((1, 2, 0), (1, 5, 1), "LPS"),
    ],
)
def test_slices_are_shown_in_the_plane_in_which_they_were_taken(axes, spacing, shown):
    _, geometry = to_array_order(volume(spacing=spacing, direction=np.eye(3)[:, axes]))
    assert geometry.shown == shown
    assert geometry.spacing[0] == (max(spacing) if max(spacing) > 2 else spacing[2])


def test_a_slice_of_a_volume_goes_back_to_its_place():
    image = volume(direction=rotation((10, 20, 30)) @ np.diag([-1, 1, -1]))
    array, geometry = to_array_order(image)
    back = to_file_order(array[2], geometry.plane(2))
    for x, y in ((0, 0), (9, 11), (4, 7)):
        point = back.TransformIndexToPhysicalPoint((x, y, 0))
        assert image[image.TransformPhysicalPointToIndex(point)] == back[x, y, 0]


def test_colours_keep_their_last_axis():
    colours = sitk.GetImageFromArray(phantom((4, 12, 10, 3), np.uint8), isVector=True)
    colours.SetDirection(np.diag([-1.0, 1.0, -1.0]).ravel().tolist())
    array, geometry = to_array_order(colours)
    assert geometry.ndim == 3
    np.testing.assert_array_equal(array, phantom((4, 12, 10, 3), np.uint8)[::-1, :, ::-1])
