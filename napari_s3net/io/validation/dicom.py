"""Whether a DICOM file holds the pixels that its header promises, before a decoder sees them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_s3net.errors import ReadError
from napari_s3net.io.validation.limits import check_promise

_UNDEFINED = 0xFFFFFFFF
_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN")
#: Markers of JPEG and JPEG-LS behind which the size of a frame stands.
JPEG_FRAMES = (*(0xC0 + n for n in range(16) if n not in (4, 8, 12)), 0xF7)
_JPEG_2000, _JPEG_2000_SIZE = b"\xff\x4f\xff\x51", 0x51
#: How the boxes begin that JPEG 2000 may lie in.
_BOXES = bytes.fromhex("0000000c 6a502020")
#: Bytes of pixels that one byte may stand for: in JPEG each block of 64 values takes a bit at least, and without loss
#: (SOF3) each value. JPEG-LS and JPEG 2000 know no such bound for a blank image.
_RATIOS = {0xC0: 1024, 0xC1: 1024, 0xC2: 1024, 0xC3: 16}
#: Bytes that may follow the end of a frame.
_PADDING = 64
_INTEGERS = (0x7FE0, 0x0010)
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_CUT_OFF = "the file ends within its pixels. It was probably cut off while copying."


class PixelElement(NamedTuple):
    """Where the pixels of a file are.

    Parameters
    ----------
    first : int
        Their first byte.
    length : int or None
        How many bytes they are; None where they are packed and lie in fragments.
    words : bool
        Whether they are written as words of two bytes, whose order is that of the file.
    integers : bool
        Whether they are whole numbers, and not floats, which have elements of their own.
    """

    first: int
    length: int | None
    words: bool = True
    integers: bool = True


def find_pixels(path: Path, start: int, *, implicit: bool, little: bool) -> PixelElement:
    """Read the head of the element with the pixels, and check that the file is as long as it says.

    Parameters
    ----------
    path : Path
        The file.
    start : int
        The byte at which the element begins.
    implicit, little : bool
        How elements are written: without their kind (implicit VR), and the low byte first (little endian).

    Returns
    -------
    PixelElement
        Where the pixels are, and how they are written.

    Raises
    ------
    ReadError
        If the file ends too early.
    """
    with path.open("rb") as file:
        file.seek(start)
        head = file.read(12)
    order = "<" if little else ">"
    if len(head) < 12:
        raise ReadError(_CUT_OFF)
    kind = head[4:6]
    if implicit or not kind.isalpha():  # some files forget the kind of this element
        length, first = struct.unpack_from(order + "I", head, 4)[0], start + 8
    elif kind in _LONG:
        length, first = struct.unpack_from(order + "I", head, 8)[0], start + 12
    else:
        length, first = struct.unpack_from(order + "H", head, 6)[0], start + 8
    if length == _UNDEFINED:
        return PixelElement(first, None)
    check_promise(first + length, path.stat().st_size)
    integers = struct.unpack_from(order + "2H", head) == _INTEGERS
    return PixelElement(first, length, words=kind != b"OB", integers=integers)


def read_fragments(path: Path, first: int) -> tuple[bytes, list[bytes]]:
    """Read the fragments of packed pixels, each by the length that it tells.

    Parameters
    ----------
    path : Path
        The file.
    first : int
        The byte at which the first fragment begins; see `find_pixels`.

    Returns
    -------
    table : bytes
        The basic offset table, which may be empty.
    fragments : list of bytes
        The packed pixels, at least one fragment.

    Raises
    ------
    ReadError
        If the file ends before the last of them, or there are none.
    """
    fragments: list[bytes] = []
    with path.open("rb") as file:
        file.seek(first)
        while (fragment := _next_fragment(file)) is not None:
            fragments.append(fragment)
    if len(fragments) < 2:
        raise ReadError("its header is damaged: there are no packed pixels.")
    return fragments[0], fragments[1:]


def _next_fragment(file: BinaryIO) -> bytes | None:
    """The next fragment; None behind the last."""
    head = file.read(8)
    if len(head) < 8:
        raise ReadError(_CUT_OFF)
    *tag, length = struct.unpack("<2HI", head)
    if tuple(tag) == _END:
        return None
    if tuple(tag) != _ITEM:
        raise ReadError("its packed pixels are damaged.")
    content = file.read(length)
    if len(content) < length:
        raise ReadError(_CUT_OFF)
    return content


def check_frame(frame: bytes, rows: int, columns: int, promised: int) -> None:
    """Refuse a frame packed as JPEG, JPEG-LS or JPEG 2000 that is cut off, or cannot hold what the header promises.

    A decoder allocates and unpacks what the frame says, whatever the header of the file promises, and JPEG and JPEG-LS
    decoders fill what is missing at its end without a word.

    Parameters
    ----------
    frame : bytes
        One packed frame; one of another packing is let through.
    rows, columns, promised : int
        Its size by the header of the file, and how many bytes of pixels that is.

    Raises
    ------
    ReadError
        With both sizes, or both numbers of bytes.
    """
    start = max(0, frame.find(_JPEG_2000)) if frame.startswith(_BOXES) else 0
    marker, size = _size_of_frame(frame, start)
    if marker is None:
        return
    if size is not None and size != (rows, columns):
        raise ReadError(other_size((rows, columns), size))
    if marker == _JPEG_2000_SIZE:  # whose decoder notices by itself that something is missing
        return
    end = frame.rfind(b"\xff\xd9")  # the mark at the end; a byte or a few of padding may follow it
    if end < max(0, len(frame) - _PADDING):
        raise ReadError("its packed pixels end too early. It was probably cut off while copying.")
    if marker in _RATIOS:
        check_promise(promised, end, _RATIOS[marker])


def _size_of_frame(frame: bytes, start: int) -> tuple[int | None, tuple[int, int] | None]:
    """The marker that tells how a frame is packed, with rows and columns; None for what is not told."""
    if frame.startswith(_JPEG_2000, start) and len(frame) >= start + 24:
        right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
        return _JPEG_2000_SIZE, (bottom - top, right - left)
    place = 2 if frame.startswith(b"\xff\xd8") else len(frame)
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker, length = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4], "big")
        if marker in JPEG_FRAMES:
            rows, columns = struct.unpack_from(">2H", frame, place + 5)
            return marker, (rows, columns) if rows else None
        place += 1 if marker == 0xFF else 2 + length  # any number of these may stand before a marker
    return None, None


def other_size(promised: Sequence[int], present: Sequence[int]) -> str:
    """Word what is wrong where packed pixels are of another size than the header says.

    Parameters
    ----------
    promised, present : sequence of int
        The size by the header, and that of the packed pixels.

    Returns
    -------
    str
        The rest of a sentence that begins with the name of the file.
    """
    one, other = (" × ".join(map(str, size)) for size in (promised, present))
    return f"its header promises {one} values, its packed pixels hold {other}."
