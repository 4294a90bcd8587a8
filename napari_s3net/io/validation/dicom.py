"""Whether a DICOM file holds the pixels that its header promises, before a decoder sees them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_s3net.errors import ReadError
from napari_s3net.io.validation.limits import check_promise

_UNDEFINED = 0xFFFFFFFF
_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN")
#: Markers of JPEG and JPEG-LS behind which the size of a frame stands.
_SIZES = (*(0xC0 + n for n in range(16) if n not in (4, 8, 12)), 0xF7)
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


def has_preamble(path: Path) -> bool:
    """Whether a file is DICOM beyond doubt: a magic word behind 128 bytes of any kind."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


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


def packed_size(frame: bytes) -> tuple[int, int] | None:
    """Return the size that a frame packed as JPEG, JPEG-LS or JPEG 2000 says it has.

    A decoder allocates and unpacks what the frame says, whatever the header of the file promises.

    Parameters
    ----------
    frame : bytes
        One packed frame, whole.

    Returns
    -------
    (int, int) or None
        Rows and columns; None where it does not say.
    """
    if frame.startswith(b"\xff\x4f\xff\x51") and len(frame) >= 24:
        right, bottom, left, top = struct.unpack_from(">4I", frame, 8)
        return bottom - top, right - left
    place = 2 if frame.startswith(b"\xff\xd8") else len(frame)
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker, length = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4], "big")
        if marker in _SIZES:
            rows, columns = struct.unpack_from(">2H", frame, place + 5)
            return (rows, columns) if rows else None
        place += 2 + length
    return None
