from __future__ import annotations

import gzip
import shutil
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.validation.nifti import as_plain_nifti, check_nifti
from tests.io.made_files import phantom, volume, write_nifti2


def pixels(path):
    check_nifti(path)
    with as_plain_nifti(path) as plain:
        return sitk.ReadImage(str(plain))


def test_a_plain_file_is_read_in_place(files):
    with as_plain_nifti(files / "a.nii") as plain:
        assert plain == files / "a.nii"


@pytest.mark.parametrize("name", ["a.nii.gz", "packed.hdr", "Odd.Nii", "odd.NII.gz", "without"])
def test_what_simpleitk_stumbles_over_is_read_from_a_copy(files, name):
    if name == "packed.hdr":
        shutil.copy(files / "a.hdr", files / name)
        (files / "packed.img.gz").write_bytes(gzip.compress((files / "a.img").read_bytes()))
    elif name != "a.nii.gz":
        shutil.copy(files / ("a.nii.gz" if name.endswith("gz") else "a.nii"), files / name)
    with as_plain_nifti(files / name) as plain:
        assert plain != files / name
    assert not plain.exists()
    image = pixels(files / name)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), phantom())
    np.testing.assert_allclose(image.GetSpacing(), (1.5, 2.0, 4.0))
    np.testing.assert_allclose(image.GetOrigin(), (-7.0, 11.0, 23.0), rtol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_nifti2(tmp_path, order, packed):
    path = tmp_path / "a.nii"
    write_nifti2(path, phantom(), order=order)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    image = pixels(path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), phantom())
    np.testing.assert_allclose(image.GetSpacing(), (1.5, 2.0, 4.0))
    # RAS in the file is LPS in SimpleITK: x and y change their sign.
    np.testing.assert_allclose(image.GetOrigin(), (7.0, -11.0, 23.0))
    np.testing.assert_allclose(image.GetDirection(), np.diag([-1, -1, 1]).ravel())


def test_nifti2_with_an_axis_that_nifti1_cannot_hold(tmp_path):
    path = tmp_path / "long.nii"
    write_nifti2(path, phantom((1, 2, 40_000)))
    with pytest.raises(UnsupportedFormatError, match="40000"):
        pixels(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img", "c.nii"])
def test_a_file_that_was_cut_off_is_refused(files, name, share):
    path = files / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ReadError, match="cut off"):
        pixels(files / name.replace("img", "hdr"))


def test_damage_in_a_gzipped_file_is_found(files, tmp_path):
    image = volume(np.random.default_rng(0).integers(0, 999, (9, 40, 40)).astype(np.int16))
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    good = (tmp_path / "a.nii.gz").read_bytes()
    for place in range(500, len(good) - 8, 997):
        (tmp_path / "a.nii.gz").write_bytes(good[:place] + bytes([good[place] ^ 16]) + good[place + 1 :])
        with pytest.raises(ReadError, match=r"damaged|cut off"):
            pixels(tmp_path / "a.nii.gz")


def test_several_gzip_members_are_one_file(files):
    raw = (files / "a.nii").read_bytes()
    (files / "a.nii.gz").write_bytes(gzip.compress(raw[:600]) + gzip.compress(raw[600:]))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(pixels(files / "a.nii.gz")), phantom())


@pytest.mark.parametrize(
    ("place", "values", "words"),
    [
        (40, (99,), "99 axes"),
        (42, (0,), "axes"),
        (44, (-5,), "axes"),
        (42, (32000, 32000, 32000), "32000 × 32000 × 32000 values"),
        (42, (900, 12, 4), "promises 87 kB"),
        (70, (77,), "NIfTI type 77"),
        (110, (-1,), "where the pixels begin"),
    ],
)
def test_a_nonsensical_header_is_refused(files, place, values, words):
    raw = bytearray((files / "a.nii").read_bytes())
    raw[place : place + 2 * len(values)] = struct.pack(f"<{len(values)}h", *values)
    (files / "a.nii").write_bytes(raw)
    with pytest.raises(ReadError, match=words):
        check_nifti(files / "a.nii")


def test_a_header_without_its_pixels(files):
    (files / "a.img").unlink()
    with pytest.raises(ReadError, match=r"a\.img should be in the same folder"):
        check_nifti(files / "a.hdr")
