from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.validation import headers, text_headers

KINDS = {
    "a.png": "png", "a.jpg": "jpeg", "a.bmp": "bmp", "a.tif": "tiff", "a.dcm": "dicom",
    "a.nii": "nifti", "a.nii.gz": "nifti", "a.hdr": "nifti", "c.nii": "nifti",
    "a.mha": "meta", "a.mhd": "meta", "a.nrrd": "nrrd", "a.nhdr": "nrrd",
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_the_content_tells_the_format_whatever_the_name(files, name, kind):
    shutil.copy(files / name, files / "nameless")
    assert headers.sniff(files / "nameless") == kind
    assert headers.is_readable(files / "nameless")


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a" + bytes(200), b"<html>" * 50, bytes(2000)])
def test_anything_else_is_refused(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFormatError, match="none of the formats read here: PNG, JPEG"):
        headers.sniff(path)
    assert not headers.is_readable(path)


def test_a_damaged_file_is_claimed_by_its_name_and_what_is_no_file_is_not(tmp_path):
    assert headers.is_readable(tmp_path / "scan.nii.gz")
    assert not headers.is_readable(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe")
    assert not headers.is_readable(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.nii.gz", "a"),
        ("A.B.NII.GZ", "A.B"),
        ("b.tif", "b"),
        ("CT.1.2.840.55", "CT.1.2.840.55"),
        ("x.dcm", "x"),
        (".png", ".png"),
    ],
)
def test_stem(name, stem):
    assert headers.stem(Path(name)) == stem


CHECKS = {
    ".mha": text_headers.check_meta,
    ".mhd": text_headers.check_meta,
    ".nrrd": text_headers.check_nrrd,
    ".nhdr": text_headers.check_nrrd,
}


@pytest.mark.parametrize("name", ["a.mha", "b.mha", "a.mhd", "a.nrrd", "b.nrrd", "a.nhdr"])
def test_good_headers_pass(files, name):
    CHECKS[Path(name).suffix](files / name)


@pytest.mark.parametrize("name", ["a.mha", "b.mha", "a.nrrd"])
def test_a_file_that_was_cut_off_is_refused(files, name):
    path = files / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ReadError, match=r"promises .* cut off"):
        CHECKS[path.suffix](path)


def test_damage_in_packed_pixels_is_found(files):
    raw = bytearray((files / "b.mha").read_bytes())
    raw[-60] ^= 255
    (files / "b.mha").write_bytes(raw)
    with pytest.raises(ReadError, match="packed pixels are damaged"):
        text_headers.check_meta(files / "b.mha")


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("a.mha", b"DimSize = 10 12 4", b"DimSize = 99999 99999 999", "99999 × 99999 × 999 values"),
        ("a.mha", b"DimSize = 10 12 4", b"DimSize = 10 12", "sizes"),
        ("a.mha", b"DimSize = 10 12 4", b"DimSize = 10 -12 4", "sizes"),
        ("a.mha", b"NDims = 3", b"NDims = 2147483647", "sizes"),
        ("a.mha", b"NDims = 3", b"NDims = three", "sizes"),
        ("a.mha", b"MET_SHORT", b"MET_BANANA", "type"),
        ("a.mha", b"ObjectType = Image", b"ObjectType = Tube", "not an image"),
        ("a.mha", b"ElementDataFile = LOCAL", b"ElementDataFile = LIST", "several files"),
        ("a.mha", b"ElementDataFile = LOCAL", b"ElementDataFile = no.raw", "missing"),
        ("a.mha", b"ElementDataFile = LOCAL", b"Element", "does not end"),
        ("a.mha", b"ElementType", b"ElementNumberOfChannels = many\nElementType", "channels"),
        ("a.nrrd", b"sizes: 10 12 4", b"sizes: 10 12 400", "promises"),
        ("a.nrrd", b"sizes: 10 12 4", b"sizes: 10 12", "sizes"),
        ("a.nrrd", b"sizes: 10 12 4", b"sizes: 99999 99999 999", "99999 × 99999 × 999 values"),
        ("a.nrrd", b"type: short", b"type: block", "type"),
        ("a.nrrd", b"encoding: raw", b"encoding: raw\ndata file: no.raw", "missing"),
    ],
)
def test_a_nonsensical_header_is_refused(files, name, old, new, words):
    raw = (files / name).read_bytes()
    assert old in raw
    (files / name).write_bytes(raw.replace(old, new))
    with pytest.raises(ReadError, match=words):
        CHECKS[Path(name).suffix](files / name)


@pytest.mark.parametrize(
    ("word", "size"),
    [
        ("unsigned char", 1),
        ("uint8", 1),
        ("int16_t", 2),
        ("unsigned short int", 2),
        ("uint", 4),
        ("long long int", 8),
        ("double", 8),
    ],
)
def test_nrrd_types(tmp_path, word, size):
    path = tmp_path / "a.nrrd"
    head = f"NRRD0004\ntype: {word}\ndimension: 2\nsizes: 3 5\nencoding: raw\n\n".encode()
    path.write_bytes(head + bytes(15 * size))
    text_headers.check_nrrd(path)
    path.write_bytes(head + bytes(15 * size - 1))
    with pytest.raises(ReadError, match="promises"):
        text_headers.check_nrrd(path)


def test_a_single_axis_is_no_image(tmp_path):
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\ntype: uchar\ndimension: 1\nsizes: 9\nencoding: raw\n\n" + bytes(9))
    with pytest.raises(UnsupportedFormatError, match="single axis"):
        text_headers.check_nrrd(tmp_path / "a.nrrd")


@pytest.mark.parametrize("target", ["../a.raw", "/etc/passwd", "inner/a.raw", r"..\\a.raw", r"c:\\a.raw"])
@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr"])
def test_pixels_lie_in_the_folder_of_their_header(files, name, target):
    text = (files / name).read_bytes()
    old = next(word for word in (b"a.raw.gz", b"a.raw", b"a.zraw") if word in text)
    inner = files / "inner"
    inner.mkdir()
    (files / name).write_bytes(text.replace(old, target.encode()))
    with pytest.raises(ReadError, match="outside its own folder"):
        CHECKS[files.joinpath(name).suffix](files / name)
