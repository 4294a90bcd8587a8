from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import PIL.PngImagePlugin
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.errors import ReadWarning, WriteError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import (
    read_image,
    read_labels,
    read_times,
    write,
    write_image,
    write_json,
    write_label_slices,
    write_labels,
    write_png,
)
from napari_s3net.io.on_image import read_labels_on
from napari_s3net.runtime import child_pool
from tests.io.made_files import hounsfield, phantom, volume, write_dicom
from tests.io.test_geometry import rotation

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha")
PICTURES = (".png", ".tif", ".tiff")
PLANE = Geometry.identity(2)


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    child_pool.close_all()


def labels_of(array):
    return (array % 5).astype(np.int32)


def place(geometry):
    return [*geometry.spacing, *geometry.origin, *np.ravel(geometry.direction)]


@pytest.mark.parametrize("suffix", VOLUMES)
@pytest.mark.parametrize("axes", list(permutations(range(3)))[::2])
@pytest.mark.parametrize("degrees", [(0, 0, 0), (12, -7, 20)])
def test_labels_lie_on_the_voxels_of_the_file_itself(tmp_path, suffix, axes, degrees):
    direction = rotation(degrees) @ np.eye(3)[:, axes] * (-1, 1, -1)
    source = volume(direction=direction)
    sitk.WriteImage(source, str(tmp_path / "image.nii"))
    image = read_image(tmp_path / "image.nii")
    write_labels(tmp_path / f"labels{suffix}", labels_of(image.array), image.geometry)

    raw = sitk.ReadImage(str(tmp_path / "image.nii"))
    written = sitk.ReadImage(str(tmp_path / f"labels{suffix}"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), labels_of(sitk.GetArrayFromImage(raw)))
    assert written.GetPixelID() == sitk.sitkUInt8
    np.testing.assert_allclose(written.GetSpacing(), raw.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(written.GetOrigin(), raw.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-6)

    again = read_image(tmp_path / f"labels{suffix}")
    np.testing.assert_array_equal(again.array, labels_of(image.array))
    np.testing.assert_allclose(place(again.geometry), place(image.geometry), atol=1e-5)
    assert again.geometry.orientation == image.geometry.orientation


def write_placed(path, kind):
    """A NIfTI whose placings agree, disagree, or are missing; the image that it is read as."""
    turned = np.eye(4)
    turned[:3, :3], turned[:3, 3] = rotation((12, -7, 20)) * (1.5, 2.0, 4.0), (5, 6, 7)
    image = nibabel.Nifti1Image(phantom().T, turned)
    image.set_qform(turned, 1)
    if kind == "none":
        image.set_qform(None, 0)
        image.set_sform(None, 0)
    elif kind == "two":
        image.set_sform(np.diag([-1.5, -2.0, 4.0, 1.0]), 2)
    elif kind == "another spacing":
        image.set_qform(None, 0)
        image.header["pixdim"][1:4] = (2, 2, 4)
    elif kind == "sform":
        image.set_qform(None, 0)
    nibabel.save(image, path)
    return read_image(path)


@pytest.mark.filterwarnings("ignore:.*(disagree|does not say which side)")
@pytest.mark.parametrize(
    ("kind", "once"), [("both", True), ("sform", True), ("none", False), ("two", False), ("another spacing", False)]
)
def test_only_nifti_is_written_where_programs_differ_in_where_its_image_lies(tmp_path, kind, once):
    image = write_placed(tmp_path / "scan.nii", kind)
    labels = labels_of(image.array)
    for suffix in VOLUMES:
        path = tmp_path / f"labels{suffix}"
        if ".nii" not in suffix and not once:
            with pytest.raises(WriteError, match=r"no placing, or two that disagree.*Save NIfTI"):
                write_labels(path, labels, image.geometry)
            continue
        write_labels(path, labels, image.geometry)
        raw, written = (sitk.ReadImage(str(one)) for one in (tmp_path / "scan.nii", path))
        np.testing.assert_allclose(written.GetSpacing(), raw.GetSpacing(), rtol=1e-5)
        np.testing.assert_allclose(written.GetOrigin(), raw.GetOrigin(), atol=1e-4)
        np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*disagree")
@pytest.mark.parametrize("axes", [(1, 1, 1), (1, 1, -1), (-1, -1, -1)])
@pytest.mark.parametrize("kind", ["both", "two"])
@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 1), (1, 3), (2, 3)])
def test_labels_of_some_slices_have_both_placings_of_their_image_too(tmp_path, axes, kind, first, last):
    write_placed(tmp_path / "scan.nii", kind)
    scan = nibabel.load(tmp_path / "scan.nii")
    turned = scan.as_reoriented([[n, flip] for n, flip in enumerate(axes)])
    turned.set_qform(scan.get_qform() @ nibabel.orientations.inv_ornt_aff([*enumerate(axes)], scan.shape), 1)
    nibabel.save(turned, tmp_path / "scan.nii")
    image = read_image(tmp_path / "scan.nii")
    part = image.slice(first) if first == last else image.slices(first, last)
    labels = labels_of(part.array) + 1
    write_labels(tmp_path / "part.nii.gz", labels, part.geometry)
    laid = read_labels_on(image, tmp_path / "scan.nii", tmp_path / "part.nii.gz").array
    np.testing.assert_array_equal(laid[first : last + 1], labels.reshape(-1, *labels.shape[-2:]))
    assert (laid > 0).sum() == labels.size
    # Where a program that goes by one of the forms lays the same voxels of both files.
    write_labels(tmp_path / "whole.nii.gz", laid, image.geometry)
    places = []
    for name in ("whole", "part"):
        written = nibabel.load(tmp_path / f"{name}.nii.gz")
        voxels = np.argwhere(np.asarray(written.dataobj))
        values = np.asarray(written.dataobj)[tuple(voxels.T)]
        forms = [nibabel.affines.apply_affine(form, voxels) for form in (written.get_qform(), written.get_sform())]
        order = np.lexsort((*np.rint(forms[0] * 100).T, values))
        places.append([values[order], *(form[order] for form in forms)])
    for one, other in zip(*places, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.filterwarnings("ignore:.*disagree")
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".tif"])
@pytest.mark.parametrize("kind", ["both", "two"])
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (1, 3), (0, None)])
def test_labels_of_slices_along_another_axis_lie_on_their_image(tmp_path, suffix, kind, axis, first, last):
    image = write_placed(tmp_path / "scan.nii", kind)
    last = image.shape[axis] - 1 if last is None else last
    part = image.slice(first, axis) if first == last else image.slices(first, last, axis)
    labels = labels_of(part.array) + 1
    path = tmp_path / f"part{suffix}"
    if kind == "two" and suffix in (".nrrd", ".mha"):
        with pytest.raises(WriteError, match="no placing, or two that disagree"):
            write_labels(path, labels, part.geometry)
        return
    write_labels(path, labels, part.geometry)
    laid = read_labels_on(image, tmp_path / "scan.nii", path).array
    own = np.moveaxis(laid, axis, 0)
    np.testing.assert_array_equal(own[first : last + 1], labels.reshape(-1, *labels.shape[-2:]))
    assert (laid > 0).sum() == labels.size
    if suffix == ".tif":
        return
    raw, written = (sitk.ReadImage(str(one)) for one in (tmp_path / "scan.nii", path))
    for voxel in np.ndindex(*written.GetSize()):
        there = raw.TransformPhysicalPointToIndex(written.TransformIndexToPhysicalPoint(voxel))
        assert labels_of(np.array(raw[there])) + 1 == written[voxel]


def test_slices_are_numbered_as_in_the_whole_volume(tmp_path):
    labels = np.arange(3 * 4 * 5).reshape(3, 4, 5)
    written = write_label_slices(tmp_path / "s", labels, Geometry.identity(3), first=998)
    assert [path.name for path in written] == ["0998.png", "0999.png", "1000.png"]
    assert np.array_equal(read_labels(written[2]).array, labels[2])


def in_unit(path, unit):
    """A turned volume whose file tells its sizes in a unit."""
    source = volume(direction=rotation((12, -7, 20)))
    if path.suffix == ".mha":
        source.SetMetaData("ITK_VoxelUnits", unit)
    sitk.WriteImage(source, str(path))
    if path.suffix == ".nrrd":
        header, end, pixels = path.read_bytes().partition(b"\n\n")
        path.write_bytes(header + f'\nspace units: "{unit}" "{unit}" "{unit}"'.encode() + end + pixels)
    return path


@pytest.mark.filterwarnings("ignore:.*another unit")
@pytest.mark.parametrize("suffix", VOLUMES)
@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [("a.nrrd", "um", 1e-3), ("a.nrrd", "nm", 1e-6), ("a.nrrd", "m", 1e3), ("a.mha", "cm", 10)],
)
@pytest.mark.parametrize("part", [slice(None), 1])
def test_labels_of_an_image_in_another_unit_lie_on_it_in_programs_that_convert_none(
    tmp_path, suffix, name, unit, factor, part
):
    image = read_image(in_unit(tmp_path / name, unit))
    raw = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_allclose(image.geometry.spacing, np.array(raw.GetSpacing()[::-1]) * factor)
    segmented = image if part == slice(None) else image.slice(part)
    write_labels(tmp_path / f"labels{suffix}", labels_of(segmented.array), segmented.geometry)

    written = sitk.ReadImage(str(tmp_path / f"labels{suffix}"))
    np.testing.assert_allclose(written.GetSpacing(), raw.GetSpacing(), rtol=1e-6)
    np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-6)
    corner = raw.TransformPhysicalPointToContinuousIndex(written.GetOrigin())
    np.testing.assert_allclose(np.delete(corner, 2), 0, atol=1e-5)
    labels = read_labels_on(image, tmp_path / name, tmp_path / f"labels{suffix}").array
    np.testing.assert_array_equal(labels[part], labels_of(segmented.array))
    told = read_labels(tmp_path / f"labels{suffix}").geometry.in_space()
    np.testing.assert_allclose(place(told), place(segmented.geometry.in_space()), rtol=1e-5, atol=1e-9 * factor)


@pytest.mark.filterwarnings("ignore:.*another unit")
def test_labels_that_another_program_wrote_of_an_image_in_micrometres_lie_on_it(tmp_path):
    image = read_image(in_unit(tmp_path / "a.nrrd", "um"))
    labels = sitk.Cast(sitk.ReadImage(str(tmp_path / "a.nrrd")) > 5, sitk.sitkUInt8)  # as Slicer does: in its numbers
    sitk.WriteImage(labels, str(tmp_path / "labels.nrrd"))
    laid = read_labels_on(image, tmp_path / "a.nrrd", tmp_path / "labels.nrrd")
    np.testing.assert_array_equal(laid.array, image.array > 5)
    assert laid.geometry == image.geometry


@pytest.mark.parametrize("suffix", VOLUMES)
def test_a_plane_of_two_dimensions(tmp_path, suffix):
    sitk.WriteImage(volume(phantom((12, 10)), direction=np.diag([1, -1])), str(tmp_path / "image.nii"))
    image = read_image(tmp_path / "image.nii")
    write_labels(tmp_path / f"labels{suffix}", labels_of(image.array), image.geometry)
    written = sitk.ReadImage(str(tmp_path / f"labels{suffix}"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), labels_of(phantom((12, 10))))
    np.testing.assert_allclose(written.GetDirection(), np.diag([1, -1]).ravel())
    np.testing.assert_allclose(written.GetOrigin(), (-7.0, 11.0))


def test_the_labels_of_a_dicom_slice_and_of_a_slice_of_its_series_lie_at_one_place(series, tmp_path):
    stack = read_image(series)
    path = next(p for p in series.iterdir() if read_image(p).geometry.volume.origin[0] == 16.0)
    write_labels(tmp_path / "slice.nii", labels_of(read_image(path).array), read_image(path).geometry)
    write_labels(tmp_path / "plane.nii", labels_of(stack.slice(2).array), stack.slice(2).geometry)
    one, other = (sitk.ReadImage(str(tmp_path / name)) for name in ("slice.nii", "plane.nii"))
    assert one.GetSize() == other.GetSize() == (20, 24, 1)
    np.testing.assert_allclose(one.GetOrigin(), (5.0, 6.0, 16.0), rtol=1e-6)
    np.testing.assert_allclose(other.GetOrigin(), one.GetOrigin())
    np.testing.assert_array_equal(sitk.GetArrayFromImage(one), sitk.GetArrayFromImage(other))


@pytest.mark.parametrize("thin", [0, 1, 2])
def test_a_sagittal_coronal_or_axial_slice(tmp_path, thin):
    shape = np.array([12, 10, 8])
    shape[thin] = 1
    sitk.WriteImage(volume(phantom(tuple(shape)), direction=np.diag([-1, -1, 1])), str(tmp_path / "image.nii"))
    image = read_image(tmp_path / "image.nii")
    write_labels(tmp_path / "labels.nii", labels_of(image.array), image.geometry)
    raw, written = (sitk.ReadImage(str(tmp_path / name)) for name in ("image.nii", "labels.nii"))
    assert written.GetSize() == raw.GetSize()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), labels_of(sitk.GetArrayFromImage(raw)))
    np.testing.assert_allclose(written.GetOrigin(), raw.GetOrigin(), atol=1e-5)
    np.testing.assert_allclose(written.GetDirection(), raw.GetDirection(), atol=1e-6)


@pytest.mark.parametrize("suffix", PICTURES)
@pytest.mark.parametrize(("highest", "dtype"), [(0, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)])
def test_pictures_hold_labels_in_the_smallest_type(tmp_path, suffix, highest, dtype):
    labels = np.linspace(0, highest, 120).astype(np.int64).reshape(12, 10)
    write_labels(tmp_path / f"a{suffix}", labels, PLANE)
    image = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.array, labels)
    assert image.array.dtype == dtype
    if suffix != ".png":
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"a{suffix}"), labels)


@pytest.mark.parametrize("suffix", [".tif", *VOLUMES])
def test_many_labels_need_32_bits_and_a_png_does_not_have_them(tmp_path, suffix):
    labels = np.full((12, 10), 70_000)
    write_labels(tmp_path / f"a{suffix}", labels, PLANE)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{suffix}").array, labels)
    with pytest.raises(WriteError, match=r"Cannot write a\.png: a PNG holds labels up to 65535, these reach 70000"):
        write_labels(tmp_path / "a.png", labels, PLANE)


def test_no_label_is_written_that_would_not_be_read_again(tmp_path):
    highest = np.iinfo(np.int32).max
    write_labels(tmp_path / "a.tif", np.full((12, 10), highest), PLANE)
    assert read_labels(tmp_path / "a.tif").array.max() == highest
    with pytest.raises(WriteError, match=f"between 0 and {highest}; got 0 to {highest + 1}"):
        write_labels(tmp_path / "b.tif", np.array([[0, highest + 1]]), PLANE)


def test_a_stack_fits_a_tiff_and_not_a_png(tmp_path):
    write_labels(tmp_path / "a.tif", labels_of(phantom()), Geometry.identity(3))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").array, labels_of(phantom()))
    for shape in ((4, 12, 10), (4, 12, 3)):
        with pytest.raises(WriteError, match="a single plane, these are 4"):
            write_labels(tmp_path / "a.png", labels_of(phantom(shape)), Geometry.identity(3))


@pytest.mark.parametrize("suffix", [*PICTURES, *VOLUMES])
@pytest.mark.parametrize("dtype", [np.int32, bool])
def test_a_mask(tmp_path, suffix, dtype):
    labels = labels_of(phantom((12, 10))).astype(dtype)
    write_labels(tmp_path / f"a{suffix}", labels, PLANE, mask=True)
    image = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(image.array, (labels > 0) * (255 if suffix in PICTURES else 1))
    assert image.array.dtype == np.uint8


def test_a_mask_of_more_labels_than_a_png_holds(tmp_path):
    write_labels(tmp_path / "a.png", np.full((4, 4), 99_999), PLANE, mask=True)
    assert np.asarray(PIL.Image.open(tmp_path / "a.png")).min() == 255


@pytest.mark.parametrize(
    ("name", "labels", "geometry", "words"),
    [
        ("a.jpg", np.zeros((4, 4), int), PLANE, r"one of \.png, \.tif, \.tiff, \.nii\.gz"),
        ("a", np.zeros((4, 4), int), PLANE, "suffix"),
        ("a.nii", np.zeros((4, 4), int), Geometry.identity(3), r"shape \(4, 4\), the image has 3 axes"),
        ("a.nii", np.zeros((2, 2, 4, 4), int), Geometry.identity(4), r"shape \(2, 2, 4, 4\)"),
        ("a.nii", np.full((4, 4), -1), PLANE, "got -1 to -1"),
        ("a.nii", np.full((4, 4), 2**40), PLANE, "got 1099511627776"),
        ("a.nii", np.zeros((0, 4), int), PLANE, r"shape \(0, 4\)"),
        ("a.nii", np.zeros((4, 4)), PLANE, "whole numbers; got float64"),
        ("a.tif", np.zeros((2, 3, 4, 4), int), Geometry.identity(3), "a TIFF of labels holds one volume, these are 2"),
    ],
)
def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path, name, labels, geometry, words):
    with pytest.raises(WriteError, match=words):
        write_labels(tmp_path / name, labels, geometry)
    assert not list(tmp_path.iterdir())


def test_the_folder_is_made_and_an_older_file_replaced(tmp_path):
    path = tmp_path / "new" / "folder" / "a.png"
    for value in (1, 2):
        write_labels(path, np.full((4, 4), value), PLANE)
        assert np.asarray(PIL.Image.open(path)).max() == value
    assert [p.name for p in path.parent.iterdir()] == ["a.png"]


def test_a_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    for name in ("a.png", "a.nii.gz", "a.tif"):
        write_labels(tmp_path / name, np.ones((4, 4), int), PLANE)
        assert (tmp_path / name).stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.nii", "a.mha"])
def test_a_place_that_cannot_be_written(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=rf"Cannot write {name} in .*file"):
        write_labels(tmp_path / "file" / name, np.ones((4, 4), int), PLANE)
    (tmp_path / name).mkdir()
    with pytest.raises(WriteError, match=f"Cannot write {name}"):
        write_labels(tmp_path / name, np.ones((4, 4), int), PLANE)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["file", name])


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.nii.gz"])
def test_when_writing_fails_the_older_file_stays(tmp_path, monkeypatch, name):
    write_labels(tmp_path / name, np.ones((4, 4), int), PLANE)
    before = (tmp_path / name).read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(WriteError, match="No space left on device"):
        write_labels(tmp_path / name, np.zeros((4, 4), int), PLANE)
    assert (tmp_path / name).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["ü ñ.nii.gz", os.fsdecode(b"caf\xe9.mha"), "A.NII", "新.png"])
def test_odd_names(tmp_path, name):
    write_labels(tmp_path / name, labels_of(phantom((12, 10))), PLANE)
    np.testing.assert_array_equal(read_image(tmp_path / name).array, labels_of(phantom((12, 10))))


def test_a_folder_whose_name_is_no_utf8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_labels(folder / "a.nii", labels_of(phantom((12, 10))), PLANE)
    np.testing.assert_array_equal(read_image(folder / "a.nii").array, labels_of(phantom((12, 10))))


def test_a_result_without_labels_and_one_in_fortran_order(tmp_path):
    write_labels(tmp_path / "a.nii", np.zeros((12, 10), int), PLANE)
    assert not read_image(tmp_path / "a.nii").array.any()
    write_labels(tmp_path / "b.nii", np.asfortranarray(labels_of(phantom((12, 10)))), PLANE)
    np.testing.assert_array_equal(read_image(tmp_path / "b.nii").array, labels_of(phantom((12, 10))))


def test_write_png(tmp_path):
    rgb = phantom((12, 10, 3), np.uint8)
    write_png(tmp_path / "new" / "a.png", rgb)
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(tmp_path / "new" / "a.png")), rgb)
    for bad in (rgb.astype(float), rgb[..., :2], rgb[np.newaxis]):
        with pytest.raises(WriteError, match="expected"):
            write_png(tmp_path / "b.png", bad)


@pytest.mark.parametrize("name", ["a.png", *(f"a{suffix}" for suffix in VOLUMES)])
def test_write_image_comes_back(tmp_path, name, files):
    image = read_image(files / ("a.png" if name == "a.png" else "c.nii"))
    write_image(tmp_path / name, image)
    again = read_image(tmp_path / name)
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_allclose(place(again.geometry), place(image.geometry), rtol=1e-6)
    assert again.geometry.orientation == image.geometry.orientation
    for other in ("a.jpg", "a.nii" if name == "a.png" else "a.tif"):
        with pytest.raises(WriteError, match="colours are written as"):
            write_image(tmp_path / other, image)


def test_write_json(tmp_path):
    path = tmp_path / "new" / "a.json"
    write_json(path, {"a": np.float32(1.5), "b": np.arange(3), "c": "mm²", "d": (1, 2), "e": None, "f": np.bool_(True)})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {"a": 1.5, "b": [0, 1, 2], "c": "mm²", "d": [1, 2], "e": None, "f": True}
    assert "mm²" in text
    assert text.endswith("\n")
    for bad in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises(WriteError, match=r"a\.json"):
            write_json(path, bad)
    assert path.read_text(encoding="utf-8") == text


def test_writing_pictures_does_not_need_simpleitk(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_volume", None)
    for suffix in PICTURES:
        write_labels(tmp_path / f"a{suffix}", np.ones((4, 4), int), PLANE)


def test_a_dicom_slice_keeps_hounsfield_units_to_itself(tmp_path):
    write_dicom(tmp_path / "a.dcm", hounsfield())
    image = read_image(tmp_path / "a.dcm")
    write_labels(tmp_path / "a.mha", image.array > 0, image.geometry, mask=True)
    assert b"SECRET" not in (tmp_path / "a.mha").read_bytes()


def test_labels_of_an_axis_that_nifti_1_cannot_count_are_nifti_2(tmp_path):
    steps = np.diag([-1.0, -1.0, 2.0, 1.0])
    nibabel.save(nibabel.Nifti2Image(np.zeros((40_000, 3, 2), np.uint8), steps), tmp_path / "a.nii")
    geometry = read_image(tmp_path / "a.nii").geometry
    labels = np.arange(2 * 3 * 40_000).reshape(2, 3, 40_000) % 7
    write_labels(tmp_path / "labels.nii.gz", labels, geometry)
    read = read_labels(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(read.array, labels)
    assert read.geometry == geometry


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_labels_that_were_cropped_since_have_lost_their_place(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    geometry = Geometry((2.0, 0.5, 0.75), (5.0, 6.0, 7.0), Geometry.identity(3).direction)
    write_labels(path, np.arange(80).reshape(8, 10), geometry.plane(3))
    assert read_labels(path).geometry.volume.origin == (11.0, 6.0, 7.0)
    if suffix == "png":
        picture = PIL.Image.open(path)
        told = PIL.PngImagePlugin.PngInfo()
        for key, value in picture.text.items():
            told.add_itxt(key, value)
        picture.crop((2, 1, 10, 8)).save(path, pnginfo=told)
    else:
        with tifffile.TiffFile(path) as file:
            told = file.pages.first.description
        tifffile.imwrite(path, np.arange(56, dtype=np.uint8).reshape(7, 8), description=told, metadata=None)
    with pytest.warns(ReadWarning, match="written with 8 × 10 and is 7 × 8 pixels now .* not known any more") as said:
        assert read_labels(path).geometry.unit == "pixel"
    assert len(said) == 1


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("noted", [1, 6])
def test_what_is_in_pixels_is_not_in_millimetres_in_volume_formats(tmp_path, suffix, ndim, noted):
    flat, labels = replace(Geometry.identity(ndim), noted=noted), np.arange(60).reshape(3, 4, 5)
    labels = labels[1] if ndim == 2 else labels
    write_labels(tmp_path / f"a{suffix}", labels, flat)
    read = read_labels(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read.array, labels)
    assert (read.geometry.unit, read.geometry.spacing) == ("pixel", (1.0,) * ndim)
    write_image(tmp_path / f"b{suffix}", Image(labels.astype(np.uint8), flat, "grey"))
    assert isinstance(read_times(tmp_path / f"b{suffix}"), Image), "it is no file of labels"
