"""NIfTI headers, parsed by nibabel and checked against their files."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.validation.headers import is_packed, read_head
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise

#: NIfTI's codes of types that hold an image: whole numbers, floats, and colours of three or four bytes.
_TYPES = (2, 4, 8, 16, 64, 128, 256, 512, 768, 1024, 1280, 2304)
_COMPLEX = (32, 1792, 2048)


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a NIfTI header says, and where its pixels are.

    Parameters
    ----------
    nibabel : nibabel.Nifti1Header or nibabel.Nifti2Header
        The header itself.
    sizes : tuple of int
        Along every axis, x first.
    dtype : numpy.dtype
        Of the pixels as they are stored.
    pixels : Path
        The file that holds them, the same or the .img of a .hdr.
    start : int
        Their first byte, in the unpacked file.
    analyze : bool
        Whether it is of the older format Analyze, which knows no left and right.
    """

    nibabel: Any
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    pixels: Path
    start: int
    analyze: bool = False

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the header promises, of all volumes."""
        return prod(self.sizes) * self.dtype.itemsize


def read_nifti_header(path: Path) -> NiftiHeader:
    """Read the header of a .nii or .nii.gz, or of a .hdr with its .img, and check it against the file.

    Parameters
    ----------
    path : Path
        The .nii, .nii.gz or .hdr.

    Returns
    -------
    NiftiHeader
        Its sizes and type are those of an image, and its pixel file is long enough for them.

    Raises
    ------
    ReadError
        If the header makes no sense, or the file is too short for it.
    UnsupportedFormatError
        If its pixels are of a type that is not read here.

    Warns
    -----
    ReadWarning
        If it does not say where the pixels begin, or is of the format Analyze.
    """
    raw = read_head(path)
    second = raw[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
    kind: Any = nibabel.Nifti2Header if second else nibabel.Nifti1Header
    length = kind.template_dtype.itemsize
    if len(raw) < length:
        raise ReadError(
            f"the file ends within its header, after {len(raw)} bytes. It was probably cut off while copying."
        )
    header = kind.from_fileobj(io.BytesIO(raw[:length]), "<" if raw[:1] in (b"\x5c", b"\x1c") else ">", check=False)
    magic = bytes(header["magic"])[:2]
    n, *lengths = (int(size) for size in header["dim"])
    if not 1 <= n <= 7 or min(lengths[:n]) < 1:
        raise ReadError(f"its header is damaged: {n} axes of {lengths[: max(0, min(n, 7))]} are not those of an image.")
    type_code = int(header["datatype"])
    if type_code in _COMPLEX:
        raise UnsupportedFormatError("its pixels are complex numbers; save the magnitude.")
    if type_code not in _TYPES:
        raise UnsupportedFormatError(f"its pixels are of a type that is not read here (NIfTI type {type_code}).")
    dtype = header.get_data_dtype()
    sizes = tuple(lengths[:n])
    check_memory(sizes[:3], dtype.itemsize)
    pixels = path if magic == b"n+" else _pixels_beside(path)
    start = _start(header, magic == b"n+", length)
    ratio = DEFLATE_RATIO if is_packed(pixels) else 1
    checked = NiftiHeader(header, sizes, dtype, pixels, start, analyze=magic not in (b"n+", b"ni"))
    check_promise(start + checked.pixel_bytes, pixels.stat().st_size, ratio)
    if checked.analyze:
        text = "it is of the format Analyze, which does not tell left from right: the order of the file is kept."
        warnings.warn(text, ReadWarning, stacklevel=2)
    return checked


def _start(header: Any, single: bool, length: int) -> int:
    """The first byte of the pixels."""
    start = float(header["vox_offset"])
    if not 0 <= start < 1 << 31:
        raise ReadError("its header is damaged: it does not say where the pixels begin.")
    if not single or start >= length:
        return int(start)
    if start:
        raise ReadError(f"its header is damaged: its pixels would begin at byte {start:.0f}, within the header itself.")
    text = f"its header does not say where the pixels begin; they are taken from byte {length + 4}, as usual."
    warnings.warn(text, ReadWarning, stacklevel=3)
    return length + 4


def _pixels_beside(header: Path) -> Path:
    """The .img or .img.gz of a .hdr."""
    stem = re.sub(r"(?i)\.(hdr|img)(\.gz)?$", "", header.name)
    wanted = re.compile(rf"{re.escape(stem)}\.img(\.gz)?", re.IGNORECASE)
    pixels = next((p for p in header.parent.iterdir() if wanted.fullmatch(p.name)), None)
    if pixels is None:
        raise ReadError(f"its pixels are missing: {stem}.img should be in the same folder.")
    return pixels
