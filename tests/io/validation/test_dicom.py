from __future__ import annotations

import struct
from pathlib import Path

import pytest

from napari_s3net.errors import ReadError
from napari_s3net.io.validation.dicom import check_dicom
from tests.io.made_files import hounsfield, write_dicom

SHARED = Path(__file__).parents[3] / "shared" / "data" / "formats" / "ct_series_jpeg2000"
EXPLICIT, IMPLICIT, BIG = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2"
ITEM, END_ITEM, END = (b"\xfe\xff" + e + b"\xe0" for e in (b"\x00", b"\x0d", b"\xdd"))


def element(tag, kind, body, *, explicit=True, undefined=False):
    length = 0xFFFFFFFF if undefined else len(body)
    head = struct.pack("<2H", *tag)
    if not explicit:
        return head + struct.pack("<I", length) + body
    if kind in (b"OW", b"OB", b"SQ", b"UN"):
        return head + kind + struct.pack("<2xI", length) + body
    return head + kind + struct.pack("<H", length) + body


def data_set(syntax, *elements):
    return bytes(128) + b"DICM" + element((2, 0x10), b"UI", syntax + b"\0" * (len(syntax) % 2)) + b"".join(elements)


def item(body, *, undefined=False):
    return ITEM + struct.pack("<I", 0xFFFFFFFF if undefined else len(body)) + body + (END_ITEM + bytes(4)) * undefined


NAME = element((0x10, 0x10), b"PN", b"A^B ")
PIXELS = element((0x7FE0, 0x10), b"OW", bytes(400))
FRAMES = element((0x7FE0, 0x10), b"OB", item(b"") + item(bytes(90)) + item(bytes(80)) + END + bytes(4), undefined=True)
NESTED = element((8, 0x1140), b"SQ", item(NAME, undefined=True) + item(NAME) + END + bytes(4), undefined=True)
FILES = {
    "native": data_set(EXPLICIT, NAME, PIXELS),
    "implicit": data_set(
        IMPLICIT,
        element((0x10, 0x10), b"", b"A^B ", explicit=False),
        element((0x7FE0, 0x10), b"", bytes(400), explicit=False),
    ),
    "encapsulated": data_set(EXPLICIT, NAME, FRAMES),
    "nested": data_set(EXPLICIT, NESTED, NAME, PIXELS),
}


def check(path, content):
    path.write_bytes(content)
    check_dicom(path)


def reason(path, content):
    try:
        check(path, content)
    except ReadError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_passes_and_one_that_was_cut_off_anywhere_does_not(tmp_path, name):
    whole = FILES[name]
    check(tmp_path / "a", whole)
    reasons = {end: reason(tmp_path / "a", whole[:end]) for end in range(133, len(whole))}
    passed = [end for end, text in reasons.items() if not text]
    # Between two elements nothing is promised: the file is whole, though without pixels.
    assert len(passed) <= 12
    assert max(passed) <= whole.rindex(b"\xe0\x7f")
    assert all("cut off" in text for text in reasons.values() if text)


@pytest.mark.parametrize("more", [b"\0", bytes(1000), b"garbage that is no element"])
@pytest.mark.parametrize("name", FILES)
def test_what_follows_the_pixels_does_not_matter(tmp_path, name, more):
    check(tmp_path / "a", FILES[name] + more)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no DICOM" * 100,
        data_set(BIG, b"\x00\x10\x00\x10PN\x00\x99"),
        data_set(EXPLICIT, element((9, 1), b"??", b"abcd"), PIXELS[:-9]),
    ],
)
def test_what_is_not_understood_is_left_to_the_decoder(tmp_path, content):
    check(tmp_path / "a", content)


def test_files_of_simpleitk(tmp_path):
    write_dicom(tmp_path / "a", hounsfield())
    check_dicom(tmp_path / "a")
    with pytest.raises(ReadError, match=r"promises \d+ bytes, the file has \d+ bytes"):
        check(tmp_path / "a", (tmp_path / "a").read_bytes()[:-7])


def test_real_files_in_jpeg_2000(tmp_path):
    if not SHARED.exists():
        pytest.skip("the development data are not here")
    for path in SHARED.iterdir():
        check_dicom(path)
    for share in (0.01, 0.5, 0.999):
        with pytest.raises(ReadError, match="cut off"):
            check(tmp_path / "a", path.read_bytes()[: int(path.stat().st_size * share)])
