"""Labels on the voxels of an image: only there where they lie."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, write_labels
from napari_s3net.io.on_image import labels_on, read_labels_on

TURN = ((1.0, 0.0, 0.0), (0.0, 0.8, -0.6), (0.0, 0.6, 0.8))
PLACED = Geometry((3.0, 0.8, 0.7), (10.0, -5.0, 2.0), TURN)
IMAGE = Image(np.zeros((5, 6, 7)), PLACED, "ct")
LABELS = np.arange(5 * 6 * 7).reshape(5, 6, 7)


def test_labels_on_the_same_grid_are_as_they_are():
    np.testing.assert_array_equal(labels_on(IMAGE, LABELS, PLACED), LABELS)
    rounded = replace(PLACED, origin=(10.001, -5.002, 2.001), spacing=(3.001, 0.8004, 0.6998))
    np.testing.assert_array_equal(labels_on(IMAGE, LABELS, rounded), LABELS)


@pytest.mark.parametrize(("first", "last"), [(0, 2), (2, 4), (3, 3)])
def test_labels_of_some_slices_get_empty_ones_around_them(first, last):
    part = IMAGE.slices(first, last)
    expected = np.zeros_like(LABELS)
    expected[first : last + 1] = LABELS[first : last + 1]
    np.testing.assert_array_equal(labels_on(IMAGE, LABELS[first : last + 1], part.geometry), expected)


def test_a_plane_knows_its_slice():
    plane = IMAGE.slice(3)
    found = labels_on(IMAGE, LABELS[3], plane.geometry)
    np.testing.assert_array_equal(np.flatnonzero(found.any(axis=(1, 2))), [3])
    np.testing.assert_array_equal(labels_on(plane, LABELS[3], plane.geometry), LABELS[3])


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"origin": (13.0, -5.0, 2.0)},
        {"origin": (10.0, -4.6, 2.0)},
        {"spacing": (2.5, 0.8, 0.7)},
        {"direction": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))},
        {"direction": tuple(tuple(-value for value in row) for row in TURN)},
    ],
)
def test_labels_of_the_same_size_that_lie_elsewhere_are_refused(elsewhere):
    with pytest.raises(InvalidImageError, match=r"lie elsewhere in space than the image, by up to \d"):
        labels_on(IMAGE, LABELS, replace(PLACED, **elsewhere))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2), (2, 1, 0)])
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("first", [0, 3])
def test_labels_whose_axes_another_program_has_turned_lie_where_they_lay(order, flipped, first):
    array, origin, direction = LABELS[first:], np.array(IMAGE.slices(first, 4).geometry.origin), np.array(TURN)
    for axis in flipped:
        origin = origin + direction[:, axis] * PLACED.spacing[axis] * (array.shape[axis] - 1)
        direction[:, axis] *= -1
        array = np.flip(array, axis)
    turned = Geometry(
        tuple(PLACED.spacing[axis] for axis in order), tuple(origin), tuple(map(tuple, direction[:, order]))
    )
    expected = np.where(np.arange(5)[:, None, None] >= first, LABELS, 0)
    np.testing.assert_array_equal(labels_on(IMAGE, array.transpose(order), turned), expected)
    shifted = replace(turned, origin=tuple(origin + 0.5))
    with pytest.raises(InvalidImageError, match="lie elsewhere"):
        labels_on(IMAGE, array.transpose(order), shifted)


def test_a_plane_across_the_slices_lies_where_it_lay():
    plane = Geometry(
        (0.7, 3.0, 0.8),
        tuple(np.array(PLACED.origin) + 0.7 * 2 * np.array(TURN)[:, 2]),
        tuple(map(tuple, np.array(TURN)[:, [2, 0, 1]])),
    )
    expected = np.where(np.arange(7) == 2, LABELS, 0)
    np.testing.assert_array_equal(labels_on(IMAGE, LABELS[..., 2][None], plane), expected)


def test_without_a_place_the_shape_decides():
    flat = Geometry.identity(3)
    np.testing.assert_array_equal(labels_on(IMAGE, LABELS, flat), LABELS)
    with pytest.raises(InvalidImageError, match="The labels are 4 × 6 × 7 pixels, the image is 5 × 6 × 7 pixels"):
        labels_on(IMAGE, LABELS[1:], flat)
    np.testing.assert_array_equal(labels_on(Image(IMAGE.array, flat, "grey"), LABELS, PLACED), LABELS)


def test_labels_from_a_file_lie_where_the_image_lies_or_both_files_are_named(tmp_path):
    write_labels(tmp_path / "part.nii", LABELS[3:].astype(np.int32), IMAGE.slices(3, 4).geometry)
    read = read_labels_on(IMAGE, tmp_path / "scan.nii", tmp_path / "part.nii")
    np.testing.assert_array_equal(read.array[3:], LABELS[3:])
    assert not read.array[:3].any()
    assert read.geometry == IMAGE.geometry
    with pytest.raises(InvalidImageError, match=r"part\.nii does not fit scan\.nii\. The labels lie elsewhere"):
        read_labels_on(IMAGE.slices(0, 1), tmp_path / "scan.nii", tmp_path / "part.nii")


@pytest.mark.parametrize("suffix", [".nii", ".mha", ".nrrd"])
@pytest.mark.parametrize(
    ("elsewhere", "fits"),
    [
        ({}, True),
        ({"SetOrigin": (5.02, -3.0)}, True),
        ({"SetOrigin": (5.25, -3.0)}, False),
        ({"SetSpacing": (0.55, 0.8)}, False),
        ({"SetDirection": (-1.0, 0.0, 0.0, -1.0)}, False),
        ({"SetDirection": (0.0, 1.0, 1.0, 0.0)}, False),
    ],
)
def test_labels_of_a_plane_lie_on_it_or_are_refused(tmp_path, suffix, elsewhere, fits):
    """Half a pixel aside, of other pixels, upside down, transposed: all are of the same size."""
    for name, values, how in (("a", np.arange(400), {}), ("labels", np.arange(400) % 7, elsewhere)):
        plane = sitk.GetImageFromArray(values.reshape(20, 20).astype(np.int16))
        for setter, value in {"SetSpacing": (0.5, 0.8), "SetOrigin": (5.0, -3.0), **how}.items():
            getattr(plane, setter)(value)
        sitk.WriteImage(plane, str(tmp_path / f"{name}{suffix}"))
    image, path = read_image(tmp_path / f"a{suffix}"), tmp_path / f"labels{suffix}"
    if fits:
        np.testing.assert_array_equal(read_labels_on(image, tmp_path / "a", path).array, image.array % 7)
    else:
        with pytest.raises(InvalidImageError, match=r"labels.* does not fit a\..*lie elsewhere"):
            read_labels_on(image, tmp_path / f"a{suffix}", path)


def test_a_photograph_has_no_place_whatever_size_its_pixels_were_given():
    photograph = Image(np.zeros((6, 7)), replace(Geometry.identity(2), spacing=(0.1, 0.1), unit="mm"), "grey")
    labels = replace(Geometry.identity(2), spacing=(0.2, 0.2), unit="mm")
    np.testing.assert_array_equal(labels_on(photograph, LABELS[0], labels), LABELS[0])


@pytest.mark.parametrize(("orientation", "said"), [("RAS", True), ("LPS", False), ("", False)])
@pytest.mark.parametrize("part", [slice(None), 2])
def test_of_labels_without_a_place_on_an_image_that_was_turned_it_is_said(recwarn, orientation, said, part):
    image = Image(IMAGE.array, replace(PLACED, orientation=orientation), "ct")
    image = image if part == slice(None) else image.slice(part)
    flat = Geometry.identity(image.geometry.ndim)
    np.testing.assert_array_equal(labels_on(image, LABELS[part], flat), LABELS[part])
    assert any("turned upright (from RAS to LPS)" in str(one.message) for one in recwarn) == said
    recwarn.clear()
    labels_on(image, LABELS[part], image.geometry)
    assert not recwarn.list
