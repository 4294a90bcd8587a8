"""Photographs and plain TIFF stacks: PNG, JPEG and BMP through Pillow, TIFF through tifffile.

SimpleITK reads these too, but not faithfully: it leaves a photograph lying on its side, refuses grey with transparency
and 64-bit floats, and turns 16-bit tiles into 8-bit colours without an error.
"""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import BufferingHandler
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray
from PIL import ImageOps

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.image import Geometry, Image, guess_kind
from napari_s3net.io.validation.headers import Format
from napari_s3net.io.validation.limits import check_memory

# Sizes are checked against this machine's memory instead.
PIL.Image.MAX_IMAGE_PIXELS = None

_RGB, _YCBCR, _PALETTE, _WHITE_IS_ZERO = 2, 6, 3, 0
_SEPARATED_INKS, _LAB = 5, (8, 9, 10)


def read_photograph(path: Path, file_format: Format, name: str) -> Image:
    """Read pixels as they are shown by any viewer: upright, without transparency; the unit is the pixel.

    Parameters
    ----------
    path : Path
        The file.
    file_format : {"png", "jpeg", "bmp", "tiff"}
        As told by its content.
    name : str
        For the record.

    Returns
    -------
    Image
        (H, W) or (H, W, 3), and for a TIFF of several pages (Z, H, W) or (Z, H, W, 3).

    Raises
    ------
    ReadError
        If it takes more memory than there is, or its pixels are of a kind that is not read here.
    """
    array, colours = _read_tiff(path) if file_format == "tiff" else _read_picture(path)
    kind = "rgb" if colours else guess_kind(array.ravel())
    return Image(np.ascontiguousarray(array), Geometry.identity(array.ndim - colours), kind, name)


def _read_picture(path: Path) -> tuple[NDArray[Any], bool]:
    """PNG, JPEG or BMP; and whether it has colours."""
    with PIL.Image.open(path, formats=("PNG", "JPEG", "BMP", "DIB")) as picture:
        check_memory((picture.height, picture.width, len(picture.getbands())), 2)
        if picture.format == "PNG" and _png_depth(path) == 16 and picture.mode != "I;16":
            return _read_deep_png(path), True
        picture.load()
        upright = _upright(picture)
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


def _read_tiff(path: Path) -> tuple[NDArray[Any], bool]:
    """The first image of a TIFF, pages and planes included; and whether it has colours."""
    with _complaints(), tifffile.TiffFile(path) as file:
        series = file.series[0]
        page = series.keyframe
        if not isinstance(page, tifffile.TiffPage) or series.dtype is None:
            raise UnsupportedFormatError("its pages do not make an image.")
        check_memory(series.shape, series.dtype.itemsize)
        array = _order_axes(_decode(path, series), series.axes)
        inks, turned = int(page.photometric), page.tags.get(274)
        palette = page.colormap
    if inks == _SEPARATED_INKS or inks in _LAB:
        raise UnsupportedFormatError("its colours are not red, green and blue; save it as RGB.")
    if np.iscomplexobj(array):
        raise UnsupportedFormatError("its pixels are complex numbers; save the magnitude.")
    array, colours = _colours(array, "S" in series.axes)
    if inks == _PALETTE and palette is not None and not colours:
        array, colours = np.moveaxis((palette >> 8).astype(np.uint8)[:, array], 0, -1), True
    elif inks == _WHITE_IS_ZERO and array.dtype.kind in "ub":
        array = ~array
    if array.dtype.kind == "b":
        array = array * np.uint8(255)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    return _turn(array, int(turned.value) if turned else 1, array.ndim - 2 - colours), colours


@contextmanager
def _complaints() -> Iterator[None]:
    """Pass on that tifffile found something wrong: it logs that, and opens what is left, such as fewer pages."""
    handler = BufferingHandler(1000)
    handler.setLevel(logging.WARNING)
    logging.getLogger("tifffile").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("tifffile").removeHandler(handler)
    if handler.buffer:
        warnings.warn("it seems to be damaged or cut off; pages may be missing.", ReadWarning, stacklevel=2)


def _decode(path: Path, series: tifffile.TiffPageSeries) -> NDArray[Any]:
    """Decode with tifffile, or with SimpleITK where the packing needs it (LZW, JPEG) and nothing is lost by it."""
    try:
        return np.asarray(series.asarray())
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    from napari_s3net.io.itk import decode_pixels

    array = decode_pixels(path, "TIFFImageIO")
    if array.ndim == len(series.shape) + 1 and "S" not in series.axes:
        array = array[..., 0]
    array = array[..., : series.shape[-1]] if "S" in series.axes else array
    if array.shape != series.shape or array.dtype != series.dtype:
        raise UnsupportedFormatError("its way of packing is not read here; save it uncompressed or with Deflate.")
    return array


def _order_axes(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """([Z,] Y, X[, S]) of an array with named axes; of further axes the first entry."""
    if not {"Y", "X"} <= set(axes):
        raise UnsupportedFormatError(f"its axes are {axes}, which is not an image.")
    others = [place for place, axis in enumerate(axes) if axis not in "YXS"]
    stack = axes.index("Z") if "Z" in axes else next(iter(others), -1)
    for place in reversed([place for place in others if place != stack]):
        if (n := array.shape[place]) > 1:
            text = f"it holds {n} entries along its axis {axes[place]}; the first is opened."
            warnings.warn(text, ReadWarning, stacklevel=2)
        array, axes = array.take(0, place), axes[:place] + axes[place + 1 :]
    order = sorted(range(len(axes)), key=lambda place: "YXS".find(axes[place]))
    return array.transpose(order)


def _colours(array: NDArray[Any], samples: bool) -> tuple[NDArray[Any], bool]:
    """Without transparency; and whether three colours are left."""
    if not samples:
        return array, False
    n = array.shape[-1]
    if n > 4:
        raise UnsupportedFormatError(f"it holds {n} values a pixel; one or three are read here.")
    return (array[..., :3], True) if n >= 3 else (array[..., 0], False)


def _turn(array: NDArray[Any], orientation: int, row: int) -> NDArray[Any]:
    """Undo a TIFF orientation (1 to 8); `row` is the axis of the rows."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(row, row + 1)
    if orientation in (3, 4, 7, 8):
        array = np.flip(array, row)
    if orientation in (2, 3, 6, 7):
        array = np.flip(array, row + 1)
    return array
