"""What a JPEG itself tells of its colours; a DICOM header that was copied from elsewhere may say something else."""

from __future__ import annotations

import warnings

from napari_s3net.errors import ReadWarning
from napari_s3net.io.dicom.header import Header, words

_JFIF, _ADOBE = (0xE0, b"JFIF\0"), (0xEE, b"Adobe")
#: The frame header of baseline, extended and progressive JPEG.
_FRAMES = (0xC0, 0xC1, 0xC2)
#: Names of the three values that are those of red, green and blue.
_NAMES = (b"RGB", b"rgb")
_LUMINANCE = "YBR_FULL_422"


def photometric_of(header: Header, frame: bytes) -> str:
    """Say what the three values a pixel of a lossy JPEG are: by the JPEG where it tells, else by the header.

    Parameters
    ----------
    header : Header
        Of the file.
    frame : bytes
        One packed frame.

    Returns
    -------
    str
        A photometric interpretation of DICOM.

    Warns
    -----
    ReadWarning
        If the two contradict each other.
    """
    named = next(iter(words(header.dataset, "PhotometricInterpretation")), "")
    told = _told(frame)
    if told is None or told[:3] == named[:3]:
        return named or "RGB"
    if named:
        one, other = "red, green and blue", "luminance and chrominance"
        one, other = (other, one) if told == "RGB" else (one, other)
        text = f"its header says that its colours are {one}, its JPEG that they are {other}, which holds. Check them."
        warnings.warn(text, ReadWarning, stacklevel=5)
    return told


def _told(frame: bytes) -> str | None:
    """What the markers of a JPEG say of three values a pixel; None where they say nothing, or contradict each other."""
    told: set[str] = set()
    place = 2 if frame.startswith(b"\xff\xd8") else len(frame)
    while place + 4 <= len(frame) and frame[place] == 0xFF:
        marker, length = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4], "big")
        if marker == 0xFF:  # any number of these may stand before a marker
            place += 1
            continue
        content = frame[place + 4 : place + 2 + length]
        if marker == _JFIF[0] and content.startswith(_JFIF[1]):
            told.add(_LUMINANCE)
        elif marker == _ADOBE[0] and content.startswith(_ADOBE[1]) and len(content) >= 12:
            told |= {0: {"RGB"}, 1: {_LUMINANCE}}.get(content[11], set())
        elif marker in _FRAMES:
            told |= _told_by_values(content)
            break
        place += 2 + length
    return told.pop() if len(told) == 1 else None


def _told_by_values(content: bytes) -> set[str]:
    """What the names of three values say, and that one of them is finer than the others, as luminance is."""
    values = [content[at : at + 3] for at in range(6, len(content) - 2, 3)]
    if len(values) != 3:
        return set()
    named = {"RGB"} if bytes(value[0] for value in values) in _NAMES else set()
    return named | ({_LUMINANCE} if len({value[1] for value in values}) > 1 else set())
