"""The fields of a file's header that tell of labels: what `segments.to_fields` wrote, or 3D Slicer."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import Any, cast

from napari_s3net.io.segments import FILE_UNIT, GEOMETRY, LIES, of_lines
from napari_s3net.io.validation.headers import Format, is_packed
from napari_s3net.io.validation.text_headers import TEXT_BYTES, check_meta, check_nrrd

#: NIfTI's code of an extension that holds plain text.
_COMMENT = 6


def label_fields(path: Path, file_format: Format) -> dict[str, str]:
    """Read the fields of a header, without its pixels.

    Parameters
    ----------
    path : Path
        An NRRD, MetaImage, NIfTI, TIFF or PNG file; other formats hold no such fields.
    file_format : str
        As told by its content.

    Returns
    -------
    dict of str to str
        Those that tell of labels, and perhaps others; empty in a file without labels.

    Raises
    ------
    ReadError
        If the header is damaged; from decoders also exceptions of their own.
    """
    readers = {"nrrd": _of_nrrd, "meta": _of_meta, "nifti": _of_nifti, "tiff": _of_tiff, "png": _of_png}
    fields = readers[file_format](path) if file_format in readers else {}
    told = {GEOMETRY, FILE_UNIT, LIES} & fields.keys() or any(key.startswith("Segment") for key in fields)
    return fields if told else {}


def _of_nrrd(path: Path) -> dict[str, str]:
    return of_lines(check_nrrd(path).text.decode("utf-8", "replace"))


def _of_meta(path: Path) -> dict[str, str]:
    parts = (line.partition("=") for line in check_meta(path).text.decode("utf-8", "replace").splitlines())
    return {key.strip(): value.strip() for key, _, value in parts}


def _of_nifti(path: Path) -> dict[str, str]:
    from napari_s3net.io.validation.nifti import read_nifti_header

    header = read_nifti_header(path)
    order, after = header.nibabel.endianness, header.nibabel.sizeof_hdr
    if header.pixels != path or header.start < after + 16:
        return {}
    with cast("Any", gzip.open(path)) if is_packed(path) else path.open("rb") as file:
        file.seek(after)
        content = file.read(min(header.start - after, TEXT_BYTES))
    fields: dict[str, str] = {}
    place = 4 if content[:1] != b"\0" else len(content)
    while place + 8 <= len(content):  # one extension after the other: its size, its code, what it holds
        size, code = struct.unpack_from(order + "ii", content, place)
        if code == _COMMENT:
            fields |= of_lines(content[place + 8 : place + max(8, size)].rstrip(b"\0").decode("utf-8", "replace"))
        place += max(8, size)
    return fields


def _of_tiff(path: Path) -> dict[str, str]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        text = getattr(file.pages.first, "description", "")
    known = json.loads(text) if text.startswith("{") else {}
    return {key: value for key, value in known.items() if isinstance(value, str)}


def _of_png(path: Path) -> dict[str, str]:
    import PIL.Image

    with PIL.Image.open(path, formats=("PNG",)) as picture:
        return {key: str(value) for key, value in picture.info.items() if isinstance(key, str)}
