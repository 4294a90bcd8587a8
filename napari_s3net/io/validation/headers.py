"""Look at the first bytes of a file, and at what its name ends in: what it is. Nothing here decodes an image."""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from napari_s3net.errors import ReadError, UnsupportedFormatError

Format = Literal["png", "jpeg", "bmp", "tiff", "dicom", "nifti", "meta", "nrrd"]
SUPPORTED = "PNG, JPEG, BMP, TIFF, DICOM, NIfTI, MetaImage (MHA, MHD) and NRRD"
#: What photographs end in; scans may as well.
PHOTOGRAPHS = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".dib", ".tif", ".tiff")
#: What files end in that are read without a look into them whether they are images.
SUFFIXES = (
    *PHOTOGRAPHS,
    *(".dcm", ".dicom", ".ima"),
    *(".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"),
    *(".mha", ".mhd", ".nrrd", ".nhdr"),
)
#: Bytes that are enough to tell every format, and that hold a NIfTI header whole.
HEAD_BYTES = 1024
#: What gzip begins with.
GZIP = b"\x1f\x8b"
_MAGIC: Mapping[bytes, Format] = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"BM": "bmp",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"NRRD": "nrrd",
}
#: NIfTI-1 and NIfTI-2 begin with the length of their header, in either order of bytes.
_NIFTI = [struct.pack(order + "i", length) for order in "<>" for length in (348, 540)]
_SUFFIX = re.compile(rf"(?i)({'|'.join(re.escape(suffix) for suffix in SUFFIXES)})$")
_META = re.compile(rb"\s*(ObjectType|ObjectSubType|NDims|Comment|ID|Name)\s*=")
#: A DICOM data set that has no preamble: little endian, explicit or implicit, or big endian.
_BARE_DICOM = re.compile(
    rb"[\x02\x08]\x00[\x00-\x20]\x00(UL|CS|UI|SH|DA|TM|..\x00\x00)|\x00[\x02\x08]\x00[\x00-\x20](UL|CS|UI|SH|DA|TM)",
    re.DOTALL,
)


def stem(path: Path) -> str:
    """Return the name of a file without the suffix of its format.

    Parameters
    ----------
    path : Path
        The file; it need not be there.

    Returns
    -------
    str
        "scan" of "scan.nii.gz"; the whole name where it has no suffix of a format that is read here.
    """
    return _SUFFIX.sub("", path.name) or path.name


def is_readable(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one for `read_image`, by its name or by its content; it may still be damaged.

    Parameters
    ----------
    path : str or path-like
        The file; it is opened only where its name does not tell.

    Returns
    -------
    bool
        Whether to try.
    """
    path = Path(path)
    if _SUFFIX.search(path.name):
        return True
    try:
        return path.is_file() and bool(sniff(path))
    except (ReadError, OSError):
        return False


def is_plain(path: Path) -> bool:
    """Return whether a path can be handed to C++ libraries; names that are no UTF-8 crash the interpreter there.

    Parameters
    ----------
    path : Path
        Only its text counts; nothing is opened.

    Returns
    -------
    bool
        Whether its name is UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_packed(path: Path) -> bool:
    """Whether a file is gzipped.

    Parameters
    ----------
    path : Path
        The file; its first two bytes are read.

    Returns
    -------
    bool
        Whether it begins as gzip does.
    """
    with path.open("rb") as file:
        return file.read(2) == GZIP


def read_head(path: Path) -> bytes:
    """Read the first bytes of a file, unpacked where it is gzipped.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        Up to `HEAD_BYTES`; fewer where the file is shorter.

    Raises
    ------
    ReadError
        If its gzip packing is damaged, or ends before the first byte.
    """
    with path.open("rb") as file:
        return _unpacked(file.read(HEAD_BYTES))


def _unpacked(head: bytes) -> bytes:
    """The first bytes of a file, unpacked where they are gzipped."""
    if not head.startswith(GZIP):
        return head
    try:
        unpacked = zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        raise ReadError("its gzip packing is damaged.") from None
    if not unpacked:
        raise ReadError("the file ends before its content begins. It was probably cut off while copying.")
    return unpacked


def sniff(path: Path) -> Format:
    """Tell the format of a file by its content, whatever its name is.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        One of `Format`.

    Raises
    ------
    UnsupportedFormatError
        If it is none of the formats that are read here.
    ReadError
        If a gzipped file cannot be unpacked.
    """
    with path.open("rb") as file:  # once, for photographs are many and small
        head = file.read(HEAD_BYTES)
    if _begins_as_dicom(head):
        return "dicom"
    head = _unpacked(head)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    if _META.match(head):
        return "meta"
    if head[:4] in _NIFTI:
        return "nifti"
    raise UnsupportedFormatError(f"its content is none of the formats read here: {SUPPORTED}.")


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by the magic word behind 128 bytes of any kind, or by its first element.

    Parameters
    ----------
    path : Path
        The file; it is opened.

    Returns
    -------
    bool
        Whether to read it as DICOM.
    """
    with path.open("rb") as file:
        return _begins_as_dicom(file.read(HEAD_BYTES))


def _begins_as_dicom(head: bytes) -> bool:
    """Whether the first bytes of a file are those of DICOM."""
    return head[128:134] in (b"DICM\x02\0", b"DICM\x08\0", b"DICM\0\x08") or bool(_BARE_DICOM.match(head))
