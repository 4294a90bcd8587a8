"""Photographs: PNG and JPEG through Pillow, and BMP.

SimpleITK reads these too, but not faithfully: it leaves a photograph lying on its side, and refuses grey with
transparency.
"""

from __future__ import annotations

import struct
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageOps

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.image import Geometry, Image, guess_kind
from napari_s3net.io.bitmap import read_bitmap
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise

# Sizes are checked against this machine's memory instead.
PIL.Image.MAX_IMAGE_PIXELS = None
#: Pixels that are converted at a time.
_BAND_PIXELS = 1 << 22


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
    array = read_bitmap(path.read_bytes()) if file_format == "bmp" else _read_picture(path, file_format)
    kind = "rgb" if array.ndim == 3 else guess_kind(array.ravel())
    return Image(np.ascontiguousarray(array), Geometry.identity(2), kind, name)


def _read_picture(path: Path, file_format: str) -> NDArray[Any]:
    """The pixels of a PNG or JPEG file."""
    deep = False
    if file_format == "png":
        width, height, depth, channels = _png_size(path)
        check_promise(height * (width * depth * channels // 8), path.stat().st_size, DEFLATE_RATIO)
        deep = depth == 16
    with PIL.Image.open(path, formats=("PNG", "JPEG")) as picture:
        check_memory((picture.height, picture.width, len(picture.getbands())), 4 if picture.mode in "IF" else 1 + deep)
        if file_format == "jpeg":  # in which a block of 64 values takes a bit at least
            check_promise(picture.height * picture.width, path.stat().st_size, DEFLATE_RATIO)
        if deep and picture.mode != "I;16":
            return _read_deep_png(path)
        picture.load()
        _turn_upright(picture)
        return _values(picture)


def _values(picture: PIL.Image.Image) -> NDArray[Any]:
    """Grey, or red, green and blue, without transparency."""
    if picture.mode == "CMYK":
        text = "its colours are inks (CMYK); they are converted to red, green and blue without a colour profile."
        warnings.warn(text, ReadWarning, stacklevel=4)
    if picture.mode.startswith("I") or picture.mode == "F":
        array = np.asarray(picture)
        return array.astype(array.dtype.newbyteorder("="))
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    array = np.empty((picture.height, picture.width, 3)[: 2 + (mode == "RGB")], np.uint8)
    rows = max(1, _BAND_PIXELS // picture.width)
    for top in range(0, picture.height, rows):  # a large picture is not held four times over
        band = picture.crop((0, top, picture.width, min(picture.height, top + rows)))
        array[top : top + rows] = band if band.mode == mode else band.convert(mode)
    return array


def _turn_upright(picture: PIL.Image.Image) -> None:
    """Turn it as the camera noted in the EXIF data; a damaged note is no reason to refuse the photograph."""
    with suppress(SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error):
        ImageOps.exif_transpose(picture, in_place=True)


def _png_size(path: Path) -> tuple[int, int, int, int]:
    """Width, height, bits a value (which Pillow does not tell) and values a pixel."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26:
        raise ReadError("the file ends within its header. It was probably cut off while copying.")
    width, height, depth, colours = struct.unpack_from(">2I2B", head, 16)
    return width, height, depth, {2: 3, 4: 2, 6: 4}.get(colours, 1)


def _read_deep_png(path: Path) -> NDArray[Any]:
    """Colours of 16 bits, which Pillow cuts to 8."""
    from napari_s3net.io.itk import decode_pixels

    array = decode_pixels(path, "PNGImageIO")
    if array.ndim != 3 or array.shape[-1] not in (3, 4):
        raise UnsupportedFormatError("it is a 16-bit grey PNG with transparency; save it without.")
    return array[..., :3]
