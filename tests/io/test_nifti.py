from __future__ import annotations

import gzip
import shutil
import struct
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io import write_labels
from napari_s3net.io.geometry import to_file_grid
from napari_s3net.io.nifti import read_nifti, read_nifti_series
from napari_s3net.io.validation import limits
from tests.io.made_files import hounsfield, phantom, write_nifti2
from tests.io.validation.test_nifti import changed

#: Of files that are made here without a placing.
UNPLACED = pytest.mark.filterwarnings("ignore:its header does not say which side is left")
AFFINE = np.array([[-1.5, 0, 0, 7], [0, -2.0, 0, -11], [0, 0, 4.0, 23], [0, 0, 0, 1]])


def save(path, array, affine=AFFINE, **header):
    """A file by nibabel; `array` is x, y, z."""
    image = nibabel.Nifti1Image(array, affine)
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def same_values(path, **how):
    """What is read, held against nibabel's own."""
    image = read_nifti(path, "name")
    expected = np.asarray(nibabel.load(path).dataobj)
    np.testing.assert_allclose(image.array, expected.T, **{"rtol": 1e-12, **how})
    return image


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_values_and_geometry(tmp_path, dtype):
    image = same_values(save(tmp_path / "a.nii.gz", phantom(dtype=dtype).T), rtol=0)
    assert image.array.dtype == np.dtype(dtype)
    assert image.kind == "grey"
    assert image.name == "name"
    np.testing.assert_allclose(image.geometry.spacing, (4.0, 2.0, 1.5))
    np.testing.assert_allclose(image.geometry.origin, (23.0, 11.0, -7.0))
    assert image.geometry.orientation == "LPS"


@pytest.mark.parametrize("name", ["Odd.Nii", "odd.NII.gz", "without", "packed.hdr"])
def test_names_and_packings(files, name):
    if name == "packed.hdr":
        shutil.copy(files / "a.hdr", files / name)
        (files / "packed.img.gz").write_bytes(gzip.compress((files / "a.img").read_bytes()))
    else:
        shutil.copy(files / ("a.nii.gz" if name.endswith("gz") else "a.nii"), files / name)
    np.testing.assert_array_equal(read_nifti(files / name, "a").array, phantom())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_nifti2(tmp_path, order, packed):
    path = tmp_path / "a.nii"
    write_nifti2(path, phantom(), order=order)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    image = read_nifti(path, "a")
    np.testing.assert_array_equal(image.array, phantom()[:, ::-1, ::-1])
    assert image.geometry.orientation == "RAS"
    np.testing.assert_allclose(image.geometry.origin, (23.0, -11.0 - 22, 7.0 - 13.5))


def test_an_axis_that_is_longer_than_nifti1_can_hold(tmp_path):
    write_nifti2(tmp_path / "long.nii", phantom((2, 2, 40_000)))
    assert read_nifti(tmp_path / "long.nii", "a").shape == (2, 2, 40_000)


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"), [(1, -1024, "i2"), (2, -5, "i4"), (0.5, 0, "f8"), (2.5e-4, -3.25, "f8")]
)
def test_the_scale_of_the_header_is_applied_exactly(tmp_path, slope, intercept, dtype):
    path = save(tmp_path / "a.nii", phantom(dtype=np.uint8 if dtype == "i2" else np.int16).T)
    changed(path, 112, "<2f", slope, intercept)
    assert same_values(path).array.dtype == np.dtype(dtype)


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_of_zero_is_none(tmp_path, slope):
    path = changed(save(tmp_path / "a.nii", phantom().T), 112, "<2f", slope, 7.0)
    np.testing.assert_array_equal(read_nifti(path, "a").array, phantom())


def test_nan_stays_nan(tmp_path):
    array = phantom(dtype=np.float32)
    array[1, 2, 3] = np.nan
    image = read_nifti(save(tmp_path / "a.nii", array.T), "a")
    assert np.isnan(image.array).sum() == 1
    assert np.isnan(image.array[1, 2, 3])


@pytest.mark.parametrize("slope", [1.0, 2.0])
def test_of_several_values_a_voxel_the_first_is_opened_and_scaled(tmp_path, slope):
    vectors = np.stack([phantom().T, 7 * phantom().T, -phantom().T], axis=-1)[:, :, :, np.newaxis]
    path = changed(save(tmp_path / "a.nii", vectors, intent_code=1007), 112, "<2f", slope, -5.0)
    with pytest.warns(ReadWarning, match="3 values a voxel; the first is opened"):
        image = read_nifti(path, "a")
    np.testing.assert_array_equal(image.array, phantom() * slope - 5)


def test_of_several_volumes_the_first_is_opened_and_said(tmp_path):
    path = save(tmp_path / "a.nii.gz", np.stack([phantom().T, -phantom().T], axis=-1))
    with pytest.warns(ReadWarning, match="2 volumes; the first is opened"):
        np.testing.assert_array_equal(read_nifti(path, "a").array, phantom())


@pytest.mark.parametrize(("ending", "slope"), [("a.nii", 0.5), ("a.nii.gz", 1.0)])
def test_one_of_several_volumes_is_chosen_or_all_are_opened(tmp_path, ending, slope):
    volumes = np.stack([phantom(), -phantom(), 3 * phantom()])
    path = save(tmp_path / ending, volumes.transpose(3, 2, 1, 0))
    if ending == "a.nii":
        path = changed(path, 112, "<2f", slope, 0.0)
    alone = read_nifti(save(tmp_path / "alone.nii", phantom().T), "a")
    for time, volume in enumerate(volumes):
        image = read_nifti(path, "a", time)
        assert image.times == 3
        assert image.geometry == alone.geometry
        np.testing.assert_array_equal(image.array, slope * volume)
    first, series = read_nifti_series(path, "a")
    assert (first.geometry, first.times) == (alone.geometry, 3)
    np.testing.assert_array_equal(series, slope * volumes)
    with pytest.raises(ReadError, match="no volume 3: it holds 3, counted from 0"):
        read_nifti(path, "a", 3)


def test_a_series_is_turned_upright_as_a_volume_is(tmp_path):
    sagittal = np.array([[0, 0, 4.0, 0], [-1.5, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 1]])
    volumes = np.stack([phantom((4, 12, 10)), phantom((4, 12, 10)) * 3])
    path = save(tmp_path / "a.nii", volumes.transpose(3, 2, 1, 0), sagittal)
    _, series = read_nifti_series(path, "a")
    for time in (0, 1):
        np.testing.assert_array_equal(series[time], read_nifti(path, "a", time).array)
    assert read_nifti(path, "a", 0).geometry.orientation


def test_one_volume_is_no_series(tmp_path):
    first, series = read_nifti_series(save(tmp_path / "a.nii", phantom().T), "a")
    assert series is None
    assert first.times == 1


def test_of_a_series_too_large_for_memory_the_first_volume_is_opened_and_said(tmp_path, monkeypatch):
    path = save(tmp_path / "a.nii", np.stack([phantom().T, -phantom().T], axis=-1))
    monkeypatch.setattr(limits, "physical_memory", lambda: limits.COPIES * 1.5 * phantom().nbytes)
    with pytest.warns(ReadWarning, match="2 volumes; the first is opened"):
        first, series = read_nifti_series(path, "a")
    assert series is None
    np.testing.assert_array_equal(first.array, phantom())


def test_colours(tmp_path):
    array = phantom((4, 12, 10, 3), np.uint8).transpose(2, 1, 0, 3)
    colours = np.ascontiguousarray(array).view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    image = read_nifti(save(tmp_path / "a.nii", colours), "a")
    assert image.kind == "rgb"
    np.testing.assert_array_equal(image.array, phantom((4, 12, 10, 3), np.uint8))


def test_hounsfield_units_are_told_by_their_air(tmp_path):
    path = save(tmp_path / "a.nii", np.stack([hounsfield(i) for i in range(3)]).T)
    assert read_nifti(path, "a").kind == "ct"


def two_forms(path, qform, sform):
    image = nibabel.Nifti1Image(phantom().T, None)
    image.header.set_qform(qform, 1)
    image.header.set_sform(sform, 2)
    nibabel.save(image, path)
    return path


def test_where_the_two_placings_disagree_the_sform_holds_and_labels_go_back_for_every_program(tmp_path):
    other = np.diag([1.5, 2.0, 4.0, 1.0])
    path = two_forms(tmp_path / "a.nii", other, AFFINE)
    with pytest.warns(ReadWarning, match=r"\(qform and sform\) disagree by up to 62\.9 mm; the sform is used"):
        image = read_nifti(path, "a")
    assert image.geometry.orientation == "LPS"
    write_labels(tmp_path / "labels.nii.gz", image.array % 5, image.geometry)
    labels, source = nibabel.load(tmp_path / "labels.nii.gz"), nibabel.load(path)
    np.testing.assert_array_equal(np.asarray(labels.dataobj), phantom().T % 5)
    for form in ("get_qform", "get_sform"):
        mine, theirs = (getattr(one, form)(coded=True) for one in (labels, source))
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)
        assert mine[1] == theirs[1]


def test_a_plane_of_such_a_volume_lies_where_the_volume_says(tmp_path):
    with pytest.warns(ReadWarning):
        image = read_nifti(two_forms(tmp_path / "a.nii", np.diag([1.5, 2.0, 4.0, 1.0]), AFFINE), "a")
    plane = image.slice(2)
    write_labels(tmp_path / "plane.nii", plane.array % 5, plane.geometry)
    np.testing.assert_allclose(nibabel.load(tmp_path / "plane.nii").affine, AFFINE + np.eye(4)[:, 2:3] * [0, 0, 0, 8])


def test_where_both_placings_agree_nothing_is_said(tmp_path):
    assert read_nifti(two_forms(tmp_path / "a.nii", AFFINE, AFFINE), "a").geometry.orientation == "LPS"


def test_an_affine_that_is_rounded_to_three_decimals_opens(tmp_path):
    turn = np.deg2rad([12, -7, 20])
    x, y, z = (np.array(m) for m in _rotations(turn))
    affine = np.eye(4)
    affine[:3, :3] = np.round(x @ y @ z, 3) * 0.8
    image = read_nifti(save(tmp_path / "a.nii", phantom().T, affine, qform_code=0), "a")
    direction = np.array(image.geometry.direction)
    np.testing.assert_allclose(direction @ direction.T, np.eye(3), atol=1e-12)
    write_labels(tmp_path / "labels.nii", image.array % 5, image.geometry)
    np.testing.assert_allclose(nibabel.load(tmp_path / "labels.nii").affine, affine, atol=1e-6)


def _rotations(turn):
    (a, b, c), (s, t, u) = np.cos(turn), np.sin(turn)
    return (
        [[1, 0, 0], [0, a, -s], [0, s, a]],
        [[b, 0, t], [0, 1, 0], [-t, 0, b]],
        [[c, -u, 0], [u, c, 0], [0, 0, 1]],
    )


def test_a_sheared_sform_gives_way_to_the_qform_and_alone_it_is_refused(tmp_path):
    sheared = AFFINE.copy()
    sheared[0, 1] = 0.9
    with pytest.warns(ReadWarning, match="the qform is used"):
        image = read_nifti(two_forms(tmp_path / "a.nii", AFFINE, sheared), "a")
    np.testing.assert_allclose(image.geometry.spacing, (4.0, 2.0, 1.5))
    path = changed(tmp_path / "a.nii", 252, "<h", 0)
    with pytest.raises(UnsupportedFormatError, match="right angles"):
        read_nifti(path, "a")


def test_a_file_without_a_placing_has_its_spacing_and_its_sides_are_said_to_be_a_guess(tmp_path):
    path = changed(save(tmp_path / "a.nii", phantom().T), 252, "<2h", 0, 0)
    with pytest.warns(ReadWarning, match="does not say which side is left"):
        assert read_nifti(path, "a").geometry.spacing == (4.0, 2.0, 1.5)
    plane = changed(save(tmp_path / "b.nii", phantom()[0].T), 252, "<2h", 0, 0)
    assert read_nifti(plane, "b").geometry.spacing == (2.0, 1.5), "nobody takes a plane for a body with sides"


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1000.0), ("mm", 1.0), ("micron", 0.001)])
def test_lengths_are_in_millimetres_whatever_the_file_has(tmp_path, unit, factor):
    image = nibabel.Nifti1Image(phantom().T, AFFINE)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    geometry = read_nifti(tmp_path / "a.nii", "a").geometry
    np.testing.assert_allclose(geometry.spacing, np.array([4.0, 2.0, 1.5]) * factor)
    np.testing.assert_allclose(geometry.origin, np.array([23.0, 11.0, -7.0]) * factor)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_gzipped_file_that_was_cut_off_is_refused(files, share):
    path = files / "a.nii.gz"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ReadError, match="cut off"):
        read_nifti(path, "a")


def test_damage_in_a_gzipped_file_is_found_though_it_lies_behind_the_first_volume(tmp_path):
    volumes = np.random.default_rng(0).integers(0, 999, (20, 20, 4, 5)).astype(np.int16)
    good = save(tmp_path / "a.nii.gz", volumes).read_bytes()
    for place in range(500, len(good) - 8, 997):
        (tmp_path / "a.nii.gz").write_bytes(good[:place] + bytes([good[place] ^ 16]) + good[place + 1 :])
        with pytest.raises(ReadError, match=r"damaged|cut off"):
            read_nifti(tmp_path / "a.nii.gz", "a")


def test_several_gzip_members_are_one_file(files):
    raw = (files / "a.nii").read_bytes()
    (files / "a.nii.gz").write_bytes(gzip.compress(raw[:600]) + gzip.compress(raw[600:]))
    np.testing.assert_array_equal(read_nifti(files / "a.nii.gz", "a").array, phantom())


def test_a_plane_of_two_dimensions_stays_flat_and_one_that_lies_elsewhere_keeps_its_place(tmp_path):
    flat = read_nifti(save(tmp_path / "a.nii", phantom((12, 10)).T, np.diag([-1.5, -2.0, 1.0, 1.0])), "a")
    assert flat.geometry.volume is None
    assert flat.geometry.spacing == (2.0, 1.5)
    lifted = np.diag([-1.5, -2.0, 1.0, 1.0]) + np.eye(4)[:, 2:3] * [0, 0, 0, 30.0]
    placed = read_nifti(save(tmp_path / "b.nii", phantom((12, 10)).T, lifted), "a")
    np.testing.assert_array_equal(placed.array, flat.array)
    assert placed.geometry.volume.origin[0] == 30.0


def test_a_header_whose_intercept_is_no_number(tmp_path):
    path = changed(save(tmp_path / "a.nii", phantom().T), 112, "<2f", 2.0, np.nan)
    with pytest.raises(ReadError, match="intercept"):
        read_nifti(path, "a")


def test_a_sagittal_acquisition_is_shown_as_it_was_taken(tmp_path):
    # The slices follow one another from right to left; rows of the file run down, columns to the back.
    affine = np.array([[0, 0, -4.0, 0], [-1.5, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 1]])
    image = read_nifti(save(tmp_path / "a.nii", phantom().T, affine), "a")
    assert image.geometry.orientation == image.geometry.shown == "PIL"
    np.testing.assert_array_equal(image.array, phantom())
    assert image.geometry.spacing == (4.0, 2.0, 1.5)


def test_numbers_in_another_order_of_bytes_are_scaled(tmp_path):
    image = nibabel.Nifti1Image(phantom().T, AFFINE, nibabel.Nifti1Header(endianness=">"))
    nibabel.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into(">2f", raw, 112, 3.0, 1.0)
    (tmp_path / "a.nii").write_bytes(raw)
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii", "a").array, phantom() * 3 + 1)


@UNPLACED
@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_spacing_that_makes_no_sense_is_said_and_is_not_millimetres(tmp_path, size, axis):
    image = nibabel.Nifti1Image(phantom((6, 5, 4)), np.diag([1.5, 2, 3, 1]))
    image.set_qform(None, 0)
    image.set_sform(None, 0)
    path = tmp_path / "a.nii"
    nibabel.save(image, path)
    assert read_nifti(path, "a").geometry.unit == "mm"
    content = bytearray(path.read_bytes())
    struct.pack_into("<f", content, 80 + 4 * axis, size)
    path.write_bytes(content)
    with pytest.warns(ReadWarning, match="no spacing that makes sense"):
        assert read_nifti(path, "a").geometry.unit == "pixel"
    flat = tmp_path / "flat.nii"
    nibabel.save(nibabel.Nifti1Image(phantom((6, 5)), np.diag([1.5, 2, 3, 1])), flat)
    content = bytearray(flat.read_bytes())
    content[252:256] = bytes(4)  # no placings
    struct.pack_into("<f", content, 88, size)
    flat.write_bytes(content)
    assert read_nifti(flat, "a").geometry.unit == "mm"


@UNPLACED
@pytest.mark.parametrize(("qform", "sform"), [(0, 2), (1, 0), (0, 0), (1, 1)])
@pytest.mark.parametrize("unit", ["meter", "mm", "micron", "unknown"])
def test_labels_have_the_place_the_spacing_and_the_unit_of_their_image(tmp_path, qform, sform, unit):
    """As nibabel saves by default, there is an sform alone; ITK takes the spacing from `pixdim` then."""
    image = nibabel.Nifti1Image(phantom().T, AFFINE)
    image.header.set_qform(AFFINE if qform else None, qform)
    image.header.set_sform(AFFINE if sform else None, sform)
    image.header.set_zooms((1.5, 2.0, 4.0))
    image.header.set_xyzt_units(unit)
    nibabel.save(nibabel.Nifti1Image(phantom().T, None, image.header), tmp_path / "a.nii")
    opened = read_nifti(tmp_path / "a.nii", "a")
    write_labels(tmp_path / "labels.nii", opened.array % 5, opened.geometry)
    source, labels = nibabel.load(tmp_path / "a.nii"), nibabel.load(tmp_path / "labels.nii")
    np.testing.assert_array_equal(np.asarray(labels.dataobj), phantom().T % 5)
    np.testing.assert_allclose(labels.affine, source.affine)
    for key in ("pixdim", "qform_code", "sform_code", "xyzt_units"):
        np.testing.assert_array_equal(labels.header[key], source.header[key])
    one, other = (sitk.ReadImage(str(tmp_path / name)) for name in ("a.nii", "labels.nii"))
    for what in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(other, what)(), getattr(one, what)(), rtol=1e-5)
    assert read_nifti(tmp_path / "labels.nii", "a").geometry == opened.geometry


def test_a_part_of_an_upside_down_volume_lies_where_the_volume_says(tmp_path):
    """The first slices that are shown are the last ones of the file, whose placings do not hold for them."""
    upside_down = AFFINE * [1, 1, -1, 1]
    image = read_nifti(save(tmp_path / "a.nii", phantom().T, upside_down), "a")
    part = image.slices(0, 1)
    write_labels(tmp_path / "part.nii", part.array % 5, part.geometry)
    labels = nibabel.load(tmp_path / "part.nii")
    np.testing.assert_array_equal(np.asarray(labels.dataobj), phantom().T[..., 2:] % 5)
    np.testing.assert_allclose(labels.affine, upside_down @ [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1]])


def test_pixels_of_a_plane_that_got_another_size_have_it_in_its_labels(tmp_path):
    plane = read_nifti(save(tmp_path / "a.nii", phantom().T[..., :1]), "a")
    geometry = replace(plane.geometry, spacing=(0.5, 0.25))
    write_labels(tmp_path / "labels.nii", plane.array % 5, geometry)
    np.testing.assert_allclose(nibabel.load(tmp_path / "labels.nii").header.get_zooms(), (0.25, 0.5, 4.0))


TURNED = np.array([[-1.2, 0, -1.6, 7], [0, -2.0, 0, -11], [0.9, 0, -3.2, 23], [0, 0, 0, 1]])


def changed_steps(path, change):
    """A file whose handedness and steps (pixdim) are changed in place; it has a qform alone."""
    image = nibabel.Nifti1Image(phantom().T, None)
    image.header.set_qform(TURNED, 1)
    nibabel.save(image, path)
    steps = np.frombuffer(path.read_bytes(), "<f4", 4, 76).astype(float)
    return changed(path, 76, "<4f", *change(steps))


@pytest.mark.parametrize("change", ["as it is", "handedness 0", "negative steps"])
def test_steps_are_taken_as_the_library_of_nifti_takes_them(tmp_path, change):
    """A handedness of 0 is 1; a step is a distance, whatever its sign. Other programs write both."""
    changes = {
        "as it is": lambda steps: steps,
        "handedness 0": lambda steps: [0.0 if steps[0] > 0 else steps[0], *steps[1:]],
        "negative steps": lambda steps: [steps[0], *-steps[1:]],
    }
    path = changed_steps(tmp_path / "a.nii", changes[change])
    image = read_nifti(path, "a")
    other = sitk.ReadImage(str(changed_steps(tmp_path / "b.nii", lambda steps: steps)))
    np.testing.assert_allclose(image.geometry.spacing, other.GetSpacing()[::-1], rtol=1e-5)
    write_labels(tmp_path / "labels.nii", image.array % 5, image.geometry)
    labels = sitk.ReadImage(str(tmp_path / "labels.nii"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(labels), phantom() % 5)
    for place in ("GetOrigin", "GetSpacing", "GetDirection"):
        np.testing.assert_allclose(getattr(labels, place)(), getattr(other, place)(), atol=1e-5)


@pytest.mark.parametrize("digits", [3, 4, 5])
def test_a_quaternion_that_is_rounded_is_one(tmp_path, digits):
    path = changed_steps(tmp_path / "a.nii", lambda steps: steps)
    for turn in np.random.default_rng(0).normal(size=(20, 3)):
        changed(path, 256, "<3f", *np.round(turn / np.linalg.norm(turn), digits))  # half a turn about any axis
        image = read_nifti(path, "a")
        direction = to_file_grid(image.array, image.geometry)[1].direction
        expected = np.reshape(sitk.ReadImage(str(path)).GetDirection(), (3, 3))
        np.testing.assert_allclose(direction, expected, atol=1e-3)


def test_a_quaternion_that_is_none_is_refused(tmp_path):
    path = changed(changed_steps(tmp_path / "a.nii", lambda steps: steps), 256, "<3f", 0.9, 0.9, 0.0)
    with pytest.raises(UnsupportedFormatError, match="right angles"):
        read_nifti(path, "a")


def test_where_the_sform_and_the_spacing_disagree_it_is_said_and_labels_keep_both(tmp_path, recwarn):
    path = save(tmp_path / "a.nii", phantom().T, qform_code=0)
    assert read_nifti(path, "a").geometry.spacing == (4.0, 2.0, 1.5)
    assert not recwarn
    changed(path, 80, "<3f", 3.0, 2.0, 4.0)
    with pytest.warns(ReadWarning, match=r"disagree, 1\.5 × 2 × 4 mm and 3 × 2 × 4 mm; the sform is used"):
        image = read_nifti(path, "a")
    assert image.geometry.spacing == (4.0, 2.0, 1.5)
    write_labels(tmp_path / "labels.nii", image.array % 5, image.geometry)
    for one, other in zip(
        *(nibabel.load(p).header["pixdim"][1:4] for p in (path, tmp_path / "labels.nii")), strict=True
    ):
        assert one == other


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr"])
def test_slices_that_the_header_does_not_promise_are_said(files, name):
    path = files / name
    pixels = path.with_suffix(".img") if name == "a.hdr" else path
    content = gzip.decompress(pixels.read_bytes()) if name.endswith("gz") else pixels.read_bytes()
    content += bytes(240)
    pixels.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.warns(ReadWarning, match=r"promises 960 bytes of pixels, its file has 1 kB; the first"):
        np.testing.assert_array_equal(read_nifti(path, "a").array, phantom())
