"""Photographs: PNG and JPEG through Pillow, and BMP.

SimpleITK reads these too, but not faithfully: it leaves a photograph lying on its side, and refuses grey with
transparency.
"""

from __future__ import annotations

import os
import struct
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageFile
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.geometry import UPRIGHT
from napari_s3net.image import Geometry, Image, kind_of_grey
from napari_s3net.io.bitmap import read_bitmap
from napari_s3net.io.geometry import one_of_eight, turn_photograph
from napari_s3net.io.validation.dicom import JPEG_FRAMES
from napari_s3net.io.validation.limits import DEFLATE_RATIO, check_memory, check_promise

# Sizes are checked against this machine's memory instead.
PIL.Image.MAX_IMAGE_PIXELS = None
#: Type and count of the numbers of a pixel in Pillow's memory, by its mode; colours take four bytes.
_NUMBERS = {"L": ("u1", 1), "I;16": ("<u2", 1), "LA": ("u1", 4), "RGB": ("u1", 4), "RGBA": ("u1", 4), "CMYK": ("u1", 4)}
#: Baseline, extended and progressive JPEG, and the latter two with arithmetic coding.
_LOSSY_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
#: Pixels that are converted at a time.
_BAND_PIXELS = 1 << 22


def read_photograph(
    path: Path, file_format: Literal["png", "jpeg", "bmp"], name: str, *, numbers: bool = False
) -> Image:
    """Read pixels as they are shown by any viewer: upright, without transparency; the unit is the pixel.

    Parameters
    ----------
    path : Path
        The file.
    file_format : {"png", "jpeg", "bmp"}
        As told by its content.
    name : str
        Becomes the image's `name`.
    numbers : bool
        Of a PNG with a palette that `names_labels`, give the numbers and not the colours; do not spread grey of 2 or 4
        bits over 0 to 255.

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
        If its colours are inks (CMYK) and had to be converted, or if it is an animation.
    """
    bitmap = file_format == "bmp"
    array, noted = (read_bitmap(path.read_bytes()), UPRIGHT) if bitmap else _read_picture(path, file_format, numbers)
    geometry = replace(Geometry.identity(2), noted=noted)
    return Image(array, geometry, "rgb" if array.ndim == 3 else kind_of_grey(array), name)


def _read_picture(path: Path, file_format: str, numbers: bool) -> tuple[NDArray[Any], int]:
    """The pixels of a PNG or JPEG file, upright, and the orientation that it notes."""
    depth, channels, present = 8, 3, path.stat().st_size
    if file_format == "jpeg":
        _check_kind_of_jpeg(path)
    if file_format == "png":
        width, height, depth, channels = _png_size(path)
        check_promise(height * (width * depth * channels // 8), present, DEFLATE_RATIO)
    deep = depth == 16
    with PIL.Image.open(path, formats=("PNG", "JPEG")) as picture:
        deep_colours = deep and picture.mode != "I;16"
        twice = deep_colours or picture.mode == "1"  # what is not decoded into the array itself
        stored, channels = channels, 3 if picture.mode == "P" else len(picture.getbands())
        if file_format == "jpeg":  # in which a block of 64 values takes a bit at least
            check_promise(picture.height * picture.width, present, DEFLATE_RATIO)
        check_memory((picture.height, picture.width, channels), (1 + deep) << twice, present)
        if getattr(picture, "n_frames", 1) > 1 and file_format == "png":
            warnings.warn("it is an animation; its first picture is opened.", ReadWarning, stacklevel=3)
        if deep_colours and stored == 2:
            raise UnsupportedFormatError("it is a 16-bit grey PNG with transparency; save it without.")
        if numbers and picture.mode == "P" and names_labels(np.reshape(picture.getpalette() or [], (-1, 3))):
            array = np.array(picture)
        else:
            array = _read_deep_png(path) if deep_colours else _values(picture)
        if numbers and picture.mode == "L" and depth < 8:  # which Pillow spreads over 0 to 255
            array //= 255 // ((1 << depth) - 1)
        noted = _orientation(picture)
        return turn_photograph(array, noted), noted


def transparency(path: Path) -> NDArray[np.bool_] | None:
    """Find the transparent pixels of a PNG.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    numpy.ndarray or None
        (H, W), upright; None where pixels have no transparency of their own.
    """
    with PIL.Image.open(path, formats=("PNG",)) as picture:
        if picture.mode not in ("LA", "RGBA"):
            return None
        return turn_photograph(np.asarray(picture.getchannel("A")) == 0, _orientation(picture))


def names_labels(palette: NDArray[Any]) -> bool:
    """Tell whether the numbers of a palette may be labels, and its colours only what they are shown in.

    Parameters
    ----------
    palette : numpy.ndarray
        (n, 3), red, green and blue of each number.

    Returns
    -------
    bool
        True where 0 is black, as a background is, and there are colours; of greys the values themselves are meant.
    """
    return bool(len(palette) and not palette[0].any() and (palette != palette[:, :1]).any())


def _values(picture: PIL.ImageFile.ImageFile) -> NDArray[Any]:
    """Grey, or red, green and blue, without transparency, as they lie in the file."""
    mode, (width, height) = picture.mode, picture.size
    if mode not in _NUMBERS:
        picture.load()
        return np.asarray(picture) if mode[0] in "IF" else _converted(picture, "L" if mode == "1" else "RGB")
    # Pillow decodes into memory of numpy's: a copy less of a large picture.
    dtype, numbers = _NUMBERS[mode]
    memory = np.zeros((height, width, numbers), dtype)
    picture.im = PIL.Image.core.map_buffer(  # type: ignore[attr-defined]
        memory, picture.size, "raw", 0, (mode, memory.strides[0], 1)
    )
    picture.load()
    if numbers == 1 or mode == "LA":
        return memory[..., 0]
    # And is brought to three bytes a pixel in the same memory.
    array = memory.reshape(-1)[: 3 * width * height].reshape(height, width, 3)
    if mode == "CMYK":
        text = "its colours are inks (CMYK); they are converted to red, green and blue without a colour profile."
        warnings.warn(text, ReadWarning, stacklevel=4)
        return _converted(picture, "RGB", array)
    for rows in _bands(width, height):
        array[rows] = memory[rows, :, :3]
    return array


def _converted(picture: PIL.Image.Image, mode: str, array: NDArray[Any] | None = None) -> NDArray[Any]:
    """A picture in another mode, band by band: a large one is not held several times over."""
    if array is None:
        array = np.empty((picture.height, picture.width, 3)[: 2 + (mode == "RGB")], np.uint8)
    for rows in _bands(*picture.size):
        array[rows] = picture.crop((0, rows.start, picture.width, rows.stop)).convert(mode)
    return array


def _bands(width: int, height: int) -> Iterator[slice]:
    """The rows of a picture, some at a time."""
    step = max(1, _BAND_PIXELS // width)
    return (slice(top, min(height, top + step)) for top in range(0, height, step))


def _orientation(picture: PIL.Image.Image) -> int:
    """How the camera was held, from the EXIF data; a damaged note is no reason to refuse the photograph."""
    with suppress(SyntaxError, ValueError, KeyError, TypeError, OSError, struct.error):
        return one_of_eight(int(picture.getexif().get(PIL.ExifTags.Base.Orientation, UPRIGHT)))
    return UPRIGHT


def _png_size(path: Path) -> tuple[int, int, int, int]:
    """Width, height, bits a value (which Pillow does not tell) and values a pixel."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26:
        raise ReadError("the file ends within its header. It was probably cut off while copying.")
    width, height, depth, colours = struct.unpack_from(">2I2B", head, 16)
    return width, height, depth, {2: 3, 4: 2, 6: 4}.get(colours, 1)


def _read_deep_png(path: Path) -> NDArray[Any]:
    """Colours of 16 bits, which Pillow cuts to 8, and to which ITK does what other chunks say (sBIT divides them)."""
    from napari_s3net.io.itk import decode_pixels

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "plain.png")
        plain.write_bytes(_critical_chunks(path.read_bytes()))
        return decode_pixels(plain, "PNGImageIO")[..., :3]


def _check_kind_of_jpeg(path: Path) -> None:
    """Refuse a JPEG of a kind that Pillow does not know; it would call the file damaged."""
    with path.open("rb") as file:
        file.seek(2)
        while len(start := file.read(4)) == 4 and start[0] == 0xFF:
            marker, length = start[1], int.from_bytes(start[2:], "big")
            if marker == 0xFF:  # any number of these may stand before a marker
                file.seek(-3, os.SEEK_CUR)
            elif marker in JPEG_FRAMES:
                if marker not in _LOSSY_FRAMES or file.read(1) != b"\x08":
                    text = "it is a JPEG without loss (JPEG-LS too) or of more than 8 bits; save it as PNG or TIFF."
                    raise UnsupportedFormatError(text)
                return
            else:
                file.seek(length - 2, os.SEEK_CUR)


def _critical_chunks(content: bytes) -> bytes:
    """A PNG with those of its chunks alone that no reader may pass over; their names begin with a capital letter."""
    kept, place = [content[:8]], 8
    while place + 8 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        kept += [content[place:end]] if chr(content[place + 4]).isupper() else []
        place = end
    return b"".join(kept)
