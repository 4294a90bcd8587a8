"""Photographs: PNG, JPEG and BMP through Pillow.

SimpleITK reads these too, but not faithfully: it leaves a photograph lying on its side, and refuses grey with
transparency.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.image import Geometry, Image, guess_kind
from napari_s3net.io.validation.limits import check_memory

# Sizes are checked against this machine's memory instead.
PIL.Image.MAX_IMAGE_PIXELS = None


def read_photograph(path: Path, file_format: Literal["png", "jpeg", "bmp"], name: str) -> Image:
    """Read pixels as they are shown by any viewer: upright, without transparency; the unit is the pixel.

    Parameters
    ----------
    path : Path
        The file.
    file_format : {"png", "jpeg", "bmp"}
        As told by its content.
    name : str
        Becomes the image's `name`.

    Returns
    -------
    Image
        (H, W) or (H, W, 3), 8 or 16 bits as in the file.

    Raises
    ------
    ReadError
        If it takes more memory than there is, or its pixels are of a kind that is not read here.

    Warns
    -----
    ReadWarning
        If its colours are inks (CMYK) and had to be converted.
    """
    array, colours = _read_picture(path, file_format)
    kind = "rgb" if colours else guess_kind(array.ravel())
    return Image(np.ascontiguousarray(array), Geometry.identity(2), kind, name)


def _read_picture(path: Path, file_format: str) -> tuple[NDArray[Any], bool]:
    """The pixels, and whether they are colours."""
    with PIL.Image.open(path, formats=("PNG", "JPEG", "BMP", "DIB")) as picture:
        check_memory((picture.height, picture.width, len(picture.getbands())), 2)
        if file_format == "png" and _png_depth(path) == 16 and picture.mode != "I;16":
            return _read_deep_png(path), True
        picture.load()
        upright = _upright(picture)
    if upright.mode == "CMYK":
        text = "its colours are inks (CMYK); they are converted to red, green and blue without a colour profile."
        warnings.warn(text, ReadWarning, stacklevel=3)
    if upright.mode in ("1", "L", "LA", "La"):
        return np.asarray(upright.convert("L")), False
    if upright.mode.startswith("I") or upright.mode == "F":
        array = np.asarray(upright)
        return array.astype(array.dtype.newbyteorder("=")), False
    return np.asarray(upright.convert("RGB")), True


def _upright(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Turned as the camera noted in the EXIF data; a damaged note is no reason to refuse the photograph."""
    try:
        return ImageOps.exif_transpose(picture)
    except (SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error):
        return picture


def _png_depth(path: Path) -> int:
    """Bits a value, which Pillow does not tell."""
    with path.open("rb") as file:
        return file.read(25)[-1]


def _read_deep_png(path: Path) -> NDArray[Any]:
    """Colours of 16 bits, which Pillow cuts to 8."""
    from napari_s3net.io.itk import decode_pixels

    array = decode_pixels(path, "PNGImageIO")
    if array.ndim != 3 or array.shape[-1] not in (3, 4):
        raise UnsupportedFormatError("it is a 16-bit grey PNG with transparency; save it without.")
    return array[..., :3]
