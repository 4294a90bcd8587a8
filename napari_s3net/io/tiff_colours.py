"""The colours of a TIFF by its header: grey with dark as low, or red, green and blue, whatever its own are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_s3net.errors import ReadWarning, UnsupportedFormatError
from napari_s3net.io.photograph import names_labels

#: Tags: photometric interpretation, and kind of inks.
_PHOTOMETRIC, _INKS = 262, 332
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR, LAB = 0, 1, 2, 3, 5, 6, (8, 9, 10)
#: Kinds of extra values that are transparency, with colours multiplied by it or not.
_TRANSPARENCY = (1, 2)
#: Codings of fax pages: in what programs save so white is the paper and not a number.
_FAX = (2, 3, 4)
#: Packings that give colours as red, green and blue, whatever their own are.
JPEGS = (6, 7, 33003, 33005, 34712)


def in_colours(
    array: NDArray[Any], page: tifffile.TiffPage, *, samples: bool, numbers: bool
) -> tuple[NDArray[Any], bool]:
    """Give pixels as grey or colours.

    A file that does not say what its values mean is taken for grey with black as zero, or for red, green and blue.

    Parameters
    ----------
    array : numpy.ndarray
        As decoded.
    page : tifffile.TiffPage
        The header.
    samples : bool
        Whether the last axis holds several values a pixel.
    numbers : bool
        As in `read_tiff`.

    Returns
    -------
    array : numpy.ndarray
        Grey with dark as low, or red, green and blue without transparency.
    is_colour : bool
        Which of the two.

    Raises
    ------
    UnsupportedFormatError
        If its colours are of a kind that is not read here.

    Warns
    -----
    ReadWarning
        If colours had to be converted, or values are left out or as they are.
    """
    n = array.shape[-1] if samples else 1
    named = page.tags.get(_PHOTOMETRIC)
    photometric = int(named.value) if named else (RGB if n >= 3 else BLACK_IS_ZERO)
    if photometric in LAB:
        raise UnsupportedFormatError("its colours are Lab, not red, green and blue; save it as RGB.")
    if photometric == SEPARATED or (not named and n == 4 and _INKS in page.tags):
        return _from_inks(array, n), True
    if not named and n == 4:
        raise UnsupportedFormatError("it does not say what its four values a pixel are; save it as RGB.")
    if photometric == YCBCR and int(page.compression) not in JPEGS:
        return _from_ycbcr(array, n), True
    if n > 4:
        raise UnsupportedFormatError(f"it holds {n} values a pixel; up to four are read here.")
    _tell_extra_values(n - (3 if n >= 3 else 1), page)
    if n >= 3:
        if named and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO):
            text = f"its header calls its {n} values a pixel grey; the first three are taken for red, green and blue."
            warnings.warn(text, ReadWarning, stacklevel=3)
        return array[..., :3], True
    array = array[..., 0] if samples else array
    if photometric == PALETTE and page.colormap is not None:
        return _of_palette(array, page.colormap, numbers)
    numbers = numbers and int(page.compression) not in _FAX
    return _grey(array, page.bitspersample, photometric == WHITE_IS_ZERO, numbers), False


def _grey(array: NDArray[Any], bits: int, turned: bool, numbers: bool) -> NDArray[Any]:
    """Grey with dark as low; that of 2 to 7 bits over all of 0 to 255, as one bit is 0 and 255, but for labels."""
    array = _inverted(array, bits, numbers) if turned else array
    if array.dtype == np.uint8 and 1 < bits < 8 and not numbers:
        array = np.rint(array * (255 / ((1 << bits) - 1))).astype(np.uint8)
    return array


def _of_palette(array: NDArray[Any], palette: NDArray[Any], numbers: bool) -> tuple[NDArray[Any], bool]:
    """The colours of a palette, or the numbers themselves where they may be labels; and whether they are colours."""
    if numbers and names_labels(palette.T):
        return array, False
    return np.asarray(np.moveaxis((palette >> 8).astype(np.uint8)[:, array], 0, -1)), True


def _tell_extra_values(extra: int, page: tifffile.TiffPage) -> None:
    """Say that further values of a pixel are left out, unless they are transparency."""
    left_out = [kind for kind in (*page.extrasamples, *(0,) * extra)[:extra] if int(kind) not in _TRANSPARENCY]
    if left_out:
        text = f"{len(left_out)} of its {page.samplesperpixel} values a pixel are further channels; they are left out."
        warnings.warn(text, ReadWarning, stacklevel=4)


def _inverted(array: NDArray[Any], bits: int, numbers: bool) -> NDArray[Any]:
    """White that is zero, turned so that bright is high; labels and numbers without a largest one stay, with a word."""
    if array.dtype.kind == "b" and not numbers:
        return ~array
    if array.dtype.kind == "u" and not numbers:
        return np.asarray(np.subtract((1 << bits) - 1, array, dtype=array.dtype))
    warnings.warn("its header says that white is zero; its values are left as they are.", ReadWarning, stacklevel=5)
    return array


def _from_inks(array: NDArray[Any], n: int) -> NDArray[Any]:
    """Red, green and blue of cyan, magenta, yellow and black, without a colour profile."""
    if n < 4 or array.dtype not in (np.uint8, np.uint16):
        raise UnsupportedFormatError("its colours are inks, not red, green and blue; save it as RGB.")
    text = "its colours are inks (CMYK); they are converted to red, green and blue without a colour profile."
    warnings.warn(text, ReadWarning, stacklevel=4)
    most = float(np.iinfo(array.dtype).max)
    light = most - array[..., :4].astype(np.float32)
    return np.asarray(np.rint(light[..., :3] * light[..., 3:] / most), array.dtype)


def _from_ycbcr(array: NDArray[Any], n: int) -> NDArray[Any]:
    """Red, green and blue of luminance and chrominance (ITU-R BT.601, all values used)."""
    if n != 3 or array.dtype != np.uint8:
        raise UnsupportedFormatError("its colours are luminance and chrominance (YCbCr), not 8-bit; save it as RGB.")
    y, blue, red = np.moveaxis(array.astype(np.float32), -1, 0)
    blue, red = blue - 128, red - 128
    rgb = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], axis=-1)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), np.uint8)
