"""TIFF through tifffile: the image that matters of a file, its axes by their names, and its colours by its header.

SimpleITK reads TIFF too, but turns 16-bit tiles into 8-bit colours without an error; it is asked only for packings
that nothing else here decodes, and only where it gives the type that the header promises.
"""

from __future__ import annotations

import json
import logging
import operator
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from logging.handlers import BufferingHandler
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.geometry import UPRIGHT
from napari_s3net.image import Geometry, Image, kind_of_grey
from napari_s3net.io.geometry import ON_THEIR_SIDE, one_of_eight, turn_photograph
from napari_s3net.io.tiff_colours import BLACK_IS_ZERO, JPEGS, PALETTE, RGB, YCBCR, in_colours
from napari_s3net.io.tiff_sizes import sizes_of
from napari_s3net.io.validation.limits import DEFLATE_RATIO, LARGE, check_memory, check_promise

#: Tags: orientation and palette; and the bit of a page that is a smaller copy.
_ORIENTATION, _COLOUR_MAP, _SMALLER = 274, 320, 1
_LOSSY = (6, 7, 34892)
#: JPEG 2000, LERC, WebP and JPEG XL: each with a kind that changes numbers and one that does not.
_OF_BOTH_KINDS = (33003, 33004, 33005, 34712, 34887, 34927, 50001, 50002, 52546)
#: Axes along which planes may lie one above the other: slices, and pages of which nothing is said.
_SLICES = "ZIQR"
#: So many of the images that are not opened are named.
_NAMED = 3
_EXTRA = "Install the decoders for it with: pip install 'napari-s3net[tiff]', or save it uncompressed."


def read_tiff(path: Path, name: str, *, numbers: bool = False) -> Image:
    """Read the largest image of a TIFF, as any viewer shows it: upright, without transparency.

    Sizes are in mm where it tells them for measuring (`sizes_of`), else in pixels.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Becomes the image's `name`.
    numbers : bool
        Where it has a palette that `names_labels`, give the numbers and not the colours; where white is zero, do not
        turn them, and do not spread those of 2 to 7 bits.

    Returns
    -------
    Image
        (H, W) or (H, W, 3), and for several pages or slices (Z, H, W) or (Z, H, W, 3).

    Raises
    ------
    ReadError
        If it takes more memory than there is, or is damaged.
    UnsupportedFormatError
        If its pixels, colours or packing are of a kind that is not read here; a packing is named.

    Warns
    -----
    ReadWarning
        If only a part is opened (one of several images, times or channels), if pages are missing, or if colours had to
        be converted.
    """
    # Else a page amid many like the first would be decoded as the first is, whatever its own header says.
    with _complaints(), tifffile.TiffFile(path, is_uniform=False) as file:
        _check_neighbours(file)
        if _was_cropped(file):
            file.is_shaped = False  # type: ignore[attr-defined]
        series = _main_series(file)
        page = series.keyframe
        if not isinstance(page, tifffile.TiffPage) or series.dtype is None:
            raise UnsupportedFormatError("its pages do not make an image.")
        _check_size(path, series, page)
        _check_pieces(page)
        _check_pages(series)
        _check_alike(series, page)
        array = _order_axes(_decode_series(path, series, page), series.axes)
        array, colours = in_colours(array, page, samples="S" in series.axes, numbers=numbers)
        turned = page.tags.get(_ORIENTATION)
        sizes = sizes_of(file, series)
        geometry = _geometry(sizes, _stacked(series.axes), array.ndim - colours)
    if np.iscomplexobj(array):
        raise UnsupportedFormatError("its pixels are complex numbers; save the magnitude.")
    if array.dtype.kind == "b":
        array = array * np.uint8(255)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    noted = one_of_eight(int(turned.value)) if turned else UPRIGHT
    array = turn_photograph(array, noted, array.ndim - 2 - colours)
    geometry = replace(geometry, noted=noted)
    if noted in ON_THEIR_SIDE:
        *above, rows, columns = geometry.spacing
        geometry = replace(geometry, spacing=(*above, columns, rows))
    return Image(array, geometry, "rgb" if colours else kind_of_grey(array), name)


def _geometry(sizes: Mapping[str, float], stacked: str, ndim: int) -> Geometry:
    """In mm where the file tells the size of its pixels, and of a stack the distance of its slices; else in pixels."""
    flat = Geometry.identity(ndim)
    if not sizes:
        return flat
    if ndim == 3 and not (stacked in _SLICES and "Z" in sizes):
        size = f"{sizes['X']:.4g} × {sizes['Y']:.4g} mm"
        text = f"it does not tell how far apart its planes lie: sizes are in pixels, each {size}."
        warnings.warn(text, ReadWarning, stacklevel=3)
        return flat
    return replace(flat, spacing=tuple(sizes[axis] for axis in "ZYX"[-ndim:]), unit="mm")


def may_lose(path: Path) -> bool | None:
    """Tell whether the packing of a TIFF changes its numbers.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool or None
        By the header of its first page: True for JPEG, None for packings of which there are both kinds (JPEG 2000,
        JPEG XL, WebP, LERC); False for all others, and where the header cannot be understood.
    """
    with _complaints(), suppress(tifffile.TiffFileError, ValueError), tifffile.TiffFile(path) as file:
        packing = int(getattr(file.pages.first, "compression", 1))
        return None if packing in _OF_BOTH_KINDS else packing in _LOSSY
    return False


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


def _was_cropped(file: tifffile.TiffFile) -> bool:
    """Whether the shape that tifffile wrote into a file is not that of its pixels: programs that crop leave it there.

    By that shape a stack of half the rows would be one of half the pages.
    """
    text, page = getattr(file.pages.first, "description", ""), getattr(file.pages.first, "shape", ())
    told: Any = None
    with suppress(ValueError, TypeError):
        told = [int(n) for n in json.loads(text)["shape"] if n != 1]
    present = [n for n in page if n != 1]
    return told is not None and told[len(told) - len(present) :] != present


def _check_neighbours(file: tifffile.TiffFile) -> None:
    """Refuse an OME-TIFF whose planes lie in files outside its own folder."""
    if (text := file.ome_metadata) is None:
        return
    from xml.etree import ElementTree as ET

    with suppress(ET.ParseError):  # tifffile parses it in the same way, character references and all
        for element in ET.fromstring(text).iter():  # noqa: S314
            if re.search(r"[/\\:]", element.get("FileName", "") + element.get("MetadataFile", "")):
                raise ReadError("its header names files outside its own folder, which are not opened.")


def _check_pages(series: tifffile.TiffPageSeries) -> None:
    """Refuse an image some of whose pages, or of their pixels, are not there: they would be zero, or noise."""
    if missing := sum(page is None for page in series.pages):
        promised = len(series.pages)
        raise ReadError(f"its header promises {promised} pages, the file has {promised - missing}.")
    for number, page in enumerate((page for page in series.pages if page is not None), 1):
        starts, sizes = page.dataoffsets, page.databytecounts
        if len(starts) != len(sizes) or max(map(operator.add, starts, sizes), default=0) > page.parent.filehandle.size:
            raise ReadError(
                f"the pixels of its page {number} go on behind its end. It was probably cut off while copying."
            )


def _check_alike(series: tifffile.TiffPageSeries, first: tifffile.TiffPage) -> None:
    """Refuse pages that tell another orientation or palette than the first one, as which all are read."""
    tags = (_ORIENTATION, _COLOUR_MAP)
    held = {tag: _told(first, tag) or np.asarray(UPRIGHT).tobytes() for tag in tags}
    for page in series.pages:
        if isinstance(page, tifffile.TiffPage) and any(_told(page, tag) not in (None, held[tag]) for tag in tags):
            raise UnsupportedFormatError(
                "its pages do not all have the same orientation and palette; save each as a file of its own."
            )


def _told(page: tifffile.TiffPage, tag: int) -> bytes | None:
    """What a page says under a tag; None where it does not have it."""
    found = page.tags.get(tag)
    return None if found is None else np.asarray(found.value).tobytes()


def _check_pieces(page: tifffile.TiffPage) -> None:
    """Refuse a page that lists fewer strips or tiles than it has: what is missing would be zero without a word."""
    promised, present = prod(page.chunked), len(page.dataoffsets)
    if present < promised:
        raise ReadError(f"its header is damaged: it promises {promised} strips or tiles and lists {present}.")
    if page.compression == 1 and page.bitspersample in (8, 16, 32, 64) and int(page.photometric) != YCBCR:
        check_promise(prod(page.shape) * page.bitspersample // 8, sum(page.databytecounts))


def _check_size(path: Path, series: tifffile.TiffPageSeries, page: tifffile.TiffPage) -> None:
    """Refuse a large image of which the file, or its folder for an OME-TIFF of several files, holds next to nothing."""
    shape = (*series.shape, 3) if int(page.photometric) == PALETTE else series.shape
    item_bytes = np.dtype(series.dtype).itemsize
    if prod(shape) * item_bytes <= LARGE:
        return check_memory(shape, item_bytes)
    files = path.parent.iterdir() if series.kind == "ome" else [path]
    present = sum(file.stat().st_size for file in files if file.is_file())
    packed = present if page.compression != 1 else None
    check_memory(shape, item_bytes, packed)
    if (promised := prod(series.shape) * page.bitspersample // 8) > LARGE:
        check_promise(promised, present, DEFLATE_RATIO if packed else 1)
    if packed:
        check_memory(page.chunks, 2 * item_bytes, packed)  # a piece is unpacked, and then put into the image
    return None


def _main_series(file: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    """The image with most pixels, the first of several; previews and thumbnails are small."""
    found = [series for series in file.series if {"Y", "X"} <= set(series.axes)]
    if not found:
        raise UnsupportedFormatError("it holds no image.")
    main = max(found, key=lambda series: prod(series.shape))
    full = [series for series in found if not _is_smaller_copy(series)]
    if len(full) > 1:
        sizes = ", ".join([" × ".join(map(str, series.shape)) for series in full if series is not main][:_NAMED])
        sizes += f" and {len(full) - 1 - _NAMED} more" if len(full) - 1 > _NAMED else ""
        warnings.warn(f"it holds {len(full)} images; the largest is opened (not {sizes}).", ReadWarning, stacklevel=3)
    return main


def _is_smaller_copy(series: tifffile.TiffPageSeries) -> bool:
    """Whether an image says that it is a smaller copy of another."""
    return isinstance(series.keyframe, tifffile.TiffPage) and bool(int(series.keyframe.subfiletype) & _SMALLER)


def _decode_series(path: Path, series: tifffile.TiffPageSeries, page: tifffile.TiffPage) -> NDArray[Any]:
    """Decode with tifffile, or with SimpleITK where the packing needs it (LZW, JPEG) and nothing is lost by it."""
    try:
        return np.asarray(series.asarray())
    except (NotImplementedError, ImportError):
        array = np.empty(0)
    except ValueError as error:
        if "imagecodecs" not in str(error) and "not supported" not in str(error):
            raise
        array = _by_libtiff(path, page)
    if array.ndim == len(series.shape) + 1 and "S" not in series.axes:
        array = array[..., 0]
    array = array[..., : series.shape[-1]] if "S" in series.axes and array.ndim else array
    if array.shape != series.shape or array.dtype != series.dtype:
        packing = getattr(page.compression, "name", str(page.compression))
        bits = f", {page.bitspersample} bits a value" if page.bitspersample not in (1, 8, 16, 32, 64) else ""
        raise UnsupportedFormatError(f"its pixels are packed as {packing}{bits}. {_EXTRA}")
    return array


def _by_libtiff(path: Path, page: tifffile.TiffPage) -> NDArray[Any]:
    """Pixels by SimpleITK; nothing where it would change their bits or their colours on its own."""
    from napari_s3net.io.itk import decode_pixels

    kept = BLACK_IS_ZERO, RGB, *((YCBCR,) if int(page.compression) in JPEGS else ())
    if page.bitspersample not in (8, 16) or int(page.photometric) not in kept:
        return np.empty(0)
    try:
        return decode_pixels(path, "TIFFImageIO")
    except RuntimeError:
        return np.empty(0)


def _stacked(axes: str) -> str:
    """The axis along which planes lie one above the other; empty for a single plane."""
    slices = [axis for axis in axes if axis in _SLICES] or [axis for axis in axes if axis == "T"]
    return "Z" if "Z" in axes else next(iter(slices), "")


def _order_axes(array: NDArray[Any], axes: str) -> NDArray[Any]:
    """([Z,] Y, X[, S]) of an array with named axes; of further axes the first entry."""
    others = [place for place, axis in enumerate(axes) if axis not in "YXS"]
    stack = axes.find(_stacked(axes) or "Z")
    if stack >= 0 and axes[stack] == "T" and array.shape[stack] > 1:
        warnings.warn("its planes are times, not slices.", ReadWarning, stacklevel=3)
    for place in reversed([place for place in others if place != stack]):
        if (n := array.shape[place]) > 1:
            what = {"C": "channels", "T": "times"}.get(axes[place], f"entries along its axis {axes[place]}")
            warnings.warn(f"it holds {n} {what}; the first is opened.", ReadWarning, stacklevel=3)
        array, axes = array.take(0, place), axes[:place] + axes[place + 1 :]
    order = sorted(range(len(axes)), key=lambda place: "YXS".find(axes[place]))
    return array.transpose(order)
