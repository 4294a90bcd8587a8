"""NIfTI headers, and a plain copy of what SimpleITK does not read well.

It knows no NIfTI-2 and no suffix in mixed case, and where a gzipped file is damaged it fills up with zeros in silence.
"""

from __future__ import annotations

import gzip
import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io.validation.headers import is_packed, is_plain, read_head
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise

_BITS = {
    2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64,
    1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
_SECOND = "i8shh8q3d8dqddddddqq80s24sii3d3d12diii16sB15x"
_FIRST = "i10s18sihBB8h3fhhhh8ffffhBBffffii80s24shh3f3f12f16s4s"
#: Where the pixels of a single NIfTI-1 file without extensions begin.
_START = 352
_NAME = re.compile(r"\.(nii|hdr)$|\.(NII|HDR)$")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _Head:
    """What the checks need of a header."""

    order: str
    second: bool
    sizes: tuple[int, ...]
    bits: int
    offset: int
    single: bool

    @property
    def pixel_bytes(self) -> int:
        """Bytes that the header promises, of all volumes."""
        return prod(self.sizes) * self.bits // 8


def _head(path: Path) -> _Head:
    """Read and check the header of a file."""
    raw = read_head(path)
    order = "<" if raw[:1] in (b"\x5c", b"\x1c") else ">"
    second = struct.unpack_from(f"{order}i", raw)[0] == 540
    if len(raw) < (540 if second else 348):
        raise ReadError(
            f"the file ends within its header, after {len(raw)} bytes. It was probably cut off while copying."
        )
    # Offsets of: the magic, the type of the pixels, the sizes, the start of the pixels.
    magic, kind, sizes, offset = (4, "12xh", "16x8q", "168xq") if second else (344, "70xh", "40x8h", "108xf")
    (pixel_type,), (start,) = struct.unpack_from(order + kind, raw), struct.unpack_from(order + offset, raw)
    n, *lengths = struct.unpack_from(order + sizes, raw)
    if not 1 <= n <= 7 or min(lengths[:n]) < 1:
        raise ReadError(f"its header is damaged: {n} axes of {lengths[: max(0, min(n, 7))]} are not those of an image.")
    if pixel_type not in _BITS:
        raise UnsupportedFormatError(f"its pixels are of a type that is not read here (NIfTI type {pixel_type}).")
    if not 0 <= start < 1 << 31:
        raise ReadError("its header is damaged: it does not say where the pixels begin.")
    return _Head(order, second, tuple(lengths[:n]), _BITS[pixel_type], int(start), raw[magic : magic + 2] == b"n+")


def check_nifti(path: Path) -> None:
    """Check a .nii or .nii.gz, or a .hdr together with its .img.

    Raises
    ------
    ReadError
        If the header makes no sense, or the file is too short for it.
    """
    head = _head(path)
    check_memory(head.sizes[:3], head.bits // 8)
    pixels = _pixels(path, head)
    ratio = DEFLATE_RATIO if is_packed(pixels) else 1
    check_promise(head.offset + head.pixel_bytes, pixels.stat().st_size, ratio)


def _pixels(header: Path, head: _Head) -> Path:
    """The file that holds the pixels: the same, or the .img or .img.gz of a .hdr."""
    if head.single:
        return header
    stem = re.sub(r"(?i)\.(hdr|img)(\.gz)?$", "", header.name)
    wanted = re.compile(rf"{re.escape(stem)}\.img(\.gz)?", re.IGNORECASE)
    pixels = next((p for p in header.parent.iterdir() if wanted.fullmatch(p.name)), None)
    if pixels is None:
        raise ReadError(f"its pixels are missing: {stem}.img should be in the same folder.")
    return pixels


@contextmanager
def as_plain_nifti(path: Path) -> Iterator[Path]:
    """The file itself, or for a while a plain NIfTI-1 copy where SimpleITK needs one.

    Parameters
    ----------
    path : Path
        A file that `check_nifti` has passed.

    Raises
    ------
    ReadError
        If a gzipped file is damaged or holds too little.
    UnsupportedFormatError
        If an axis of a NIfTI-2 file is too long for NIfTI-1.
    """
    head = _head(path)
    packed = is_packed(path) or is_packed(_pixels(path, head))
    if not (head.second or packed) and is_plain(path) and _NAME.search(path.name):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "image.nii")
        with copy.open("wb") as target:
            target.write(_first_header(path, head) + bytes(4))
            _copy_pixels(_pixels(path, head), head, target)
        yield copy


def _first_header(path: Path, head: _Head) -> bytes:
    """The header as NIfTI-1, of a single file without extensions."""
    raw = read_head(path)
    if not head.second:
        return raw[:108] + struct.pack(f"{head.order}f", _START) + raw[112:344] + b"n+1\0"
    _, _, kind, bits, *rest = struct.unpack_from(head.order + _SECOND, raw)
    sizes, intent, spacing, rest = rest[:8], rest[8:11], rest[11:19], rest[19:]
    _, slope, inter, cal_max, cal_min, duration, shift, _, _, description, auxiliary, qform, sform, *rest = rest
    placing, (slice_code, units, code, name, info) = rest[:18], rest[18:]
    if max(head.sizes) >= 1 << 15:
        raise UnsupportedFormatError(
            f"it is a NIfTI-2 file of {' × '.join(map(str, head.sizes))} voxels, which is too large."
        )
    return struct.pack(
        head.order + _FIRST,
        *(348, b"", b"", 0, 0, 0, info, *sizes, *intent, code, kind, bits, 0, *spacing, _START),
        *(slope, inter, 0, slice_code & 255, units & 255, cal_max, cal_min, duration, shift, 0, 0),
        *(description, auxiliary, qform, sform, *placing, name, b"n+1\0"),
    )


def _copy_pixels(path: Path, head: _Head, target: BinaryIO) -> None:
    """Copy the promised pixels; a gzipped file is read to its end, where its checksum is."""
    missing = head.pixel_bytes
    try:
        with cast("BinaryIO", gzip.open(path)) if is_packed(path) else path.open("rb") as source:
            source.seek(head.offset)
            while missing and (block := source.read(min(_BLOCK, missing))):
                target.write(block)
                missing -= len(block)
            source.read(_BLOCK)
    except EOFError:
        check_promise(head.pixel_bytes, head.pixel_bytes - max(missing, 1))
    except (zlib.error, gzip.BadGzipFile):
        raise ReadError("its gzip packing is damaged. It was probably changed while copying.") from None
    check_promise(head.pixel_bytes, head.pixel_bytes - missing)
