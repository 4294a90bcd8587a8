from __future__ import annotations

import struct

import pytest

from napari_s3net.errors import ReadError
from napari_s3net.io.validation.dicom import check_frame, find_pixels, read_fragments

ITEM, END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0" + bytes(4)


def element(length, *, implicit=False, order="<", kind=b"OW"):
    tag = struct.pack(order + "2H", 0x7FE0, 0x10)
    return tag + (struct.pack("<I", length) if implicit else kind + struct.pack(order + "2xI", length))


@pytest.mark.parametrize(("implicit", "order"), [(True, "<"), (False, "<"), (False, ">")])
def test_where_the_pixels_are(tmp_path, implicit, order):
    path = tmp_path / "a"
    head = b"before" + element(400, implicit=implicit, order=order)
    path.write_bytes(head + bytes(400) + b"behind")
    assert find_pixels(path, 6, implicit=implicit, little=order == "<") == (len(head), 400, True, True)
    path.write_bytes(head + bytes(399))
    with pytest.raises(ReadError, match=r"promises 4\d\d bytes, the file has 4\d\d bytes"):
        find_pixels(path, 6, implicit=implicit, little=order == "<")


def test_an_element_that_forgets_its_kind(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(element(0xFFFFFFFF, implicit=True) + packed(b"", b"abcd"))
    place = find_pixels(path, 0, implicit=False, little=True)
    assert read_fragments(path, place.first) == (b"", [b"abcd"])


def packed(*fragments):
    return b"".join(ITEM + struct.pack("<I", len(fragment)) + fragment for fragment in fragments) + END


def test_fragments_are_walked_through_by_their_own_lengths(tmp_path):
    path = tmp_path / "a"
    one = b"ab" + END + b"cd"  # what ends a sequence may stand among packed pixels by chance
    content = element(0xFFFFFFFF, kind=b"OB") + packed(b"", one, b"efgh")
    path.write_bytes(content)
    place = find_pixels(path, 0, implicit=False, little=True)
    assert place.length is None
    assert read_fragments(path, place.first) == (b"", [one, b"efgh"])
    for end in range(place.first, len(content)):
        path.write_bytes(content[:end])
        with pytest.raises(ReadError, match="cut off"):
            read_fragments(path, place.first)


@pytest.mark.parametrize(("content", "words"), [(END, "no packed pixels"), (b"garbage!" * 9, "damaged")])
def test_what_are_no_fragments(tmp_path, content, words):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ReadError, match=words):
        read_fragments(tmp_path / "a", 0)


def jpeg(marker, rows, columns, body=bytes(100)):
    """A frame with a marker of its size, something packed, and the end."""
    size = struct.pack(">BBHBHHB", 0xFF, marker, 11, 8, rows, columns, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xfe\0\4ab" + size + b"\xff\xda\0\2" + body + b"\xff\xd9"


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xF7])
def test_a_frame_has_the_size_of_its_header_and_an_end(marker):
    frame = jpeg(marker, 24, 20)
    check_frame(frame, 24, 20, 480)
    check_frame(frame + b"\0", 24, 20, 480)
    with pytest.raises(ReadError, match="promises 20 × 24 values, its packed pixels hold 24 × 20"):
        check_frame(frame, 20, 24, 480)
    for end in (len(frame) - 1, len(frame) - 2, len(frame) - 90):
        with pytest.raises(ReadError, match="end too early"):
            check_frame(frame[:end], 24, 20, 480)


@pytest.mark.parametrize(("marker", "most"), [(0xC0, 1024), (0xC2, 1024), (0xC3, 16)])
def test_a_jpeg_frame_holds_no_more_than_its_bits_can_say(marker, most):
    frame = jpeg(marker, 60_000, 60_000)
    check_frame(frame, 60_000, 60_000, most * 100)
    with pytest.raises(ReadError, match=r"promises .* the file has 1\d\d bytes"):
        check_frame(frame, 60_000, 60_000, most * 200)


def test_jpeg_2000_in_boxes_or_without():
    stream = b"\xff\x4f\xff\x51\0\x2f\0\0" + struct.pack(">4I", 30, 40, 10, 16) + bytes(60) + b"\xff\xd9"
    for frame in (stream, bytes.fromhex("0000000c6a5020200d0a870a") + bytes(60) + stream):
        check_frame(frame, 24, 20, 480)
        with pytest.raises(ReadError, match="hold 24 × 20"):
            check_frame(frame, 24, 21, 480)


def test_frames_of_other_packings_are_let_through():
    check_frame(bytes(64), 24, 20, 1 << 40)
