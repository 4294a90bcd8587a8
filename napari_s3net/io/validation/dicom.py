"""Whether a DICOM file is whole: GDCM takes long to give up on one that is not, and leaves it out of its series."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from napari_s3net.errors import ReadError
from napari_s3net.io.validation.limits import check_promise

_LONG = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV")
_TRANSFER_SYNTAX, _PIXELS, _END_OF_SEQUENCE = (0x0002, 0x0010), (0x7FE0, 0x0010), (0xFFFE, 0xE0DD)
_UNDEFINED = 0xFFFFFFFF
_IMPLICIT = b"1.2.840.10008.1.2"
#: Big endian and deflated: rare, and left to the decoder.
_OTHERS = (b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99")


def has_preamble(path: Path) -> bool:
    """Whether a file is DICOM beyond doubt: 128 bytes and a magic word."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def check_dicom(path: Path) -> None:
    """Walk from element to element and see whether the file holds what they promise.

    What is inside sequences of undefined length is walked through as if it lay outside. The first pixels that are whole
    end the walk, and so does an element that cannot be understood: decoders forgive much.

    Raises
    ------
    ReadError
        If the file ends too early.
    """
    size, place = path.stat().st_size, 132
    if not has_preamble(path):
        return
    explicit, open_pixels = True, False
    with path.open("rb") as file:
        while place < size:
            file.seek(place)
            tag, length, start = _element(head := file.read(12), explicit=explicit or head[:2] == b"\x02\0")
            if length is None:
                return
            if length != _UNDEFINED:
                check_promise(place + start + length, size)
            if tag == _TRANSFER_SYNTAX:
                file.seek(place + start)
                syntax = file.read(min(length, 64)).rstrip(b"\0 ")
                if syntax in _OTHERS:
                    return
                explicit = syntax != _IMPLICIT
            if tag == (_END_OF_SEQUENCE if open_pixels else _PIXELS) and length != _UNDEFINED:
                return
            open_pixels |= tag == _PIXELS
            place += start + (0 if length == _UNDEFINED else length)
    if open_pixels:
        raise ReadError("the file ends within its pixels. It was probably cut off while copying.")


def _element(head: bytes, *, explicit: bool) -> tuple[tuple[int, ...], int | None, int]:
    """Tag, length (None where it cannot be told) and offset of the content of an element."""
    if len(head) < 8:  # zeros fill up the last block of some media; anything else is half an element
        return (0, 0), 8 if head.strip(b"\0") else None, 0
    tag = struct.unpack_from("<2H", head)
    if tag[0] == 0xFFFE or not explicit:
        return tag, struct.unpack_from("<I", head, 4)[0], 8
    kind = head[4:6]
    if not re.fullmatch(rb"[A-Z]{2}", kind):
        return tag, None, 0
    if kind not in _LONG:
        return tag, struct.unpack_from("<H", head, 6)[0], 8
    return tag, struct.unpack_from("<I", head, 8)[0] if len(head) == 12 else 12, 12
