"""Labels on the voxels of an image: only there where they lie."""

import warnings
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.errors import InvalidImageError, ReadWarning
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image, write_labels
from napari_s3net.io.geometry import turn_photograph
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
    with pytest.raises(
        InvalidImageError, match="The labels are 4 slices of 7 × 6 pixels, the image is 5 slices of 7 × 6 pixels"
    ):
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


def save_noted(path, stored, noted):
    """Write pixels as they are stored, with a note of how they are to be turned."""
    if path.suffix == ".tif":
        tag = [(274, "H", 1, noted, True)]
        tifffile.imwrite(path, stored, photometric="minisblack", metadata=None, extratags=tag)
    else:
        exif = PIL.Image.Exif()
        exif[274] = noted
        PIL.Image.fromarray(stored).save(path, exif=exif)


def laid(image, path):
    """Labels on an image, and what is said of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ReadWarning)
        array = read_labels_on(image, path, path).array
    return array, " ".join(str(one.message) for one in caught if one.category is ReadWarning)


def read_noted(folder, suffix, shape, noted):
    """A photograph with a note, and labels of its stored pixels."""
    save_noted(folder / f"a{suffix}", np.zeros(shape, np.uint8), noted)
    return read_image(folder / f"a{suffix}"), np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)


EVERY_NOTE = pytest.mark.parametrize("noted", range(1, 9))
EVERY_SHAPE = pytest.mark.parametrize("shape", [(6, 6), (4, 6)])
EVERY_PHOTOGRAPH = pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])


@EVERY_NOTE
@EVERY_SHAPE
@EVERY_PHOTOGRAPH
def test_labels_of_a_program_that_follows_no_note_are_turned_or_it_is_said(tmp_path, suffix, shape, noted):
    image, stored = read_noted(tmp_path, suffix, shape, noted)
    PIL.Image.fromarray(stored).save(tmp_path / "b.png")
    array, said = laid(image, tmp_path / "b.png")
    if image.shape == shape:
        np.testing.assert_array_equal(array, stored)
        assert ("b.png: their image's file has a note" in said and "taken to lie as it is shown" in said) == (noted > 1)
    else:
        np.testing.assert_array_equal(array, turn_photograph(stored, noted))
        assert "theirs has no note: they have the size of its pixels as they are stored, and are turned" in said


@EVERY_NOTE
@EVERY_SHAPE
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_labels_that_note_what_their_image_notes_are_turned_with_it(tmp_path, suffix, shape, noted):
    image, stored = read_noted(tmp_path, suffix, shape, noted)
    save_noted(tmp_path / f"b{suffix}", stored, noted)
    array, said = laid(image, tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(array, turn_photograph(stored, noted))
    assert not said


@EVERY_NOTE
@EVERY_SHAPE
def test_of_labels_with_a_note_on_an_image_without_it_is_said_too(tmp_path, shape, noted):
    image, stored = read_noted(tmp_path, ".png", shape, 1)
    save_noted(tmp_path / "b.png", stored, noted)
    array, said = laid(image, tmp_path / "b.png")
    on_their_side = shape == (4, 6) and noted > 4
    np.testing.assert_array_equal(array, stored if on_their_side else turn_photograph(stored, noted))
    assert ("their image's file has no note (EXIF), theirs has a note" in said) == (noted > 1)


@EVERY_NOTE
@EVERY_SHAPE
@pytest.mark.parametrize("suffix", [".png", ".tif", ".nii.gz", ".nrrd", ".mha"])
def test_labels_that_were_written_here_lie_as_their_image_is_shown(tmp_path, suffix, shape, noted):
    image, stored = read_noted(tmp_path, ".jpg", shape, noted)
    drawn = turn_photograph(stored, noted)
    write_labels(tmp_path / f"b{suffix}", drawn, image.geometry)
    array, said = laid(image, tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(array, drawn)
    assert not said


def test_labels_of_the_size_as_it_is_shown_and_empty_ones_need_no_word(tmp_path):
    image, stored = read_noted(tmp_path, ".jpg", (4, 6), 6)
    PIL.Image.fromarray(np.ascontiguousarray(stored.T)).save(tmp_path / "b.png")
    np.testing.assert_array_equal(laid(image, tmp_path / "b.png")[0], stored.T)
    assert not laid(image, tmp_path / "b.png")[1]
    image, stored = read_noted(tmp_path, ".jpg", (6, 6), 6)
    PIL.Image.fromarray(np.zeros_like(stored)).save(tmp_path / "b.png")
    assert not laid(image, tmp_path / "b.png")[1]


@EVERY_NOTE
def test_a_stack_of_turned_pages_and_a_slice_of_it_have_the_note_too(tmp_path, noted):
    stored = np.arange(72, dtype=np.uint8).reshape(3, 4, 6)
    save_noted(tmp_path / "a.tif", stored, noted)
    image = read_image(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", stored, photometric="minisblack")
    array, said = laid(image, tmp_path / "b.tif")
    turned = turn_photograph(stored, noted, 1)
    np.testing.assert_array_equal(array, turned if noted > 4 else stored)
    assert bool(said) == (noted > 1)
    PIL.Image.fromarray(stored[1]).save(tmp_path / "b.png")
    array, said = laid(image.slice(1), tmp_path / "b.png")
    np.testing.assert_array_equal(array, turned[1] if noted > 4 else stored[1])
    assert bool(said) == (noted > 1)
