from __future__ import annotations

import gzip
import shutil
import struct

import numpy as np
import pytest

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.validation.nifti import read_nifti_header
from tests.io.made_files import phantom, write_nifti2


def changed(path, place, layout, *values):
    """Write numbers over a header."""
    raw = bytearray(path.read_bytes())
    struct.pack_into(layout, raw, place, *values)
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.hdr", "c.nii"])
def test_what_a_header_says(files, name):
    header = read_nifti_header(files / name)
    assert header.sizes == (10, 12, 4)
    assert header.dtype == np.int16
    assert header.pixel_bytes == phantom().nbytes
    assert header.start == {"a.hdr": 0, "c.nii": 544}.get(name, 352)
    assert header.pixels == files / name.replace("hdr", "img")


def test_the_order_of_bytes(tmp_path):
    write_nifti2(tmp_path / "a.nii", phantom(), order=">")
    header = read_nifti_header(tmp_path / "a.nii")
    assert header.sizes == (10, 12, 4)
    assert header.dtype == np.dtype(">i2")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["a.nii", "a.img", "c.nii"])
def test_a_file_that_was_cut_off_is_refused(files, name, share):
    path = files / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ReadError, match="cut off"):
        read_nifti_header(files / name.replace("img", "hdr"))


@pytest.mark.parametrize(
    ("place", "values", "words"),
    [
        (40, (99,), "99 axes"),
        (42, (0,), "axes"),
        (44, (-5,), "axes"),
        (42, (32000, 32000, 32000), "32000 × 32000 × 32000 values"),
        (42, (900, 12, 4), "promises 87 kB"),
        (70, (77,), "NIfTI type 77"),
        (70, (32,), "complex"),
        (110, (-1,), "where the pixels begin"),
    ],
)
def test_a_nonsensical_header_is_refused(files, place, values, words):
    path = changed(files / "a.nii", place, f"<{len(values)}h", *values)
    with pytest.raises(ReadError, match=words):
        read_nifti_header(path)


def test_pixels_never_begin_within_the_header(files):
    changed(files / "a.nii", 108, "<f", 0.0)
    with pytest.warns(ReadWarning, match="taken from byte 352"):
        assert read_nifti_header(files / "a.nii").start == 352
    changed(files / "a.nii", 108, "<f", 100.0)
    with pytest.raises(ReadError, match="begin at byte 100, within the header"):
        read_nifti_header(files / "a.nii")


def test_a_header_without_its_pixels(files):
    (files / "a.img").unlink()
    with pytest.raises(ReadError, match=r"a\.img should be in the same folder"):
        read_nifti_header(files / "a.hdr")


def test_packed_pixels_of_a_plain_header(files):
    shutil.copy(files / "a.hdr", files / "packed.hdr")
    (files / "packed.img.gz").write_bytes(gzip.compress((files / "a.img").read_bytes()))
    assert read_nifti_header(files / "packed.hdr").pixels == files / "packed.img.gz"


def test_analyze_does_not_tell_left_from_right(files):
    raw = bytearray((files / "a.hdr").read_bytes())
    raw[344:348] = bytes(4)
    (files / "a.hdr").write_bytes(raw)
    with pytest.warns(ReadWarning, match="left from right"):
        assert read_nifti_header(files / "a.hdr").analyze


def test_a_type_that_is_not_read(files):
    with pytest.raises(UnsupportedFormatError, match="type 1536"):
        read_nifti_header(changed(files / "a.nii", 70, "<h", 1536))
